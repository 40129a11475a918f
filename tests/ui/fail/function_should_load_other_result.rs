//! A `should_load` that does not say whether.

#[plux::plugin(namespace = "ui.functions", should_load = wanted)]
fn show() {}

async fn wanted() -> Result<u8, plux::BoxError> {
    Ok(1)
}

fn main() {}

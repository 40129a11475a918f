//! A `should_load` that takes something.

#[plux::plugin(namespace = "ui.functions", should_load = wanted)]
fn show(_: &u8) {}

async fn wanted(it: &u8) -> Result<bool, plux::BoxError> {
    Ok(*it == 0)
}

fn main() {}

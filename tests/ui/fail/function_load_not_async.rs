//! A `load` that is not async.

#[plux::plugin(namespace = "ui.functions", load = load)]
fn show() {}

fn load() -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

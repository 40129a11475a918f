//! A `load` that has no errors.

#[plux::plugin(namespace = "ui.functions", load = load)]
fn show() {}

async fn load() {}

fn main() {}

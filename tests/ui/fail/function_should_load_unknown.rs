//! A `should_load` that is not there.

#[plux::plugin(namespace = "ui.functions", should_load = wanted)]
fn show() {}

fn main() {}

//! A `load` that is no path.

#[plux::plugin(namespace = "ui.functions", load = |a| a, name = "a")]
fn show() {}

fn main() {}

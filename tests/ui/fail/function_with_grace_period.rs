//! A function is no service.

#[plux::plugin(namespace = "ui.functions", grace_period = "2s")]
fn show() {}

fn main() {}

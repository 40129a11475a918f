//! A namespace of functions that is empty.

#[plux::plugin(namespace = "")]
fn show() {}

fn main() {}

//! A namespace of functions that is no literal.

const NAMESPACE: &str = "ui.functions";

#[plux::plugin(namespace = NAMESPACE)]
fn show() {}

fn main() {}

//! A plugin that does not yield what the contract says.

#[plux::extension_point(namespace = "ui.point", output = String)]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin]
impl Point for A {}

fn main() {}

//! The trait says the namespace.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin(namespace = "ui.other")]
impl Point for A {}

fn main() {}

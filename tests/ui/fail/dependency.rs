//! Dependencies that name nothing.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin(requires = ["", "b"], wants = ["a:b:c"], after = ["ns:"])]
impl Point for A {}

fn main() {}

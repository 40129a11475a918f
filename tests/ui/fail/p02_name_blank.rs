//! A blank name.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin(requires = ["b"], name = " ")]
impl Point for A {}

fn main() {}

//! A dependency that is not in a list.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin(requires = "b")]
impl Point for A {}

fn main() {}

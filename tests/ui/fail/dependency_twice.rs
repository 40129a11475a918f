//! A dependency that is named twice in one list.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin(requires = ["b", "ns:b", "b"])]
impl Point for A {}

fn main() {}

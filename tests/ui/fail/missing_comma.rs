//! Two keys with nothing between them.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin(name = "a" requires = ["b"])]
impl Point for A {}

fn main() {}

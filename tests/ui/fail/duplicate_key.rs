//! A key that is given twice.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin(name = "a", requires = ["b"], name = "c")]
impl Point for A {}

fn main() {}

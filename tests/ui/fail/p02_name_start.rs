//! A name that begins with a hyphen.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin(requires = ["b"], name = "-a")]
impl Point for A {}

fn main() {}

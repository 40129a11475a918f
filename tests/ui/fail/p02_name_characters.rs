//! A name with a character that names do not have.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin(requires = ["b"], name = "a/b")]
impl Point for A {}

fn main() {}

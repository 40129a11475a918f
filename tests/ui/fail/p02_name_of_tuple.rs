//! A type that has no name.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[plux::plugin]
impl Point for () {}

fn main() {}

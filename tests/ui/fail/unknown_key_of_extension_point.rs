//! A key of another attribute.

#[plux::extension_point(namespace = "ui.point", requires = ["a"])]
trait Point {}

fn main() {}

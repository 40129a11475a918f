//! An empty namespace.

#[plux::extension_point(namespace = "")]
trait Point {}

fn main() {}

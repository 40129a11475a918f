//! A contract is a trait.

#[plux::extension_point(namespace = "ui.point")]
struct Point;

fn main() {}

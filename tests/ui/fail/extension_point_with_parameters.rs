//! A namespace has one contract, not one for each type.

#[plux::extension_point(namespace = "ui.point")]
trait Point<T> {}

fn main() {}

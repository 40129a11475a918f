//! An extension point without a namespace.

#[plux::extension_point]
trait Point {}

fn main() {}

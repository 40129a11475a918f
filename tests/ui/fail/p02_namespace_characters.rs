//! A namespace with a character that it can not have.

#[plux::extension_point(namespace = "aws:services")]
trait Point {}

fn main() {}

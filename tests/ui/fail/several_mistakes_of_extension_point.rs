//! One mistake does not hide the next, nor is a comma inside of a type the end of its value.

#[plux::extension_point(takes = Result<u8, u8>, namespace = "", output = Vec<u8> u8, namespace = "a")]
trait Point {}

fn main() {}

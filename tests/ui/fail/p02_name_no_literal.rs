//! A name that is no literal.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

const NAME: &str = "a";

#[derive(Default)]
struct A;

#[plux::plugin(name = NAME)]
impl Point for A {}

fn main() {}

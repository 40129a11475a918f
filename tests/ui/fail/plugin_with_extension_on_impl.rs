//! The impl says the trait already.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin(extension = dyn Point)]
impl Point for A {}

fn main() {}

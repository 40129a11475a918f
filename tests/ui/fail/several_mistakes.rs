//! One mistake does not hide the next.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin(title = "a", requires = ["", "a b"], grace_period = 2)]
impl Point for A {}

fn main() {}

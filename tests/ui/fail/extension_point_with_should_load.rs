//! A method that the attribute adds.

#[plux::extension_point(namespace = "ui.point")]
trait Point {
    fn should_load(&self) -> bool;
}

fn main() {}

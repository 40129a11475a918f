//! A method that the attribute adds.

#[plux::extension_point(namespace = "ui.point")]
trait Point {
    async fn load(&self);
}

fn main() {}

//! A trait that can not be used as `dyn Trait`.

#[plux::extension_point(namespace = "ui.point")]
trait Point {
    type Output;
}

fn main() {}

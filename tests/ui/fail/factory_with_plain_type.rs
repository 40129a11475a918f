//! An extension point that is written without `dyn`.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

struct A;

#[plux::plugin(extension = Point)]
fn a() -> A {
    A
}

fn main() {}

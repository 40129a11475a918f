//! A factory that makes what does not implement the trait.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

struct A;

#[plux::plugin(extension = dyn Point)]
fn a() -> A {
    A
}

fn main() {}

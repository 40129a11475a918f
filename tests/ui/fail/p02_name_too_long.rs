//! A name of 129 bytes.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[plux::plugin(
    extension = dyn Point,
    name = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
)]
fn a() -> A {
    A
}

struct A;

impl Point for A {}

fn main() {}

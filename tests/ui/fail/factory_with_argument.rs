//! A factory that takes something.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

struct A;

#[plux::async_trait]
impl Point for A {}

#[plux::plugin(extension = dyn Point)]
fn a(_: u8) -> A {
    A
}

fn main() {}

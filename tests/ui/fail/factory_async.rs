//! A factory that waits.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

struct A;

#[plux::async_trait]
impl Point for A {}

#[plux::plugin(extension = dyn Point)]
async fn a() -> A {
    A
}

fn main() {}

//! A factory with the load of a function.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

struct A;

#[plux::async_trait]
impl Point for A {}

#[plux::plugin(extension = dyn Point, load = load)]
fn a() -> A {
    A
}

async fn load() -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

//! A factory, and the impl of what it makes without `#[plux::async_trait]`.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

struct A;

impl Point for A {
    async fn load(&self, _: &()) -> Result<(), plux::BoxError> {
        Ok(())
    }
}

#[plux::plugin(extension = dyn Point)]
fn a() -> A {
    A
}

fn main() {}

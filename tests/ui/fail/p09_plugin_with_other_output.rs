//! A load that yields another type than the contract says.

#[plux::extension_point(namespace = "ui.point", output = String)]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin]
impl Point for A {
    async fn load(&self, _: &()) -> Result<u8, plux::BoxError> {
        Ok(1)
    }
}

fn main() {}

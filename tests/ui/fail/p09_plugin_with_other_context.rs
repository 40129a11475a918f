//! A load that takes another type than the contract says.

#[plux::extension_point(namespace = "ui.point", context = String)]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin]
impl Point for A {
    async fn load(&self, _: &u8) -> Result<(), plux::BoxError> {
        Ok(())
    }
}

fn main() {}

//! What is for a service, on a plugin that yields none.

#[plux::extension_point(namespace = "ui.point", output = u16)]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin(requires = ["b", keep("c")], grace_period = "2s", restart = "permanent")]
impl Point for A {
    async fn load(&self, _: &()) -> Result<u16, plux::BoxError> {
        Ok(1)
    }
}

fn main() {}

//! An impl has methods.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin(load = load)]
impl Point for A {}

async fn load() -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

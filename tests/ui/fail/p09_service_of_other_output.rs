//! A namespace that yields no services.

#[plux::extension_point(namespace = "ui.point", output = String)]
trait Point {}

#[plux::service(extension = dyn Point)]
async fn clock(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

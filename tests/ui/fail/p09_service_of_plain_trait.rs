//! A trait that is no extension point.

trait Point {}

#[plux::service(extension = dyn Point)]
async fn clock(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

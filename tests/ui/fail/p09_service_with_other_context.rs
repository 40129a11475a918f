//! A service that takes another context than its namespace gives.

#[derive(Clone)]
struct Shop;

#[plux::extension_point(namespace = "ui.point", context = Shop, output = std::sync::Arc<dyn plux::Service>)]
trait Point {}

#[plux::service(extension = dyn Point)]
async fn clock(_cx: plux::ServiceContext, _: &u8) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

//! A context that the service can not keep.

struct Shop;

#[plux::extension_point(namespace = "ui.point", context = Shop, output = std::sync::Arc<dyn plux::Service>)]
trait Point {}

#[plux::service(extension = dyn Point)]
async fn clock(_cx: plux::ServiceContext, _: &Shop) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

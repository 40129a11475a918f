//! A supertrait may ask for anything, also for what a function does not have.

#[plux::extension_point(namespace = "ui.point", output = std::sync::Arc<dyn plux::Service>)]
trait Point: std::fmt::Debug {}

#[plux::service(extension = dyn Point)]
async fn clock(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

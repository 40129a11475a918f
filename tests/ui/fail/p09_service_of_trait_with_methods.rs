//! A function has no methods, so it can not implement those that a trait requires.

#[plux::extension_point(namespace = "ui.point", output = std::sync::Arc<dyn plux::Service>)]
trait Point {
    fn port(&self) -> u16;
}

#[plux::service(extension = dyn Point)]
async fn clock(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

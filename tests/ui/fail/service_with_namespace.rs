//! A service is in the namespace of its extension point.

#[plux::service(namespace = "ui.functions")]
async fn clock(cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    cx.stopping().await;
    Ok(())
}

fn main() {}

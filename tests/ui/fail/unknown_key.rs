//! A key of a version that is not this one.

#[plux::service(heartbeat = "10s")]
async fn clock(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

//! No time to start in.

#[plux::service(start_timeout = "0s")]
async fn clock(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

//! Restart policies that are none.

#[plux::service(restart = "always")]
async fn a(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(restart = permanent)]
async fn b(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

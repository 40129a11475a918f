//! Times after which nothing is stable.

#[plux::service(stable_after = "0s")]
async fn a(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(stable_after = "never")]
async fn b(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

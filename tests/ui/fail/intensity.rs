//! Intensities that are none.

#[plux::service(intensity = "5")]
async fn a(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(intensity = "5 in 0s")]
async fn b(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(intensity = "+5 in 60s")]
async fn c(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(intensity = "5 in a minute")]
async fn d(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(intensity = "5000000000 in 60s")]
async fn e(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

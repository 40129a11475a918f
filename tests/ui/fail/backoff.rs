//! Delays that are none.

#[plux::service(backoff = "soon")]
async fn a(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(backoff = "0s")]
async fn b(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(backoff = "1s..soon")]
async fn c(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(backoff = "0ms..2s")]
async fn d(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(backoff = "30s..100ms")]
async fn e(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(backoff = "1s..2s..3s")]
async fn f(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

//! A watchdog that leaves no time, and nothing that becomes of what is unhealthy.

use plux::{BoxError, ServiceContext};

#[plux::service(watchdog = "0s")]
async fn never_quick_enough(_: ServiceContext) -> Result<(), BoxError> {
    Ok(())
}

#[plux::service(on_unhealthy = "stop")]
async fn unwell(_: ServiceContext) -> Result<(), BoxError> {
    Ok(())
}

fn main() {}

//! A service that is not async.

#[plux::service]
fn clock(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

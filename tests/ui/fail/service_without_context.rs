//! A service that takes nothing.

#[plux::service]
async fn clock() -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

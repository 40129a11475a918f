//! A service that takes something else.

#[plux::service]
async fn clock(_name: String) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

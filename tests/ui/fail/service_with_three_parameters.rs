//! A service that takes too much.

#[plux::service]
async fn clock(_: plux::ServiceContext, _: &(), _: u8) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

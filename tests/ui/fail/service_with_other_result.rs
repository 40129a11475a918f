//! A service that ends with something else.

#[plux::service]
async fn clock(_cx: plux::ServiceContext) -> Result<u8, plux::BoxError> {
    Ok(1)
}

fn main() {}

//! More milliseconds than can be counted.

#[plux::service(start_timeout = "9999999999999999h")]
async fn clock(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

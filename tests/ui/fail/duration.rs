//! Durations that are none.

#[plux::service(grace_period = "2 s", start_timeout = "10")]
async fn clock(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

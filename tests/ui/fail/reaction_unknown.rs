//! Reactions that are none.

#[plux::service(reaction = "restarts")]
async fn a(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

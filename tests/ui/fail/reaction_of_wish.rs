//! What is not required has no reaction.

#[plux::service(wants = [keep("cache")], after = ["log", stop("bus")])]
async fn a(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

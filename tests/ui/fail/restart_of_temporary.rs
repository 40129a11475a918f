//! What is never restarted asks to be.

#[plux::service(restart = "temporary", reaction = "restart")]
async fn a(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(reaction = "restart", restart = "temporary")]
async fn b(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(requires = ["bus", keep("log"), restart("queue")], restart = "temporary")]
async fn c(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

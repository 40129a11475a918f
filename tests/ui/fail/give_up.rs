//! Ways to give up that are none.

#[plux::service(give_up = "retry")]
async fn a(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(give_up = "cool_down 0s")]
async fn b(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(give_up = "cool_down")]
async fn c(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(give_up = "cool_down soon")]
async fn d(_cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    Ok(())
}

fn main() {}

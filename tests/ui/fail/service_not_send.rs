//! A service that can not move between threads.

#[plux::service]
async fn clock(cx: plux::ServiceContext) -> Result<(), plux::BoxError> {
    let one = std::rc::Rc::new(1);
    cx.stopping().await;
    drop(one);
    Ok(())
}

fn main() {}

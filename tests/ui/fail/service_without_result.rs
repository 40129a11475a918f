//! A service that says nothing of how it ended.

#[plux::service]
async fn clock(_cx: plux::ServiceContext) {}

fn main() {}

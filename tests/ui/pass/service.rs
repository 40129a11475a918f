//! A service of every form, with every key.

use std::sync::Arc;

use plux::{BoxError, Service, ServiceContext};

#[derive(Clone)]
pub struct Shop;

#[plux::extension_point(namespace = "ui.services", context = Shop, output = Arc<dyn Service>)]
pub trait ServicePlugin {
    fn port(&self) -> u16 {
        0
    }
}

#[plux::service]
async fn plain(cx: ServiceContext) -> Result<(), BoxError> {
    cx.ready(());
    Ok(())
}

/// A pattern, a named lifetime that is elided, a unit that is the context of `FnService`.
#[plux::service(
    name = "given",
    requires = ["plain", keep("cache"), stop("ui.services:in_shop"), restart("bus")],
    wants = ["ui.services:in_shop"],
    after = ["a"],
    grace_period = "none",
    start_timeout = "1m",
    restart = "permanent",
    backoff = "100ms..30s",
    stable_after = "10s",
    intensity = "5 in 60s",
    give_up = "cool_down 5m",
    reaction = "restart",
    watchdog = "1m",
    on_unhealthy = "restart",
    crate = ::plux,
)]
pub async fn long(
    mut _cx: plux::ServiceContext,
    (): &(),
) -> std::result::Result<(), plux::BoxError> {
    Ok(())
}

#[plux::service(extension = dyn ServicePlugin)]
async fn in_shop(cx: ServiceContext, _: &'_ Shop) -> Result<(), BoxError> {
    cx.ready(());
    Ok(())
}

#[plux::service(
    restart = "temporary",
    backoff = "none",
    intensity = "unlimited",
    give_up = "escalate",
    reaction = "stop"
)]
async fn once(cx: ServiceContext) -> Result<(), BoxError> {
    cx.ready(());
    Ok(())
}

#[plux::service(
    restart = "transient",
    backoff = "2s",
    intensity = "0 in 1h",
    give_up = "fail",
    reaction = "keep"
)]
async fn seldom(cx: ServiceContext) -> Result<(), BoxError> {
    cx.ready(());
    Ok(())
}

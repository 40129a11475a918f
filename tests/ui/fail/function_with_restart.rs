//! A function is not restarted.

#[plux::plugin(
    namespace = "ui.functions",
    requires = ["log", keep("cache")],
    restart = "temporary",
    backoff = "none",
    stable_after = "1s",
    intensity = "unlimited",
    give_up = "fail",
    reaction = "restart"
)]
fn show() {}

fn main() {}

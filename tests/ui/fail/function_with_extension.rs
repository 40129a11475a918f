//! A function can not be a plugin and make one.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[plux::plugin(namespace = "ui.functions", extension = dyn Point)]
async fn show(_: u8, _: u8) {}

fn main() {}

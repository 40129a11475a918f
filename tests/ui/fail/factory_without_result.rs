//! A factory that makes nothing.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[plux::plugin(extension = dyn Point)]
fn a() {}

fn main() {}

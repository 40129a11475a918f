//! A type from whose name none follows.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[derive(Default)]
struct Über;

#[plux::plugin]
impl Point for Über {}

fn main() {}

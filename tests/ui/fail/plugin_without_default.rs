//! A type that plux can not make.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

struct A;

#[plux::plugin]
impl Point for A {}

fn main() {}

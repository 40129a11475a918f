//! A type that can not be shared between threads.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[derive(Default)]
struct A(std::cell::Cell<u8>);

#[plux::plugin]
impl Point for A {}

fn main() {}

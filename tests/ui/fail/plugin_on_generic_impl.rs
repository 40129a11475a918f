//! A plugin is one type.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

#[derive(Default)]
struct A<T>(T);

#[plux::plugin(name = "a")]
impl<T: Send + Sync + 'static> Point for A<T> {}

fn main() {}

//! A trait that is no extension point.

trait Point {}

#[derive(Default)]
struct A;

#[plux::plugin]
impl Point for A {}

fn main() {}

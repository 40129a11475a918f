//! A plugin is an impl, not the type.

#[plux::plugin(name = "a")]
struct A;

fn main() {}

//! A plugin implements a trait.

struct A;

#[plux::plugin(name = "a")]
impl A {}

fn main() {}

//! A factory that does not say for what.

struct A;

#[plux::plugin]
fn a() -> A {
    A
}

fn main() {}

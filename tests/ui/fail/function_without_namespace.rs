//! A function that says neither what it makes nor where it belongs.

struct A;

#[plux::plugin]
fn a() -> A {
    A
}

fn main() {}

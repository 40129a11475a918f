//! A service of this attribute is a function.

#[plux::service]
struct Clock;

fn main() {}

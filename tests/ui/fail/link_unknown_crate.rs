//! A crate that is not there.

plux::link!(no_such_crate);

fn main() {}

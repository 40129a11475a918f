//! One mistake of a function plugin does not hide the next.

#[plux::plugin(namespace = "a b", load = 1, start_timeout = "1s", title = "a")]
extern "C" fn show(_: u8, _: u8) {}

fn main() {}

//! A function whose result is a part of its argument.

#[plux::plugin(namespace = "ui.functions")]
fn first(all: &str) -> &str {
    &all[..1]
}

fn main() {}

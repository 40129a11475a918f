//! A function that takes more than one argument.

#[plux::plugin(namespace = "ui.functions")]
fn add(a: &u8, b: &u8) -> u8 {
    a + b
}

fn main() {}

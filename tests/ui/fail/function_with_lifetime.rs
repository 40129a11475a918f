//! A function with a lifetime that it names.

#[plux::plugin(namespace = "ui.functions")]
fn show<'a>(it: &'a str) -> usize {
    it.len()
}

fn main() {}

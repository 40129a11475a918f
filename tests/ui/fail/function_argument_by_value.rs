//! A function that takes its argument by value.

#[plux::plugin(namespace = "ui.functions")]
fn show(it: String) -> usize {
    it.len()
}

fn main() {}

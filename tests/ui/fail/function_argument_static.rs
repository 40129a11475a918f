//! A function that keeps its argument for ever.

#[plux::plugin(namespace = "ui.functions")]
fn keep(it: &'static str) -> usize {
    it.len()
}

fn main() {}

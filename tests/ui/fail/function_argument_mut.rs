//! A function that changes its argument.

#[plux::plugin(namespace = "ui.functions")]
fn change(it: &mut String) {
    it.clear();
}

fn main() {}

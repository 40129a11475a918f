//! A function whose argument has no name.

#[plux::plugin(namespace = "ui.functions")]
fn show(it: &impl std::fmt::Display) -> String {
    it.to_string()
}

fn main() {}

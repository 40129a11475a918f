//! A function that could be called with any type.

#[plux::plugin(namespace = "ui.functions")]
fn show<T: std::fmt::Display>(it: &T) -> String {
    it.to_string()
}

fn main() {}

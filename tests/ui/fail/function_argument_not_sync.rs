//! An argument that can not be shared between threads.

#[plux::plugin(namespace = "ui.functions")]
fn show(it: &std::cell::Cell<u8>) -> u8 {
    it.get()
}

fn main() {}

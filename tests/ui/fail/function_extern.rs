//! A function of another language.

#[plux::plugin(namespace = "ui.functions")]
extern "C" fn show() -> u8 {
    1
}

fn main() {}

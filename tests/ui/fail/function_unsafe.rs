//! A function that not everybody may call.

#[plux::plugin(namespace = "ui.functions")]
unsafe fn show() -> u8 {
    1
}

fn main() {}

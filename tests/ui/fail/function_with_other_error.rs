//! An error that is none.

struct Wrong;

#[plux::plugin(namespace = "ui.functions")]
fn show() -> Result<u8, Wrong> {
    Err(Wrong)
}

fn main() {}

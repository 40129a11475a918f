//! A namespace of functions that is none.

#[plux::plugin(namespace = "ui functions")]
async fn show(_: &u8) -> u8 {
    1
}

fn main() {}

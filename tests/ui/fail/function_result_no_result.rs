//! A return type that is called `Result` and is none.

struct Result;

#[plux::plugin(namespace = "ui.functions")]
fn show() -> Result {
    Result
}

fn main() {}

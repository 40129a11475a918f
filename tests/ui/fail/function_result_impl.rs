//! A function whose result has no name.

#[plux::plugin(namespace = "ui.functions")]
fn show() -> Result<impl std::fmt::Display, std::fmt::Error> {
    Ok(1)
}

fn main() {}

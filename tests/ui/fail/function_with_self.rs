//! A method.

struct A;

impl A {
    #[plux::plugin(namespace = "ui.functions")]
    fn show(&self) -> u8 {
        1
    }
}

fn main() {}

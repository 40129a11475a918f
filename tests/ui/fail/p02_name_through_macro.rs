//! A bad name that comes through a macro: the error stands at the literal, not in the macro.

#[plux::extension_point(namespace = "ui.point")]
trait Point {}

macro_rules! named {
    ($name:literal, $requires:literal) => {
        #[derive(Default)]
        struct A;

        #[plux::plugin(name = $name, requires = [$requires])]
        impl Point for A {}
    };
}

named!("a b", "c:d:e");

fn main() {}

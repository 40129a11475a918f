//! A namespace of functions that comes through a macro.

macro_rules! functions {
    ($namespace:expr) => {
        #[plux::plugin(namespace = $namespace)]
        fn show() {}
    };
}

functions!("ui functions");

fn main() {}

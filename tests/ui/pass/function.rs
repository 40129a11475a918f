//! A function plugin of every form, with every key.

use std::fmt::Display;
use std::io;

use plux::{BoxError, Disabled};

pub struct Aws;

#[plux::plugin(namespace = "ui.functions")]
fn nothing() {}

#[plux::plugin(namespace = "ui.functions")]
async fn nothing_async() {}

#[plux::plugin(namespace = "ui.functions")]
fn plain(_: &Aws) -> u8 {
    1
}

#[plux::plugin(namespace = "ui.functions")]
const fn constant() -> &'static str {
    "a"
}

#[plux::plugin(
    namespace = "ui.functions",
    name = "given",
    requires = ["plain"],
    wants = ["other.place:name", "a"],
    after = [],
    should_load = hooks::wanted,
    load = self::hooks::Hooks::load,
    crate = plux,
)]
pub(crate) async fn everything(Aws: &'_ Aws) -> Result<u8, BoxError> {
    Ok(1)
}

#[plux::plugin(namespace = "ui.functions", load = crate::function::hooks::disabled)]
fn unsized_argument(text: &str) -> usize {
    text.len()
}

#[plux::plugin(namespace = "ui.functions")]
fn slice(all: &[Option<u8>]) -> Option<Vec<u8>> {
    all.iter().copied().collect()
}

#[plux::plugin(namespace = "ui.functions")]
async fn object(shown: &(dyn Display + Send + Sync)) -> io::Result<String> {
    std::future::ready(()).await;
    Ok(shown.to_string())
}

#[plux::plugin(namespace = "ui.functions")]
fn result_of_an_alias(mut text: &str) -> std::fmt::Result {
    text = text.trim();
    if text.is_empty() { Err(std::fmt::Error) } else { Ok(()) }
}

#[plux::plugin(namespace = "ui.functions")]
fn text_as_error(_: &u8) -> std::result::Result<(), &'static str> {
    Err("no")
}

pub type Outcome = Result<u8, u8>;

/// A result by another name is a value, whatever its error is.
#[plux::plugin(namespace = "ui.functions")]
pub async fn outcome() -> Outcome {
    Err(1)
}

/// The result can not move between threads; who calls it may need that.
#[plux::plugin(namespace = "ui.functions")]
fn rc() -> std::rc::Rc<u8> {
    std::rc::Rc::new(1)
}

#[plux::plugin(namespace = "ui.functions")]
fn boxes(_: &dyn Shown) -> Box<dyn Fn(&str) -> u8 + Send> {
    Box::new(|text| text.len() as u8)
}

pub trait Shown: Sync {}

/// Own keys of a function plugin, in modules and types.
mod hooks {
    use super::{BoxError, Disabled};

    pub(super) async fn wanted() -> Result<bool, BoxError> {
        Ok(true)
    }

    pub(super) async fn disabled() -> Result<(), Disabled> {
        Err(Disabled::because("it is not the day"))
    }

    pub(super) struct Hooks;

    impl Hooks {
        pub(super) async fn load() -> std::io::Result<()> {
            Ok(())
        }
    }
}

pub fn a_function_in_a_function() {
    struct Local;

    #[plux::plugin(namespace = "ui.functions")]
    fn local(_: &Local) -> Local {
        Local
    }
}

//! A plugin of every form, with every key.

use std::sync::Arc;

use plux::{BoxError, Service};

#[plux::extension_point(namespace = "ui.pass", context = u8, output = u16)]
pub trait Point {
    fn port(&self) -> u16 {
        0
    }
}

/// What yields services.
#[plux::extension_point(namespace = "ui.pass.serving", context = u8, output = Arc<dyn Service>)]
pub trait Serving {
    fn port(&self) -> u16 {
        0
    }
}

mod types {
    use super::{BoxError, Point};

    #[derive(Default)]
    pub(crate) struct Short;

    #[plux::plugin]
    impl Point for Short {
        async fn load(&self, context: &u8) -> Result<u16, BoxError> {
            Ok(u16::from(*context))
        }
    }
}

/// A plugin that a path names, of a trait that a path names.
#[plux::plugin(
    name = "given",
    requires = [keep("short")],
    wants = ["other.place:name", "a"],
    after = [],
    grace_period = "unlimited",
    start_timeout = "500ms",
    restart = "permanent",
    backoff = "2s",
    stable_after = "1m",
    intensity = "unlimited",
    give_up = "fail",
    reaction = "keep",
    crate = plux,
)]
impl super::plugin::Serving for Long<u8> {
    fn port(&self) -> u16 {
        1
    }

    async fn should_load(&self, _: &u8) -> Result<bool, BoxError> {
        Ok(true)
    }

    async fn load(&self, context: &u8) -> Result<Arc<dyn Service>, BoxError> {
        Err(format!("it serves nothing at {context}").into())
    }
}

#[derive(Default)]
struct Long<T>(T);

#[plux::plugin(extension = dyn Point)]
pub(crate) fn factory() -> types::Short {
    types::Short
}

#[plux::plugin(extension = dyn crate::plugin::Point, name = "with-error")]
fn fallible() -> Result<types::Short, std::num::ParseIntError> {
    "1".parse().map(|_: u8| types::Short)
}

#[plux::plugin(extension = dyn Point, name = "with-box-error")]
fn boxed() -> std::result::Result<impl Point, BoxError> {
    Ok(types::Short)
}

/// The longest name.
#[plux::plugin(
    extension = dyn Point,
    name = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
)]
fn long_name() -> types::Short {
    types::Short
}

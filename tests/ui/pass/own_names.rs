//! Items of the user's that are called like something generated code might name.
//!
//! Trap: `Box` is not among them; async-trait takes that from the prelude.

use ::plux::{BoxError, ServiceContext};

mod core {}
mod plux {}
mod std {}

pub struct Arc;
pub struct Option;
pub struct Service;
pub struct Send;

#[::plux::extension_point(namespace = "ui.names", context = Option, output = Arc)]
pub trait Plugin {}

#[derive(Default)]
struct Record;

#[::plux::plugin]
impl Plugin for Record {
    async fn load(&self, _: &Option) -> Result<Arc, BoxError> {
        Ok(Arc)
    }
}

#[::plux::plugin(extension = dyn Plugin)]
fn factory() -> Record {
    Record
}

#[::plux::service]
async fn context(cx: ServiceContext, _: &()) -> Result<(), BoxError> {
    cx.ready(());
    Ok(())
}

#[::plux::service]
async fn service(cx: ServiceContext) -> Result<(), BoxError> {
    cx.ready(());
    Ok(())
}

pub struct FnPlugin;

#[::plux::plugin(namespace = "ui.names.functions", should_load = wanted)]
async fn argument(private: &FnPlugin) -> Option {
    let _ = private;
    Option
}

#[::plux::plugin(namespace = "ui.names.functions")]
fn call() {}

async fn wanted() -> Result<bool, BoxError> {
    Ok(true)
}

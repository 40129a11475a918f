//! Every key, visibility, supertraits, methods of one's own.

use std::fmt::Debug;
use std::sync::Arc;

/// What plugins are given.
pub struct Context {
    pub answer: u32,
}

#[plux::extension_point(namespace = "ui.full", context = Context, output = Arc<dyn Debug + Send + Sync>)]
pub trait Full: Debug + Send {
    fn port(&self) -> u16;

    async fn answer(&self, context: &Context) -> u32 {
        context.answer
    }
}

#[plux::extension_point(namespace = "ui.plain")]
trait Plain {}

#[plux::extension_point(namespace = "9", context = (u8, Vec<(u8, u8)>), output = Result<(), u8>,)]
pub(crate) trait Nested: Sync + 'static {}

/// What it asks of `Self`, a function's plugin has not.
#[plux::extension_point(namespace = "ui.where")]
trait Bounded
where
    Self: Debug,
{
}

fn is_extension_point<P: plux::ExtensionPoint + ?Sized>() {}

pub fn every_trait_is_an_extension_point() {
    is_extension_point::<dyn Full>();
    is_extension_point::<dyn Plain>();
    is_extension_point::<dyn Nested>();
    is_extension_point::<dyn Bounded>();
}

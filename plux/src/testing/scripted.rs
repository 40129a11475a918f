//! The contract of scripted plugins, and what their services publish.

use std::sync::Arc;

use crate::service::Service;

/// The extension point of the probes: namespace `plux.testing`.
#[plux_macros::extension_point(
    namespace = "plux.testing",
    output = Arc<dyn Service>,
    crate = crate
)]
pub trait Scripted {}

/// What a probe publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// The run that published it.
    pub incarnation: u32,
}

//! Watching: the listener's contract, the fan-out to listeners, and one that writes to `tracing`.

mod contract;

mod hub;

mod log;

pub use contract::Listener;
pub(crate) use hub::Hub;
pub use log::Tracing;

//! The listener that writes to `tracing`.

use tracing::{debug, error, info, warn};

use super::contract::Listener;
use crate::event::{Event, EventKind};
use crate::health::Health;
use crate::state::ServiceState;

/// Writes every event as one line to [`tracing`]: failures as errors, what was loaded or disabled
/// and the moves of services as info, the steps between as debug.
///
/// ```
/// # use plux::Listener;
/// let listener: Box<dyn Listener> = Box::new(plux::Tracing);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Tracing;

impl Listener for Tracing {
    fn on_event(&self, event: &Event) {
        let (number, id) = (event.number, &event.id);
        match &event.kind {
            EventKind::Resolved(origin) => debug!(number, %id, %origin, "resolved"),
            EventKind::ResolveFailed(why) => error!(number, %id, "{why}"),
            EventKind::Initialized => debug!(number, %id, "initialized"),
            EventKind::InitFailed(failure) | EventKind::LoadFailed(failure) => {
                error!(number, %id, "{failure}");
            }
            EventKind::LoadStarted => debug!(number, %id, "load started"),
            EventKind::Loaded => info!(number, %id, "loaded"),
            EventKind::Disabled(reason) => info!(number, %id, "disabled: {reason}"),
            EventKind::Skipped(because) => info!(number, %id, "skipped because of {because}"),
            EventKind::Added(origin) => info!(number, %id, %origin, "added"),
            EventKind::Removed => info!(number, %id, "removed"),
            EventKind::Service { state: ServiceState::Failed(why), incarnation } => {
                warn!(number, %id, incarnation, "failed: {why}");
            }
            EventKind::Health { health: Health::Healthy, incarnation } => {
                info!(number, %id, incarnation, "healthy");
            }
            EventKind::Health { health, incarnation } => {
                warn!(number, %id, incarnation, "{health}");
            }
            EventKind::StopFailed { exit, incarnation } => {
                warn!(number, %id, incarnation, "the stop failed: {exit}");
            }
            EventKind::Service { state, incarnation } => {
                info!(number, %id, incarnation, "{state}");
            }
        }
    }
}

//! Snapshots for people and programs.

use std::sync::Arc;

use crate::health::Health;
use crate::incarnation::Incarnation;
use crate::name::PluginId;
use crate::origin::Origin;
use crate::state::ServiceState;

use super::shell::Child;

/// One service as it stands; a copy.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServiceStatus {
    /// The service.
    pub id: PluginId,
    /// Where it was registered.
    pub origin: Origin,
    /// Where it stands.
    pub state: ServiceState,
    /// The number of its newest run; 0 before the first.
    pub incarnation: u32,
    /// What its present run has last [said](crate::ServiceContext::status) of what it does.
    pub text: Option<Arc<str>>,
    /// How well its present run says that it is; healthy without one.
    pub health: Health,
}

/// What is seen of a service under a lock. The run in it may be the last handle of the user's: it goes
/// after the lock.
pub(crate) struct Seen {
    id: PluginId,
    origin: Origin,
    state: ServiceState,
    incarnation: u32,
    run: Option<Arc<Incarnation>>,
}

impl Seen {
    pub(crate) fn of(child: &Child) -> Self {
        let (state, incarnation, run) = child.state();
        Self { id: child.spec.id(), origin: child.spec.origin(), state, incarnation, run }
    }

    pub(crate) fn status(self) -> ServiceStatus {
        let Self { id, origin, state, incarnation, run } = self;
        let (text, health) = run.map(|run| run.told()).unwrap_or_default();
        ServiceStatus { id, origin, state, incarnation, text, health }
    }
}

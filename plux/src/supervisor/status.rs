//! Snapshots for people and programs.

use std::sync::Arc;

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
}

impl ServiceStatus {
    pub(crate) fn of(child: &Child) -> Self {
        let (state, incarnation, run) = child.state();
        let text = run.and_then(|run| run.text());
        Self { id: child.spec.id(), origin: child.spec.origin(), state, incarnation, text }
    }
}

//! How well a run says that it is, and what is made of it. Pure data.

use std::fmt;
use std::sync::Arc;

/// How well a run is, by its own account: apart from its state, and gone with it.
///
/// ```
/// use plux::Health;
///
/// let health = Health::Degraded("2 of 3 replicas answer".into());
/// assert_eq!(health.to_string(), "degraded: 2 of 3 replicas answer");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// It has nothing to complain of.
    #[default]
    Healthy,
    /// It serves, and not as well as it should, for this reason.
    Degraded(Arc<str>),
    /// It does not serve as it should, for this reason.
    Unhealthy(Arc<str>),
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Healthy => f.write_str("healthy"),
            Self::Degraded(reason) => write!(f, "degraded: {reason}"),
            Self::Unhealthy(reason) => write!(f, "unhealthy: {reason}"),
        }
    }
}

impl Health {
    /// Why it is unhealthy, if it is.
    pub(crate) fn unhealthy(&self) -> Option<&Arc<str>> {
        match self {
            Self::Unhealthy(reason) => Some(reason),
            _ => None,
        }
    }
}

/// What becomes of a running service that says that it is [unhealthy](Health::Unhealthy).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnUnhealthy {
    /// It goes on, and can be seen to be so.
    Ignore,
    /// It is stopped, and has failed; its [`RestartPolicy`](crate::RestartPolicy) has it restarted.
    Restart,
}

//! The states of plugins and services, and why they are in them. Pure data.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{LoadFailure, ServiceFailure};
use crate::name::PluginId;
use crate::reason::{StopReason, Stopped};

/// Where a plugin stands.
///
/// ```text
/// resolved ─► initialized ─► loading ─► loaded
///    │              │            │
///    └──────────────┴────────────┴────► disabled · failed · skipped
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum PluginState {
    /// Known; none of its code has run.
    Resolved,
    /// Its factory has run.
    Initialized,
    /// `load` is running.
    Loading,
    /// Its output is there.
    Loaded,
    /// It did not want to load, or a filter refused it.
    Disabled(Arc<str>),
    /// A phase failed.
    Failed(Arc<LoadFailure>),
    /// What it requires is not there.
    Skipped(PluginId),
}

impl fmt::Display for PluginState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolved => f.write_str("resolved"),
            Self::Initialized => f.write_str("initialized"),
            Self::Loading => f.write_str("loading"),
            Self::Loaded => f.write_str("loaded"),
            Self::Disabled(reason) => write!(f, "disabled: {reason}"),
            Self::Failed(failure) => write!(f, "failed: {failure}"),
            Self::Skipped(because) => write!(f, "skipped because of {because}"),
        }
    }
}

/// Where a service stands.
///
/// ```text
/// stopped ─► waiting ─► starting ─► running ─► stopping ─► stopped
///    └───────────────────►┘▲│          │           │
///                          ││          │           │
///               backoff ───┘└──────────┴───────────┴─────► failed
///                  ▲        │          │                     │
///                  └────────┴──────────┘ ◄───────────────────┘ disabled
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ServiceState {
    /// It does not run.
    Stopped(Stopped),
    /// It is to start as soon as what it depends on allows.
    Waiting,
    /// It has failed, or completed, and is restarted after a delay.
    Backoff {
        /// What is restarted.
        cause: Arc<ServiceFailure>,
        /// How long that waits, counted from then.
        delay: Duration,
    },
    /// Its plugin loads, or it runs and is not ready yet.
    Starting,
    /// It is ready.
    Running,
    /// It was told to stop.
    Stopping(StopReason),
    /// It ended in a failure; the cause is kept until the next start.
    Failed(Arc<ServiceFailure>),
    /// Its plugin did not want to load, or a filter refused it.
    Disabled(Arc<str>),
}

impl ServiceState {
    /// The state's word, without its reason.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Stopped(_) => "stopped",
            Self::Waiting => "waiting",
            Self::Backoff { .. } => "backoff",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping(_) => "stopping",
            Self::Failed(_) => "failed",
            Self::Disabled(_) => "disabled",
        }
    }

    /// Whether an incarnation of it is alive.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Stopping(_))
    }
}

impl fmt::Display for ServiceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(why) => write!(f, "stopped ({why})"),
            Self::Stopping(reason) => write!(f, "stopping ({reason})"),
            Self::Backoff { cause, delay } => write!(f, "backoff for {delay:?}: {cause}"),
            Self::Failed(failure) => write!(f, "failed: {failure}"),
            Self::Disabled(reason) => write!(f, "disabled: {reason}"),
            other => f.write_str(other.word()),
        }
    }
}

//! What goes wrong with services: one enum per call of the supervisor, and what its states carry.
//! Each error names the service, the place of its registration and the way out.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::plugin::{GraphError, LoadError, Near, SharedError};
use super::text::{List, debug_as_text};
use crate::name::Name;
use crate::origin::Origin;
use crate::reason::{Phase, StopReason};
use crate::task::Panic;

/// Why a service may be missing.
pub(super) const NOT_LINKED: &str =
    "; is its manager given to the supervisor, and its crate named with plux::link!?";

/// How a service's run ended. An error of the user's is its [`source`](Error::source), as the type that
/// it is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Exit {
    /// It returned without an error.
    Completed,
    /// It returned an error.
    Failed(SharedError),
    /// It panicked, or a task of its did.
    Panicked(Panic),
    /// Its grace period was over, and it was dropped.
    Aborted,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed => f.write_str("completed"),
            Self::Failed(error) => error.fmt(f),
            Self::Panicked(panic) => panic.fmt(f),
            Self::Aborted => f.write_str("aborted"),
        }
    }
}

impl Error for Exit {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => Some(&**error),
            _ => None,
        }
    }
}

/// Why a service is in the state `failed`.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceFailure {
    /// Its plugin did not load.
    #[error("its plugin did not load: {0}")]
    Load(#[source] LoadError),
    /// It ended before it was ready.
    #[error("it ended before it was ready: {0}")]
    BeforeReady(#[source] Exit),
    /// It was not ready in time.
    #[error(
        "it was not ready within {timeout:?}, and still in its `{reached}`; start_timeout sets the time"
    )]
    StartTimeout {
        /// The time it had.
        timeout: Duration,
        /// How far it had come.
        reached: Phase,
    },
    /// It missed its heartbeats.
    #[error(
        "it had no heartbeat for {watchdog:?}; call ServiceContext::heartbeat more often, or set a longer \
         watchdog"
    )]
    Watchdog {
        /// The time it had from one to the next.
        watchdog: Duration,
    },
    /// It said that it was unhealthy, and that is not ignored.
    #[error("it was unhealthy: {reason}; with OnUnhealthy::Ignore it would go on")]
    Unhealthy {
        /// Why.
        reason: Arc<str>,
    },
    /// It had been ready, and ended.
    #[error(transparent)]
    Exit(Exit),
    /// It needed more restarts than its intensity allows.
    #[error("it was given up after {}{} within {period:?}{}: {source}", counted(*.restarts), of_group(.group), tried_again(.again))]
    GaveUp {
        /// How many restarts it had.
        restarts: u32,
        /// Within which time.
        period: Duration,
        /// The group whose restarts they were; none, when they were its own.
        group: Option<Arc<str>>,
        /// When it is tried again, counted from then; never, without a cool-down.
        again: Option<Duration>,
        /// What it failed with last.
        source: Arc<ServiceFailure>,
    },
    /// It did not end within the join bound of its stop.
    #[error(
        "it was aborted and did not end within the join timeout; it can be started again once it has"
    )]
    Leaked,
}

fn counted(restarts: u32) -> String {
    format!("{restarts} restart{}", if restarts == 1 { "" } else { "s" })
}

fn of_group(group: &Option<Arc<str>>) -> String {
    group.as_ref().map(|group| format!(" of its group `{group}`")).unwrap_or_default()
}

fn tried_again(after: &Option<Duration>) -> String {
    after.map(|after| format!(", and is tried again after {after:?}")).unwrap_or_default()
}

/// Why a start did not lead to a running service.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No service of that name.
    #[error("no service `{name}`{near}{NOT_LINKED}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// Names like it.
        near: Near,
    },
    /// Its place in the graph makes it unusable.
    #[error(transparent)]
    Graph(#[from] Arc<GraphError>),
    /// It, or one that it requires, failed to start.
    #[error("`{name}` did not start: `{culprit}` (registered at {origin}): {source}")]
    Failed {
        /// The service that was asked for.
        name: Name,
        /// The one that failed.
        culprit: Name,
        /// Where that was registered.
        origin: Origin,
        /// Why.
        source: Arc<ServiceFailure>,
    },
    /// It, or one that it requires, is disabled.
    #[error(
        "`{name}` did not start: `{culprit}` (registered at {origin}) is disabled: {reason}; \
         PluginManager::reconsider has it asked again"
    )]
    Disabled {
        /// The service that was asked for.
        name: Name,
        /// The one that is disabled.
        culprit: Name,
        /// Where that was registered.
        origin: Origin,
        /// Why.
        reason: Arc<str>,
    },
    /// A stop came first.
    #[error(
        "`{name}` was stopped while it was starting, by a stop of `{by}` (registered at {origin}): \
         {reason}"
    )]
    Stopped {
        /// The service that was asked for.
        name: Name,
        /// The one whose stop cancelled the start.
        by: Name,
        /// Where that was registered.
        origin: Origin,
        /// Why that was stopped.
        reason: StopReason,
    },
    /// It, or one that it requires, has leaked work that still runs.
    #[error(
        "`{name}` can not start: `{culprit}` (registered at {origin}) was aborted and has not ended \
         since; start it again once it has"
    )]
    Leaked {
        /// The service that was asked for.
        name: Name,
        /// The one that leaked.
        culprit: Name,
        /// Where that was registered.
        origin: Origin,
    },
    /// The supervisor shuts down, or has.
    #[error("`{name}` can not start: the supervisor is shut down")]
    Shutdown {
        /// The service that was asked for.
        name: Name,
    },
    /// A service waits for its own end.
    #[error(
        "waiting for the start of `{name}` (registered at {origin}) from within it, or from within \
         what ends before it, would be waiting for its own end; start it from a task that is not the service's"
    )]
    OwnEnd {
        /// The service whose start was to be waited for.
        name: Name,
        /// Where that was registered.
        origin: Origin,
    },
}

/// Why a service was not stopped, or its end not waited for.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// No service of that name.
    #[error("no service `{name}`{near}{NOT_LINKED}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// Names like it.
        near: Near,
    },
    /// A service waits for its own end.
    #[error(
        "waiting for the end of `{name}` (registered at {origin}) from within it, or from within what \
         ends before it, would be waiting for its own end; use the request_ form, which does not wait"
    )]
    OwnEnd {
        /// The service whose end was to be waited for.
        name: Name,
        /// Where that was registered.
        origin: Origin,
    },
    /// Others would have to stop for it.
    #[error(
        "`{name}` (registered at {origin}) is required by what is up or on its way there: {}; stop \
         stops these too",
        List(dependents)
    )]
    InUse {
        /// The service that was to be stopped.
        name: Name,
        /// Where that was registered.
        origin: Origin,
        /// Who requires it, directly or through others, the nearest first.
        dependents: Vec<Name>,
    },
    /// It did not end within the join bound.
    #[error(
        "`{name}` (registered at {origin}) was aborted and did not end within the join timeout; \
         nobody waits for it any more"
    )]
    Leaked {
        /// The service that leaked.
        name: Name,
        /// Where that was registered.
        origin: Origin,
    },
}

/// Why a service was not restarted.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RestartError {
    /// It was stopped, if it ran, and did not start again.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A service waits for its own end.
    #[error(
        "waiting for the restart of `{name}` (registered at {origin}) from within it, or from within \
         what ends before it, would be waiting for its own end; use request_restart"
    )]
    OwnEnd {
        /// The service whose restart was asked for.
        name: Name,
        /// Where that was registered.
        origin: Origin,
    },
}

/// Why a supervisor could not be run until a signal.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The signals can not be listened to.
    #[error("SIGINT and SIGTERM can not be listened to: {0}")]
    Signals(#[source] std::io::Error),
    /// A service called it.
    #[error(transparent)]
    Stop(#[from] StopError),
}

/// Why there is no handle, or it can not be used.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError {
    /// No service of that name.
    #[error("no service `{name}`{near}{NOT_LINKED}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// Names like it.
        near: Near,
    },
    /// It is not ready.
    #[error("`{name}` (registered at {origin}) is not ready; start it first")]
    NotReady {
        /// The service.
        name: Name,
        /// Where it was registered.
        origin: Origin,
    },
    /// It published something else.
    #[error(
        "`{name}` (registered at {origin}) published a {published}, not a {expected}; \
         ask for what its `ready` is given"
    )]
    Type {
        /// The service.
        name: Name,
        /// Where it was registered.
        origin: Origin,
        /// What was published.
        published: &'static str,
        /// What was asked for.
        expected: &'static str,
    },
    /// The incarnation that published it has ended.
    #[error(
        "the incarnation {incarnation} of `{name}` (registered at {origin}) has ended; \
         get a new handle"
    )]
    Ended {
        /// The service.
        name: Name,
        /// Where it was registered.
        origin: Origin,
        /// The incarnation.
        incarnation: u32,
    },
    /// A service asked for a dependency that it does not declare.
    #[error(
        "`{name}` (registered at {origin}) does not depend on `{dependency}`; \
         add it to its `requires`"
    )]
    NotADependency {
        /// The service that asked.
        name: Name,
        /// Where that was registered.
        origin: Origin,
        /// What it asked for.
        dependency: String,
    },
}

debug_as_text!(StartError StopError RestartError RunError HandleError);

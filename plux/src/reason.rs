//! The words that errors and states share: phases, and why a service stops. Pure data.

use std::fmt;
use std::sync::Arc;

/// The part of a plugin's way that something happened in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Matching the spec to the manager's extension point.
    Resolve,
    /// Asking the filters about the spec.
    BeforeInit,
    /// Running the factory.
    Init,
    /// Asking the filters about the initialized plugin.
    BeforeLoad,
    /// Asking `should_load`.
    ShouldLoad,
    /// Running `load`.
    Load,
    /// Running a service that is not ready yet.
    Run,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "resolve",
            Self::BeforeInit => "before_init",
            Self::Init => "init",
            Self::BeforeLoad => "before_load",
            Self::ShouldLoad => "should_load",
            Self::Load => "load",
            Self::Run => "run",
        })
    }
}

/// Why a service was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// Somebody asked for it by name.
    Asked,
    /// Something it requires stops.
    Dependency,
    /// It is to be started anew.
    Restart,
    /// The supervisor shuts down.
    Shutdown,
    /// Nobody holds it any more.
    Unneeded,
    /// It was not ready in time.
    StartTimeout,
    /// Another one of its group has failed.
    Group,
    /// It has missed its heartbeats.
    Watchdog,
    /// It is unhealthy.
    Health,
}

impl StopReason {
    /// All of them, in the order of their codes.
    const ALL: [Self; 9] = [
        Self::Asked,
        Self::Dependency,
        Self::Restart,
        Self::Shutdown,
        Self::Unneeded,
        Self::StartTimeout,
        Self::Group,
        Self::Watchdog,
        Self::Health,
    ];

    /// What stands for it where there is one byte; never 0.
    pub(crate) fn code(self) -> u8 {
        self as u8 + 1
    }

    /// The one of that code.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code).checked_sub(1)?).copied()
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asked => "asked",
            Self::Dependency => "dependency",
            Self::Restart => "restart",
            Self::Shutdown => "shutdown",
            Self::Unneeded => "unneeded",
            Self::StartTimeout => "start_deadline",
            Self::Group => "group",
            Self::Watchdog => "watchdog",
            Self::Health => "health",
        })
    }
}

/// Why a service is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stopped {
    /// It has never been started.
    NeverStarted,
    /// Somebody asked for it by name.
    Asked,
    /// Something it requires was stopped.
    Dependency,
    /// It is to be started anew.
    Restart,
    /// Nobody held it any more.
    Unneeded,
    /// Another one of its group has failed.
    Group,
    /// The supervisor was shut down.
    Shutdown,
    /// It had been ready, and ended by itself without an error.
    Completed,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeverStarted => "never started",
            Self::Asked => "asked",
            Self::Dependency => "dependency",
            Self::Restart => "restart",
            Self::Unneeded => "unneeded",
            Self::Group => "group",
            Self::Shutdown => "shutdown",
            Self::Completed => "completed",
        })
    }
}

/// What a service may end with to say that another run would not help: it is left failed, whatever its
/// [`RestartPolicy`](crate::RestartPolicy).
///
/// ```
/// use plux::{BoxError, Fatal, ServiceContext};
///
/// async fn serve(cx: ServiceContext) -> Result<(), BoxError> {
///     let key = std::env::var("LICENCE_KEY").map_err(Fatal::because)?;
///     cx.ready(key);
///     cx.stopping().await;
///     Ok(())
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[error("fatal: {source}")]
pub struct Fatal {
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Fatal {
    /// Says why.
    pub fn because(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: error.into() }
    }
}

/// What `load` (or `should_load`) may fail with to say that the plugin does not want to be loaded.
/// That is no failure: the plugin is disabled, and the reason is kept.
///
/// ```
/// use plux::{BoxError, Disabled};
///
/// fn key() -> Result<String, BoxError> {
///     std::env::var("NO_SUCH_KEY").map_err(|_| Disabled::because("NO_SUCH_KEY is not set").into())
/// }
/// assert!(key().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("disabled: {reason}")]
pub struct Disabled {
    reason: Arc<str>,
}

impl Disabled {
    /// Says why.
    pub fn because(reason: impl Into<Arc<str>>) -> Self {
        Self { reason: reason.into() }
    }

    pub(crate) fn into_reason(self) -> Arc<str> {
        self.reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_to_stop_is_found_by_its_code() {
        for reason in StopReason::ALL {
            match reason {
                // Whoever adds one here adds it there.
                StopReason::Asked
                | StopReason::Dependency
                | StopReason::Restart
                | StopReason::Shutdown
                | StopReason::Unneeded
                | StopReason::StartTimeout
                | StopReason::Group
                | StopReason::Watchdog
                | StopReason::Health => {}
            }
            assert_eq!(StopReason::from_code(reason.code()), Some(reason));
        }
        assert_eq!(StopReason::from_code(0), None);
    }
}

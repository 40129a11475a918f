//! What can be set for one service. Pure data.

use std::time::Duration;

/// How long a service may take to stop after it was told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GracePeriod {
    /// At most this long; zero aborts at once.
    Bounded(Duration),
    /// Until it ends by itself; the supervisor then needs a `shutdown_timeout`.
    Unlimited,
}

impl From<Duration> for GracePeriod {
    fn from(time: Duration) -> Self {
        Self::Bounded(time)
    }
}

/// How long a service may take to become ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartTimeout {
    /// At most this long.
    Bounded(Duration),
    /// Until it is ready, or ends.
    Unlimited,
}

impl From<Duration> for StartTimeout {
    fn from(time: Duration) -> Self {
        Self::Bounded(time)
    }
}

/// What is set for one service, by its attribute or by the host; what is not set is left to the next
/// in line: see [`SupervisorBuilder`](crate::SupervisorBuilder).
///
/// ```
/// use std::time::Duration;
/// use plux::{GracePeriod, ServiceOptions, StartTimeout};
///
/// const PATIENT: ServiceOptions = ServiceOptions::NONE
///     .with_grace_period(GracePeriod::Bounded(Duration::from_secs(60)))
///     .with_start_timeout(StartTimeout::Unlimited);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceOptions {
    /// From the stop signal to the abort.
    pub grace_period: Option<GracePeriod>,
    /// From the beginning of an attempt to readiness.
    pub start_timeout: Option<StartTimeout>,
}

impl ServiceOptions {
    /// Nothing set.
    pub const NONE: Self = Self { grace_period: None, start_timeout: None };

    /// Sets the time from the stop signal to the abort.
    #[must_use]
    pub const fn with_grace_period(mut self, period: GracePeriod) -> Self {
        self.grace_period = Some(period);
        self
    }

    /// Sets the time from the beginning of an attempt to readiness.
    #[must_use]
    pub const fn with_start_timeout(mut self, timeout: StartTimeout) -> Self {
        self.start_timeout = Some(timeout);
        self
    }

    /// What is set here, or else in `other`.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            grace_period: self.grace_period.or(other.grace_period),
            start_timeout: self.start_timeout.or(other.start_timeout),
        }
    }
}

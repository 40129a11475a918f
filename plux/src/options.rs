//! What can be set for one service. Pure data.

use std::time::Duration;

use crate::health::OnUnhealthy;
use crate::restart::{Backoff, GiveUp, Intensity, Reaction, RestartPolicy};

/// How long a service may take to stop after it was told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// After which ends it is started again.
    pub restart: Option<RestartPolicy>,
    /// How long a restart waits.
    pub backoff: Option<Backoff>,
    /// How long a run must have been ready for the count of failures to begin anew.
    pub stable_after: Option<Duration>,
    /// How many restarts it may need.
    pub intensity: Option<Intensity>,
    /// What becomes of it when it needs more.
    pub give_up: Option<GiveUp>,
    /// What happens to it when one that it requires has ended and the edge to that says nothing.
    pub reaction: Option<Reaction>,
    /// From a heartbeat until it has failed, unless there is another one.
    pub watchdog: Option<Duration>,
    /// What becomes of it while it runs and is unhealthy.
    pub on_unhealthy: Option<OnUnhealthy>,
}

impl ServiceOptions {
    /// Nothing set.
    pub const NONE: Self = Self {
        grace_period: None,
        start_timeout: None,
        restart: None,
        backoff: None,
        stable_after: None,
        intensity: None,
        give_up: None,
        reaction: None,
        watchdog: None,
        on_unhealthy: None,
    };

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

    /// Sets after which ends it is started again.
    #[must_use]
    pub const fn with_restart(mut self, policy: RestartPolicy) -> Self {
        self.restart = Some(policy);
        self
    }

    /// Sets how long a restart waits.
    #[must_use]
    pub const fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
        self
    }

    /// Sets how long a run must have been ready for the count of failures to begin anew.
    #[must_use]
    pub const fn with_stable_after(mut self, time: Duration) -> Self {
        self.stable_after = Some(time);
        self
    }

    /// Sets how many restarts it may need.
    #[must_use]
    pub const fn with_intensity(mut self, intensity: Intensity) -> Self {
        self.intensity = Some(intensity);
        self
    }

    /// Sets what becomes of it when it needs more restarts than that.
    #[must_use]
    pub const fn with_give_up(mut self, give_up: GiveUp) -> Self {
        self.give_up = Some(give_up);
        self
    }

    /// Sets what happens to it when one that it requires has ended and the edge to that says nothing.
    #[must_use]
    pub const fn with_reaction(mut self, reaction: Reaction) -> Self {
        self.reaction = Some(reaction);
        self
    }

    /// Sets the time from a [heartbeat](crate::ServiceContext::heartbeat) until the service has failed,
    /// unless there is another one.
    #[must_use]
    pub const fn with_watchdog(mut self, time: Duration) -> Self {
        self.watchdog = Some(time);
        self
    }

    /// Sets what becomes of it while it runs and is [unhealthy](crate::Health::Unhealthy).
    #[must_use]
    pub const fn with_on_unhealthy(mut self, then: OnUnhealthy) -> Self {
        self.on_unhealthy = Some(then);
        self
    }

    /// What is set here, or else in `other`.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            grace_period: self.grace_period.or(other.grace_period),
            start_timeout: self.start_timeout.or(other.start_timeout),
            restart: self.restart.or(other.restart),
            backoff: self.backoff.or(other.backoff),
            stable_after: self.stable_after.or(other.stable_after),
            intensity: self.intensity.or(other.intensity),
            give_up: self.give_up.or(other.give_up),
            reaction: self.reaction.or(other.reaction),
            watchdog: self.watchdog.or(other.watchdog),
            on_unhealthy: self.on_unhealthy.or(other.on_unhealthy),
        }
    }
}

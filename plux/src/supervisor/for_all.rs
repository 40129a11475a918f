//! What can be set for all services at once.

use std::time::Duration;

use crate::health::OnUnhealthy;
use crate::options::{GracePeriod, StartTimeout};
use crate::restart::{Backoff, GiveUp, Intensity, Reaction, RestartPolicy};

use super::builder::SupervisorBuilder;

/// For services that neither the host, by name, nor their attribute sets something else for.
impl SupervisorBuilder {
    /// The time from the stop signal to the abort; 10 s unless set, zero aborts at once.
    pub fn grace_period(mut self, time: impl Into<GracePeriod>) -> Self {
        self.defaults.grace_period = Some(time.into());
        self
    }

    /// The time from the beginning of an attempt to readiness; 30 s unless set.
    pub fn start_timeout(mut self, time: impl Into<StartTimeout>) -> Self {
        self.defaults.start_timeout = Some(time.into());
        self
    }

    /// After which ends a service is started again; [`RestartPolicy::Transient`] unless set.
    pub fn restart(mut self, policy: RestartPolicy) -> Self {
        self.defaults.restart = Some(policy);
        self
    }

    /// How long a restart waits; from 100 ms, doubled up to 30 s, unless set.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.defaults.backoff = Some(backoff);
        self
    }

    /// How long a run must have been ready for the count of failures to begin anew; 10 s unless set.
    pub fn stable_after(mut self, time: Duration) -> Self {
        self.defaults.stable_after = Some(time);
        self
    }

    /// How many restarts a service may need; 5 within a minute unless set.
    pub fn intensity(mut self, intensity: Intensity) -> Self {
        self.defaults.intensity = Some(intensity);
        self
    }

    /// What becomes of a service that needs more; [`GiveUp::Fail`] unless set.
    pub fn give_up(mut self, give_up: GiveUp) -> Self {
        self.defaults.give_up = Some(give_up);
        self
    }

    /// What happens to a service when one that it requires has ended; [`Reaction::Restart`] unless set,
    /// and [`Reaction::Stop`] for one that is [`RestartPolicy::Temporary`].
    pub fn reaction(mut self, reaction: Reaction) -> Self {
        self.defaults.reaction = Some(reaction);
        self
    }

    /// The time from a [heartbeat](crate::ServiceContext::heartbeat), or from readiness, until a service
    /// has failed, unless there is another one; none unless set.
    pub fn watchdog(mut self, time: Duration) -> Self {
        self.defaults.watchdog = Some(time);
        self
    }

    /// What becomes of a running service that is [unhealthy](crate::Health::Unhealthy);
    /// [`OnUnhealthy::Ignore`] unless set.
    pub fn on_unhealthy(mut self, then: OnUnhealthy) -> Self {
        self.defaults.on_unhealthy = Some(then);
        self
    }
}

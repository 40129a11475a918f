//! The options of a service with every gap filled: the table of built-in defaults.

use std::time::Duration;

use crate::error::BuildProblem;
use crate::health::OnUnhealthy;
use crate::options::{GracePeriod, ServiceOptions, StartTimeout};
use crate::restart::{Backoff, GiveUp, Intensity, Reaction, RestartPolicy};
use crate::spec::{Dependency, DependencyKind, PluginSpec};

use super::core::Limits;

const SECOND: Duration = Duration::from_secs(1);

impl Limits {
    /// What is set, and the built-in default for the rest.
    pub(super) fn of(options: ServiceOptions) -> Self {
        let restart = options.restart.unwrap_or(RestartPolicy::Transient);
        let reaction = match restart {
            // It is not started again for another's sake either.
            RestartPolicy::Temporary => Reaction::Stop,
            _ => Reaction::Restart,
        };
        Self {
            grace_period: options.grace_period.unwrap_or(GracePeriod::Bounded(10 * SECOND)),
            start_timeout: match options.start_timeout {
                None => Some(30 * SECOND),
                Some(StartTimeout::Bounded(time)) => Some(time),
                Some(StartTimeout::Unlimited) => None,
            },
            restart,
            backoff: options.backoff.unwrap_or(Backoff::exponential(SECOND / 10, 30 * SECOND)),
            stable_after: options.stable_after.unwrap_or(10 * SECOND),
            intensity: options.intensity.unwrap_or(Intensity::new(5, 60 * SECOND)),
            give_up: options.give_up.unwrap_or(GiveUp::Fail),
            reaction: options.reaction.unwrap_or(reaction),
            watchdog: options.watchdog,
            on_unhealthy: options.on_unhealthy.unwrap_or(OnUnhealthy::Ignore),
        }
    }
}

impl Limits {
    /// Adds what can not work for the service of `spec`. `bounded` says that something bounds the whole shutdown.
    pub(super) fn check(&self, spec: &PluginSpec, bounded: bool, problems: &mut Vec<BuildProblem>) {
        let (name, origin) = (|| spec.name().clone(), spec.origin());
        let mut zero = |option, way_out| {
            problems.push(BuildProblem::ZeroTime { name: name(), origin, option, way_out });
        };
        if self.intensity.lacks_period() {
            zero("an intensity period", "set one, or Intensity::UNLIMITED");
        }
        if self.give_up == GiveUp::CoolDown(Duration::ZERO) {
            zero("a cool-down", "set one, or Intensity::UNLIMITED");
        }
        if self.start_timeout == Some(Duration::ZERO) {
            zero("a start_timeout", "set one, or StartTimeout::Unlimited");
        }
        if self.watchdog == Some(Duration::ZERO) {
            zero("a watchdog", "set a time, or none");
        }
        let restarts = |edge: &Dependency| {
            edge.kind == DependencyKind::Requires && edge.reaction == Some(Reaction::Restart)
        };
        let restarts =
            self.reaction == Reaction::Restart || spec.dependencies().iter().any(restarts);
        if self.restart == RestartPolicy::Temporary && restarts {
            problems.push(BuildProblem::RestartOfTemporary { name: name(), origin });
        }
        if self.grace_period == GracePeriod::Unlimited && !bounded {
            problems.push(BuildProblem::UnlimitedGrace { name: name(), origin });
        }
        for (requirement, reactions) in spec.two_reactions() {
            problems.push(BuildProblem::TwoReactions {
                name: name(),
                origin,
                requirement,
                reactions,
            });
        }
    }
}

//! What bounds one service, how often it has failed, and whether that allows another attempt.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Exit, ServiceFailure};
use crate::health::OnUnhealthy;
use crate::options::GracePeriod;
use crate::restart::{Backoff, GiveUp, Intensity, Reaction, RestartPolicy};
use crate::state::ServiceState;

use super::ending::{Ending, is_fatal};

/// The bounds of one service, and what is to be done when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Limits {
    pub(crate) grace_period: GracePeriod,
    pub(crate) start_timeout: Option<Duration>,
    pub(crate) restart: RestartPolicy,
    pub(crate) backoff: Backoff,
    pub(crate) stable_after: Duration,
    pub(crate) intensity: Intensity,
    pub(crate) give_up: GiveUp,
    pub(crate) reaction: Reaction,
    pub(crate) watchdog: Option<Duration>,
    pub(crate) on_unhealthy: OnUnhealthy,
}

/// How often a service has failed lately.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Failures {
    /// In a row, without a stable run between them.
    pub(crate) in_a_row: u32,
    /// When it was restarted by itself, within the period of its intensity.
    pub(crate) restarts: VecDeque<Duration>,
    /// It was given up, and has not been stable since.
    pub(crate) spent: bool,
    /// The same, because its group had used up its restarts.
    pub(crate) spent_by_group: bool,
}

impl Limits {
    /// What a service in `state`, which nobody has asked to end, is restarted for, if it is.
    pub(super) fn cause(
        &self,
        state: &ServiceState,
        ending: &Ending,
    ) -> Option<Arc<ServiceFailure>> {
        let cause = match state {
            ServiceState::Failed(failure) => Arc::clone(failure),
            ServiceState::Stopped(_) if self.restart == RestartPolicy::Permanent => {
                Arc::new(ServiceFailure::Exit(Exit::Completed))
            }
            _ => return None,
        };
        (self.restarts() && !is_fatal(ending)).then_some(cause)
    }

    /// Whether a run that was ready since then has lasted long enough.
    pub(super) fn was_stable(&self, ready_at: Option<Duration>, now: Duration) -> bool {
        ready_at.is_some_and(|at| now.saturating_sub(at) >= self.stable_after)
    }

    /// Whether an end of the service may lead to more than that it stays so.
    pub(super) fn restarts(&self) -> bool {
        self.restart != RestartPolicy::Temporary
    }

    /// Whether it may come back by itself at all: with no restarts allowed, it is given up at its first
    /// failure.
    pub(super) fn comes_back(&self) -> bool {
        let never = self.intensity.restarts == 0 && self.give_up == GiveUp::Fail;
        self.restarts() && !never
    }
}

impl Failures {
    /// Whether there may be another restart now, after a run that was `stable` or not; if so, it is
    /// counted.
    pub(super) fn may_restart(
        &mut self,
        stable: bool,
        intensity: Intensity,
        now: Duration,
    ) -> bool {
        if stable {
            self.in_a_row = 0;
            if std::mem::take(&mut self.spent) {
                self.restarts.clear();
            }
        }
        if self.spent {
            return false;
        }
        if intensity == Intensity::UNLIMITED {
            return true;
        }
        forget(&mut self.restarts, now.saturating_sub(intensity.period));
        let may = (self.restarts.len() as u64) < u64::from(intensity.restarts);
        if may {
            self.restarts.push_back(now);
        }
        may
    }

    /// Takes the restart that was counted then for one that was not made.
    pub(super) fn give_back(&mut self, counted: Duration) {
        if let Some(place) = self.restarts.iter().rposition(|at| *at == counted) {
            self.restarts.remove(place);
        }
    }

    /// Counts one more failure in a row; how many there were before.
    pub(super) fn one_more(&mut self) -> u32 {
        let before = self.in_a_row;
        self.in_a_row = before.saturating_add(1);
        before
    }
}

/// Drops the restarts that were before `since`.
fn forget(restarts: &mut VecDeque<Duration>, since: Duration) {
    while restarts.front().is_some_and(|at| *at < since) {
        restarts.pop_front();
    }
}

//! What a service does without the core: come back at once, when that concerns nobody else.
//!
//! The core lends the service's own task what decides about that. The task gives the loan back with whatever
//! else it has to say, and the core takes it back before it decides anything about the service. Each turn,
//! and each taking back, is one access to what both share, so one of the two comes first.

use std::sync::Arc;
use std::time::Duration;

use crate::error::ServiceFailure;
use crate::health::OnUnhealthy;

use super::ending::{Ending, verdict};
use super::failures::{Failures, Limits};

/// What decides about restarts of one service that concern nobody else.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Loan {
    limits: Arc<Limits>,
    pub(super) failures: Option<Box<Failures>>,
    /// When the present run became ready, if it did.
    pub(super) ready_at: Option<Duration>,
    /// When the present run began, if its own task has begun it.
    pub(super) began_at: Duration,
    /// The dispatcher knows that the task has begun to restart it.
    announced: bool,
    /// It was handed back; only the core goes on from here.
    pub(super) over: bool,
}

impl Loan {
    /// For a service that runs.
    pub(crate) fn new(
        limits: Arc<Limits>,
        failures: Option<Box<Failures>>,
        ready_at: Option<Duration>,
    ) -> Self {
        let (began_at, announced, over) = (Duration::ZERO, false, false);
        Self { limits, failures, ready_at, began_at, announced, over }
    }

    /// Decides about a run that has ended: what it is restarted for, if it is and at once. Otherwise the
    /// core has to.
    pub(crate) fn turn(&mut self, ending: &Ending, now: Duration) -> Option<Arc<ServiceFailure>> {
        if self.over {
            return None;
        }
        let state = verdict(None, None, self.ready_at.is_some(), ending);
        let cause = self.limits.cause(&state, ending);
        let stable = self.limits.was_stable(self.ready_at, now);
        let failures = self.failures.get_or_insert_default();
        let cause = cause.filter(|_| failures.may_restart(stable, self.limits.intensity, now));
        match &cause {
            Some(_) => {
                failures.one_more();
                self.ready_at = None;
                self.began_at = now;
            }
            None => self.over = true,
        }
        cause
    }

    /// The run has become ready; `false` when that is for the core to hear.
    pub(crate) fn ready(&mut self, now: Duration) -> bool {
        let ready = self.is_starting();
        if ready {
            self.ready_at = Some(now);
        }
        ready
    }

    /// Leaves what follows to the core.
    pub(crate) fn hand_back(&mut self) {
        self.over = true;
    }

    /// Whether the dispatcher is to be told that there are turns, which have a deadline each; once is
    /// enough for a loan.
    pub(crate) fn announce(&mut self) -> bool {
        self.limits.start_timeout.is_some() && !std::mem::replace(&mut self.announced, true)
    }

    /// Whether it is here, and its run is on its way up.
    pub(crate) fn is_starting(&self) -> bool {
        !self.over && self.ready_at.is_none()
    }
}

impl Limits {
    /// Whether restarts need no clock and nobody else's opinion.
    pub(super) fn restart_at_once(&self) -> bool {
        self.comes_back()
            && self.backoff.longest(0) == Duration::ZERO
            && self.watchdog.is_none()
            && self.on_unhealthy == OnUnhealthy::Ignore
    }
}

//! Automatic restarts: whether a service that ended is to come back, when, and when it is given up.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Exit, ServiceFailure};
use crate::reason::Stopped;
use crate::restart::{GiveUp, Intensity};
use crate::state::ServiceState;

use super::ending::Ending;
use super::failures::Failures;
use super::model::Core;
use super::row::Moment;
use super::words::Index;

/// What comes after an end that nobody asked for.
pub(super) enum Next {
    /// It stays as it is.
    Stays,
    /// Another attempt, after this time.
    Again { cause: Arc<ServiceFailure>, delay: Duration },
    /// It has used up its restarts.
    GivenUp(GiveUp),
}

impl<C> Core<C> {
    /// Decides about a service that is in `state` now and that nobody has asked to end.
    pub(super) fn next(&mut self, service: Index, state: &ServiceState, ending: &Ending) -> Next {
        let now = self.now;
        let row = self.row_mut(service);
        let limits = Arc::clone(&row.limits);
        let cause = match limits.cause(state, ending) {
            Some(cause) if row.wanted => cause,
            _ => return Next::Stays,
        };
        let stable = limits.was_stable(row.ready_since(), now);
        let failures = row.failures.get_or_insert_default();
        if !failures.may_restart(stable, limits.intensity, now) {
            failures.spent = true;
            return Next::GivenUp(limits.give_up);
        }
        if let Some(then) = self.group_gives_up(service, stable) {
            return Next::GivenUp(then);
        }
        let before = self.row_mut(service).failures.get_or_insert_default().one_more();
        let delay = limits.backoff.delay(before, self.draw());
        Next::Again { cause, delay }
    }

    /// Publishes what an end has come to, and has the next attempt made if there is one.
    pub(super) fn carry_on(&mut self, service: Index, state: ServiceState, next: Next) {
        match next {
            Next::Stays => {
                let is_end = matches!(
                    state,
                    ServiceState::Failed(_)
                        | ServiceState::Disabled(_)
                        | ServiceState::Stopped(Stopped::Completed)
                );
                let row = self.row_mut(service);
                row.wanted &= row.due || !is_end;
                self.settle(service, state);
            }
            Next::Again { cause, delay } => {
                let row = self.row_mut(service);
                row.due = true;
                row.automatic = true;
                row.delayed = delay > Duration::ZERO;
                let delayed = row.delayed;
                self.settle(service, ServiceState::Backoff { cause, delay });
                if delayed {
                    self.arm(service, delay);
                }
            }
            Next::GivenUp(then) => self.give_up(service, state, then),
        }
    }

    /// Counts a restart of a member against the group's own intensity, if it has one. Who was given up for
    /// that has none left until it is stable; the others have what the group needed within its period.
    fn group_gives_up(&mut self, service: Index, stable: bool) -> Option<GiveUp> {
        let now = self.now;
        let intensity = self.groups.of(service)?.group.intensity?;
        let failures = self.row_mut(service).failures.get_or_insert_default();
        let gives_back = stable && std::mem::take(&mut failures.spent_by_group);
        let spent = failures.spent_by_group;
        let standing = self.groups.of_mut(service)?;
        if gives_back {
            standing.failures.restarts.clear();
        }
        if !spent && standing.failures.may_restart(stable, intensity, now) {
            return None;
        }
        let then = standing.group.give_up;
        self.row_mut(service).failures.get_or_insert_default().spent_by_group = true;
        Some(then)
    }

    fn give_up(&mut self, service: Index, state: ServiceState, then: GiveUp) {
        let row = self.row_mut(service);
        let intensity = row.limits.intensity;
        let cause = match state {
            ServiceState::Failed(failure) => failure,
            _ => Arc::new(ServiceFailure::Exit(Exit::Completed)),
        };
        let again = match then {
            GiveUp::CoolDown(time) => Some(time),
            GiveUp::Fail | GiveUp::Escalate => None,
        };
        row.cooling = again.is_some();
        row.wanted = row.cooling;
        // Its own budget goes first: then the group was not asked.
        let of_group = |failures: &Failures| !failures.spent && failures.spent_by_group;
        let of_group = self.row(service).failures.as_deref().is_some_and(of_group);
        let spent = self.groups.of(service).filter(|_| of_group);
        let group = spent.map(|standing| Arc::clone(&standing.group.name));
        let of_group = spent.and_then(|standing| standing.group.intensity);
        let Intensity { restarts, period } = of_group.unwrap_or(intensity);
        let failure = ServiceFailure::GaveUp { restarts, period, group, again, source: cause };
        self.settle(service, ServiceState::Failed(Arc::new(failure)));
        if let Some(time) = again {
            self.arm(service, time);
        }
    }

    /// The delay is over, or the cool-down.
    pub(super) fn try_again(&mut self, service: Index) {
        let row = self.row_mut(service);
        if std::mem::take(&mut row.cooling) {
            row.due = true;
            row.automatic = true;
        }
        row.delayed = false;
        self.follow(service);
        self.advance(service);
    }

    /// An attempt by hand: it waits for no delay. What has failed before is forgotten, unless the
    /// service is on its way back already.
    pub(super) fn try_now(&mut self, service: Index, named: bool) {
        let row = self.row_mut(service);
        if !row.live && !row.due {
            row.failures = None;
            if let Some(standing) = self.groups.of_mut(service) {
                standing.failures = Failures::default();
            }
        }
        let row = self.row_mut(service);
        if named || !row.due {
            self.call_back_off(service);
        }
        if named {
            self.leave_leader(service);
            self.give_back(service);
        }
        if self.row(service).is_completed() {
            // It was there for those that require it, and may not come again.
            self.has_decided(service);
        }
        let row = self.row_mut(service);
        row.due = true;
        row.automatic &= !named;
    }

    /// What was to be restarted by itself is started by hand: that costs no restart.
    fn give_back(&mut self, service: Index) {
        let row = self.row_mut(service);
        let ended = row.end.ended.map(Moment::time);
        let (true, Some(ended)) = (matches!(row.state, ServiceState::Backoff { .. }), ended) else {
            return;
        };
        if let Some(failures) = &mut row.failures {
            failures.give_back(ended);
        }
        if let Some(standing) = self.groups.of_mut(service) {
            standing.failures.give_back(ended);
        }
    }

    /// A service that was given up is not tried again.
    pub(super) fn stop_cooling(&mut self, service: Index) {
        self.call_back_off(service);
        let ServiceState::Failed(failure) = &self.row(service).state else { return };
        let mut failure = (**failure).clone();
        if let ServiceFailure::GaveUp { again, .. } = &mut failure {
            *again = None;
        }
        self.settle(service, ServiceState::Failed(Arc::new(failure)));
    }

    /// The next attempt is not made.
    pub(super) fn call_back_off(&mut self, service: Index) {
        let row = self.row_mut(service);
        if std::mem::take(&mut row.delayed) | std::mem::take(&mut row.cooling) {
            self.disarm(service);
        }
        self.follow(service);
    }

    /// The next number of a sequence that looks like chance (splitmix64).
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

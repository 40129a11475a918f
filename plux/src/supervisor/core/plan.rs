//! The way down: an incarnation is planned to end, signalled when nothing stands on it any more,
//! aborted when its grace period is over, and given up when it does not end even then.

use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use crate::error::ServiceFailure;
use crate::options::GracePeriod;
use crate::reason::{Phase, StopReason};
use crate::state::ServiceState;
use crate::supervisor::few::Few;

use super::model::{Core, KEPT};
use super::op::{Op, OpId};
use super::row::{End, Moment};
use super::words::{Action, Answer, Down, Ended, How, Index, Round};

impl<C> Core<C> {
    /// Plans these to end. They are signalled when all that the step ends is planned, so that the order among
    /// them holds. A plan that is there already stays.
    pub(super) fn plan(&mut self, plans: &[(Index, StopReason)]) {
        let now = Moment::new(self.now);
        // Most are signalled in this step: a state, the signal, and its bound.
        self.actions.reserve(3 * plans.len());
        for &(service, reason) in plans {
            let row = self.row_mut(service);
            if !row.live || row.leaked || row.plan.is_some() {
                continue;
            }
            row.plan = Some(reason);
            row.end = End { asked: Some(now), ended: None, how: How::Clean };
            self.hold_up_dependencies(service);
            self.planned.push(service);
            // Nobody waits for it to become ready any more, nor for who waits for it.
            self.has_decided(service);
        }
    }

    /// Signals who was planned in this step. Whoever lets a service begin after it has planned does this first.
    pub(super) fn signal_planned(&mut self) {
        if self.planned.is_empty() {
            return;
        }
        let mut planned = std::mem::take(&mut self.planned);
        for service in planned.drain(..) {
            self.try_signal(service);
        }
        planned.shrink_to(KEPT);
        self.planned = planned;
    }

    /// Signals a planned service when all that must end before it has.
    pub(super) fn try_signal(&mut self, service: Index) {
        let row = self.row_mut(service);
        let Some(reason) = row.plan else { return };
        if row.lent {
            // Which run that is, is known when it is back.
            self.actions.push(Action::Recall { service });
            return;
        }
        if !row.live || row.leaked || row.ending_dependents > 0 {
            return;
        }
        if !row.signalled {
            self.signal(service, reason);
            self.bound(service);
        } else if !matches!(row.state, ServiceState::Stopping(_)) {
            // Its run is over, and its tasks know.
            self.publish(service, ServiceState::Stopping(reason));
        }
    }

    fn signal(&mut self, service: Index, reason: StopReason) {
        self.row_mut(service).signalled = true;
        self.publish(service, ServiceState::Stopping(reason));
        self.actions.push(Action::Signal { service, reason });
    }

    /// Bounds what was signalled by its grace period.
    fn bound(&mut self, service: Index) {
        let row = self.row_mut(service);
        row.arming = row.arming.wrapping_add(1);
        match row.limits.grace_period {
            GracePeriod::Bounded(Duration::ZERO) => self.abort(service),
            GracePeriod::Bounded(time) => self.arm(service, time),
            GracePeriod::Unlimited => {}
        }
    }

    /// Drops what is left of the incarnation and bounds the wait for its end.
    pub(super) fn abort(&mut self, service: Index) {
        self.row_mut(service).aborted = true;
        self.actions.push(Action::Abort { service });
        self.arm(service, self.join_timeout);
    }

    /// Aborts whatever state of stopping it is in.
    pub(super) fn abort_at_once(&mut self, service: Index) {
        let row = self.row(service);
        if !row.live || row.leaked || row.aborted {
            return;
        }
        if let (false, Some(reason)) = (row.signalled, row.plan) {
            self.signal(service, reason);
        }
        self.abort(service);
    }

    /// The end of `run` is the end for those that stand on it; its tasks get its grace period.
    pub(super) fn run_over(&mut self, service: Index, incarnation: u32, failed: bool) {
        let row = self.row_mut(service);
        if row.incarnation != incarnation || !row.live {
            return;
        }
        row.run_over = true;
        if !row.signalled {
            row.signalled = true;
            self.bound(service);
        }
        self.hold_up_dependencies(service);
        if failed && self.row(service).plan.is_none() {
            self.react(service, Round::Later);
        }
    }

    pub(super) fn timer(&mut self, service: Index, arming: u32, reached: Phase, silent: Duration) {
        let row = self.row(service);
        if row.arming != arming || !row.is_timed() || row.leaked {
            return;
        }
        if !row.live {
            self.try_again(service);
        } else if row.aborted {
            self.leak(service);
        } else if row.signalled {
            self.abort(service);
        } else if row.is_starting() {
            let timeout = row.limits.start_timeout.unwrap_or_default();
            let failure = ServiceFailure::StartTimeout { timeout, reached };
            self.fail(service, StopReason::StartTimeout, failure);
        } else {
            self.watch(service, silent);
        }
    }

    /// Stops waiting for it: what it required goes on stopping.
    fn leak(&mut self, service: Index) {
        self.release(service);
        let row = self.row_mut(service);
        row.leaked = true;
        row.due = false;
        row.wanted = false;
        row.end.how = How::Leaked;
        self.live -= 1;
        self.carry(service);
        let failure = Arc::new(ServiceFailure::Leaked);
        self.settle(service, ServiceState::Failed(failure));
        self.react(service, Round::None);
        self.fail_starts(service, &Down::Leaked { culprit: service });
        self.unblock_dependencies(service);
        self.has_decided(service);
    }

    /// Lets go on what had to wait for its end: the stops of what it depends on, and who waits for its
    /// slot.
    pub(super) fn unblock_dependencies(&mut self, service: Index) {
        self.signal_planned();
        self.give_slot_back(service);
        self.end_for_group(service);
        self.signal_dependencies(service);
    }

    /// Publishes a state that nothing of the service's is under way in, and tells who waits.
    pub(super) fn settle(&mut self, service: Index, state: ServiceState) {
        self.publish(service, state.clone());
        let row = self.row_mut(service);
        let watchers = row.watchers.take();
        // One that cools down is about to run, as one that is due is.
        let waits = if row.due || row.cooling { Few::NONE } else { row.waits.take() };
        if !waits.is_empty() {
            for caller in waits {
                self.reply(caller, Answer::State(state.clone()));
            }
        }
        if watchers.is_empty() {
            return;
        }
        let ended = self.ended_row(service);
        for id in watchers {
            match self.ops.get_mut(&id) {
                Some(Op::Rollback { remaining, .. }) => *remaining -= 1,
                Some(Op::Stop { remaining, rows, .. }) => {
                    *remaining -= 1;
                    rows.push(ended.clone());
                }
                _ => {}
            }
            self.conclude(id);
        }
    }

    /// Answers a call when nothing it waits for remains.
    pub(super) fn conclude(&mut self, id: OpId) {
        match self.ops.get(&id) {
            Some(Op::Rollback { remaining: 0, .. } | Op::Stop { remaining: 0, .. }) => {}
            _ => return,
        }
        match self.remove(id) {
            Some(Op::Rollback { target, callers, down, .. }) => {
                if let Entry::Occupied(mut others) = self.rollbacks.entry(target) {
                    others.get_mut().remove(&id);
                    if others.get().is_empty() {
                        others.remove();
                    }
                }
                for caller in callers {
                    self.reply(caller, Answer::Start(Err(down.clone())));
                }
            }
            Some(Op::Stop { caller, rows, .. }) => {
                let leaked = |row: &&Ended| matches!(row.how, How::Leaked);
                // The last one is the nearest to the service that was named, if not that itself.
                let answer = match rows.iter().rev().find(leaked) {
                    Some(row) => Err(row.service),
                    None => Ok(rows),
                };
                self.reply(caller, Answer::Stop(answer));
            }
            _ => {}
        }
    }

    pub(super) fn ended_row(&self, service: Index) -> Ended {
        let End { asked, ended, how } = self.row(service).end.clone();
        let asked = asked.map_or(Duration::ZERO, Moment::time);
        Ended { service, asked, ended: ended.map(Moment::time), how }
    }
}

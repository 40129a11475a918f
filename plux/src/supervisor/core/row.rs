//! What the core keeps of one service.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use crate::error::ServiceFailure;
use crate::reason::{StopReason, Stopped};
use crate::restart::Reaction;
use crate::state::ServiceState;
use crate::supervisor::few::Few;

use super::failures::{Failures, Limits};
use super::op::OpId;
use super::words::How;

/// One service. `live` says that an incarnation has not ended; the rest of the flags are about it,
/// but for `due`, which is about the next one.
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Row<C> {
    pub(crate) limits: Arc<Limits>,
    /// What was published last.
    pub(crate) state: ServiceState,
    /// The number of the newest incarnation.
    pub(crate) incarnation: u32,
    /// Fences timers.
    pub(crate) arming: u32,
    pub(crate) live: bool,
    /// It has been ready.
    pub(crate) was_ready: bool,
    /// Its `run` has ended; tasks of its have not.
    pub(crate) run_over: bool,
    /// It is to end, and why; it may still have to wait for its dependents.
    pub(crate) plan: Option<StopReason>,
    /// What its stop makes of it, when it is taken to have failed.
    pub(crate) late: Option<Arc<ServiceFailure>>,
    pub(crate) signalled: bool,
    pub(crate) aborted: bool,
    /// It did not end within the join bound, and nobody waits for it any more.
    pub(crate) leaked: bool,
    /// An attempt is to begin as soon as what it depends on allows.
    pub(crate) due: bool,
    /// The attempt that is due waits for its delay.
    pub(crate) delayed: bool,
    /// The attempt that is due is a restart that nobody has asked for.
    pub(crate) automatic: bool,
    /// It stands in the queue for a slot.
    pub(crate) queued: bool,
    /// It is being restarted, in a slot.
    pub(crate) slot: bool,
    /// The others of its group wait for its end.
    pub(crate) in_round: bool,
    /// It was given up, and is to be tried again when a timer says so.
    pub(crate) cooling: bool,
    /// Its own task may restart it; what is known of it here is as old as the loan.
    pub(crate) lent: bool,
    /// A successful start named or pulled it.
    pub(crate) wanted: bool,
    /// It was removed: nobody has the place.
    pub(crate) vacant: bool,
    /// It is among the ending dependents of what it depends on.
    pub(crate) ends: bool,
    /// How many live dependents are to end too.
    pub(crate) ending_dependents: u32,
    /// When it became ready.
    pub(crate) ready_at: Option<Moment>,
    /// What it has failed lately.
    pub(crate) failures: Option<Box<Failures>>,
    /// The end of the last run, or the one that is planned.
    pub(crate) end: End,
    /// The pending start that names it.
    pub(super) start: Option<OpId>,
    /// The pending starts whose closure has it.
    pub(super) starts: Few<OpId>,
    /// The calls that wait for it to settle.
    pub(super) watchers: Few<OpId>,
    pub(super) waits: Few<C>,
}

/// When a service was told to stop, when it had ended, and how.
#[derive(Clone, Default)]
pub(crate) struct End {
    pub(crate) asked: Option<Moment>,
    pub(crate) ended: Option<Moment>,
    pub(crate) how: How,
}

/// A time since the core's beginning, in eight bytes even where there is none: every service has some.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(NonZeroU64);

impl Moment {
    /// `time`, or the last of some five hundred years.
    pub(crate) fn new(time: Duration) -> Self {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self(NonZeroU64::MIN.saturating_add(nanos))
    }

    pub(crate) fn time(self) -> Duration {
        Duration::from_nanos(self.0.get() - 1)
    }
}

impl<C> Row<C> {
    pub(super) fn new(limits: Arc<Limits>) -> Self {
        Self {
            limits,
            state: ServiceState::Stopped(Stopped::NeverStarted),
            incarnation: 0,
            arming: 0,
            live: false,
            was_ready: false,
            run_over: false,
            plan: None,
            late: None,
            signalled: false,
            aborted: false,
            leaked: false,
            due: false,
            delayed: false,
            automatic: false,
            queued: false,
            slot: false,
            in_round: false,
            cooling: false,
            lent: false,
            wanted: false,
            vacant: false,
            ends: false,
            ending_dependents: 0,
            ready_at: None,
            failures: None,
            end: End::default(),
            start: None,
            starts: Few::NONE,
            watchers: Few::NONE,
            waits: Few::NONE,
        }
    }

    /// It is to stop because of what it requires; whether it comes back is for its edge to say. Who
    /// waits for its start shares the attempt after this one. While it stops for one that it requires,
    /// another can still have it stay so.
    pub(super) fn react(&mut self, reaction: Reaction) {
        let stays = self.plan == Some(StopReason::Dependency) && reaction == Reaction::Stop;
        if self.plan.is_some() && !stays {
            return;
        }
        self.due = reaction == Reaction::Restart || !self.starts.is_empty();
        self.automatic = self.due;
        self.wanted &= reaction == Reaction::Restart;
    }

    /// When the newest run became ready, if it has.
    pub(super) fn ready_since(&self) -> Option<Duration> {
        self.ready_at.filter(|_| self.was_ready).map(Moment::time)
    }

    /// Whether somebody keeps it up.
    pub(super) fn is_held(&self) -> bool {
        self.wanted || !self.starts.is_empty()
    }

    /// Whether it serves and is to go on.
    pub(super) fn serves(&self) -> bool {
        self.live && self.was_ready && self.plan.is_none() && !self.run_over
    }

    /// Whether an attempt is under way that may still lead to readiness.
    pub(super) fn is_starting(&self) -> bool {
        self.live && !self.was_ready && self.plan.is_none() && !self.leaked
    }

    /// Whether what requires it may run: it serves, or it completed after it had been ready.
    pub(super) fn is_met(&self) -> bool {
        self.serves() || self.is_completed()
    }

    pub(super) fn is_completed(&self) -> bool {
        !self.live && !self.due && matches!(self.state, ServiceState::Stopped(Stopped::Completed))
    }

    /// Whether a start by name is about a run after one that has been ready, and is over.
    pub(super) fn runs_again(&self) -> bool {
        self.is_completed() || (self.live && self.run_over)
    }

    /// Whether an attempt is still to be decided. One that waits for its delay has failed already.
    pub(super) fn is_undecided(&self) -> bool {
        (self.due && !self.delayed) || self.is_starting()
    }

    /// Whether there is something to stop.
    pub(super) fn is_stoppable(&self) -> bool {
        (self.live && !self.leaked) || self.due || self.cooling
    }

    /// Whether a timer may have something to say.
    pub(super) fn is_timed(&self) -> bool {
        self.live || self.delayed || self.cooling
    }
}

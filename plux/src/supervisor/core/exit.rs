//! The end of an incarnation: what it makes of the service, and of those that stand on it.

use std::sync::Arc;

use crate::error::{Exit, ServiceFailure};
use crate::reason::{StopReason, Stopped};
use crate::state::ServiceState;

use super::model::Core;
use super::plan::stopped;
use super::words::{Action, Down, Ending, How, Index};

impl<C> Core<C> {
    pub(super) fn ended(&mut self, service: Index, incarnation: u32, ending: Ending) {
        let row = self.row_mut(service);
        if row.incarnation != incarnation || !row.live {
            return;
        }
        row.live = false;
        row.arming = row.arming.wrapping_add(1);
        if std::mem::take(&mut row.leaked) {
            // It was reported and nobody waits for it: from now on it can be started by hand.
            return;
        }
        self.live -= 1;
        self.release(service);
        let now = self.now;
        let row = self.row_mut(service);
        row.ended_at = Some(now);
        row.how = how(&ending);
        let (plan, late, was_ready) = (row.plan.take(), row.late.take(), row.was_ready);
        let told = matches!(row.state, ServiceState::Stopping(_));
        let state = verdict(plan, late, was_ready, &ending);
        if matches!(state, ServiceState::Stopped(Stopped::Completed)) && row.start.is_none() {
            // A start that only pulls it is content with its completion.
            row.due = false;
        }
        let is_stop = matches!(&state, ServiceState::Stopped(why) if *why != Stopped::Completed);
        if !is_stop && !row.due {
            row.wanted = false;
        }
        // A start that came after this run was over, or was to end, is about the next one.
        let due = row.due;
        if let (Some(reason), false) = (plan, told) {
            // It ended before its dependents had, or while its tasks did: the way down is the same.
            self.publish(service, ServiceState::Stopping(reason));
        }
        if plan.is_some() {
            self.report(service, incarnation, ending);
        }
        self.settle(service, state.clone());
        let down = match state {
            ServiceState::Failed(failure) => Some(Down::Failed { culprit: service, failure }),
            ServiceState::Disabled(reason) => Some(Down::Disabled { culprit: service, reason }),
            _ => None,
        };
        if let Some(down) = down {
            self.react(service);
            if !due {
                self.fail_starts(service, &down);
                self.decide_dependents(service);
            }
        }
        self.unblock_dependencies(service);
        self.advance(service);
        self.advance_dependents(service);
    }

    /// Tells of an end that was asked for and did not go well.
    fn report(&mut self, service: Index, incarnation: u32, ending: Ending) {
        match ending {
            Ending::Exit(Exit::Completed) | Ending::NotLoaded(_) | Ending::Disabled(_) => {}
            Ending::Exit(exit) => {
                self.actions.push(Action::Report { service, incarnation, exit });
            }
        }
    }

    /// What stands on a failed service stops, the outermost first, and is due again: it begins when
    /// the service is back.
    pub(super) fn react(&mut self, service: Index) {
        let mut plans = Vec::new();
        for member in self.with_dependents(service).into_iter().skip(1) {
            let row = self.row_mut(member);
            if row.live && !row.leaked && row.plan.is_none() {
                row.due = true;
                plans.push((member, StopReason::Dependency));
            }
        }
        self.plan(&plans);
    }
}

fn how(ending: &Ending) -> How {
    match ending {
        Ending::Exit(Exit::Completed) | Ending::NotLoaded(_) | Ending::Disabled(_) => How::Clean,
        Ending::Exit(Exit::Aborted) => How::Aborted,
        Ending::Exit(exit) => How::Error(Box::new(exit.clone())),
    }
}

/// The state that an ended incarnation leaves its service in.
fn verdict(
    plan: Option<StopReason>,
    late: Option<Arc<ServiceFailure>>,
    was_ready: bool,
    ending: &Ending,
) -> ServiceState {
    let failed = |failure| ServiceState::Failed(Arc::new(failure));
    if let Some(late) = late {
        return ServiceState::Failed(late);
    }
    match (plan, ending) {
        (Some(reason), _) => ServiceState::Stopped(stopped(reason)),
        (None, Ending::Disabled(reason)) => ServiceState::Disabled(Arc::clone(reason)),
        (None, Ending::NotLoaded(error)) => failed(ServiceFailure::Load((**error).clone())),
        (None, Ending::Exit(exit)) if !was_ready => {
            failed(ServiceFailure::BeforeReady(exit.clone()))
        }
        (None, Ending::Exit(Exit::Completed)) => ServiceState::Stopped(Stopped::Completed),
        (None, Ending::Exit(exit)) => failed(ServiceFailure::Exit(exit.clone())),
    }
}

//! Stops by name, waits, and the shutdown.

use rustc_hash::FxHashSet;

use crate::reason::{StopReason, Stopped};
use crate::spec::DependencyKind;
use crate::state::ServiceState;

use super::ending::stopped;
use super::model::Core;
use super::op::{Op, Shutdown};
use super::row::Row;
use super::words::{Action, Answer, Down, Ended, How, Index, Summary};

impl<C> Core<C> {
    pub(super) fn stop(&mut self, service: Index, caller: C) {
        let mut members = self.with_dependents(service);
        members.retain(|member| self.row(*member).is_stoppable());
        if self.shutdown.is_none() {
            self.stop_members(service, &members);
        }
        let (waited, called_off): (Vec<Index>, Vec<Index>) =
            members.into_iter().partition(|member| self.row(*member).live);
        let mut rows: Vec<_> =
            called_off.into_iter().map(|member| self.ended_row(member)).collect();
        if self.row(service).leaked {
            rows.push(self.ended_row(service));
        }
        let id = self.add(Op::Stop { caller, rows, remaining: waited.len() });
        for member in waited {
            self.row_mut(member).watchers.push(id);
        }
        self.conclude(id);
    }

    /// The same, unless others would have to stop for it.
    pub(super) fn stop_unused(&mut self, service: Index, caller: C) {
        let users = self.users(service);
        if users.is_empty() {
            return self.stop(service, caller);
        }
        self.reply(caller, Answer::InUse(users));
    }

    /// Who would have to stop for a stop of `service`.
    pub(super) fn users(&self, service: Index) -> Vec<Index> {
        let mut users = self.with_dependents(service);
        users.retain(|member| *member != service && self.row(*member).is_stoppable());
        users
    }

    fn stop_members(&mut self, service: Index, members: &[Index]) {
        let mut plans = Vec::with_capacity(members.len());
        let cancelled = self.row(service).starts.clone();
        for &member in members {
            let reason = if member == service { StopReason::Asked } else { StopReason::Dependency };
            let row = self.row_mut(member);
            row.wanted = false;
            let (due, cooling) = (row.due, row.cooling);
            if row.live {
                plans.push((member, reason));
            }
            if due {
                self.call_off(member, stopped(reason));
            } else if cooling {
                self.stop_cooling(member);
            }
        }
        self.plan(&plans);
        let down = Down::Stopped { by: service, reason: StopReason::Asked };
        for id in cancelled {
            if self.ops.get(&id).is_some_and(|op| op.is_hard(service)) {
                self.fail_start(id, down.clone());
            }
        }
    }

    /// The service and all that stands on it, itself first.
    pub(super) fn with_dependents(&self, service: Index) -> Vec<Index> {
        self.dependents_that(service, |_| true)
    }

    /// The service and its dependents that are so, directly or through others that are.
    pub(super) fn dependents_that(
        &self,
        service: Index,
        are_so: impl Fn(&Row<C>) -> bool,
    ) -> Vec<Index> {
        let mut seen = FxHashSet::default();
        let mut found = vec![service];
        let mut next = 0;
        while let Some(&member) = found.get(next) {
            next += 1;
            for &(dependent, kind) in self.graph.dependents(member) {
                if kind == DependencyKind::Requires
                    && dependent != service
                    && are_so(self.row(dependent))
                    && seen.insert(dependent)
                {
                    found.push(dependent);
                }
            }
        }
        found
    }

    pub(super) fn wait(&mut self, service: Index, caller: C) {
        if self.row(service).is_stoppable() {
            let gave_up = self.gave_up;
            self.row_mut(service).waits.push_sweeping(caller, |caller| !gave_up(caller));
        } else {
            let state = self.row(service).state.clone();
            self.reply(caller, Answer::State(state));
        }
    }

    /// Whether a shutdown has begun.
    pub(crate) fn is_shutting_down(&self) -> bool {
        self.shutdown.is_some()
    }

    pub(super) fn begin_shutdown(&mut self) {
        if self.shutdown.is_some() {
            return;
        }
        let (mut failed_before, mut members, mut to_come) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..self.rows.len() as Index {
            let row = self.row_mut(index);
            row.wanted = false;
            if matches!(row.state, ServiceState::Failed(_)) {
                failed_before.push(index);
            }
            if row.live && !row.leaked {
                members.push(index);
            }
            if row.due || row.cooling {
                to_come.push(index);
            }
        }
        self.shutdown = Some(Shutdown {
            began: self.now,
            failed_before,
            members: members.clone(),
            finished: false,
        });
        for index in to_come {
            if self.row(index).due {
                self.call_off(index, Stopped::Shutdown);
            } else if self.row(index).cooling {
                self.stop_cooling(index);
            }
        }
        let plans: Vec<_> =
            members.into_iter().map(|index| (index, StopReason::Shutdown)).collect();
        self.plan(&plans);
        let mut pending: Vec<_> =
            self.ops.iter().filter_map(|(id, op)| Some((*id, op.target()?))).collect();
        pending.sort_unstable();
        for (id, target) in pending {
            self.fail_start(id, Down::Stopped { by: target, reason: StopReason::Shutdown });
        }
        if let Some(after) = self.shutdown_timeout {
            self.actions.push(Action::ArmShutdown { after });
        }
    }

    /// Ends everything at once, in no order.
    pub(super) fn abort_now(&mut self) {
        self.begin_shutdown();
        for index in 0..self.rows.len() as Index {
            self.abort_at_once(index);
        }
    }

    /// What there is to tell when nobody steps the core any more.
    pub(crate) fn interrupted(&self) -> Summary {
        let live = (0..self.rows.len() as Index).filter(|index| self.row(*index).live);
        let leaked = |index| Ended { ended: None, how: How::Leaked, ..self.ended_row(index) };
        Summary { rows: live.map(leaked).collect(), ..Summary::default() }
    }

    pub(super) fn finish_shutdown(&mut self) {
        let now = self.now;
        let Some(shutdown) = &mut self.shutdown else { return };
        if self.live > 0 || shutdown.finished {
            return;
        }
        shutdown.finished = true;
        let members = std::mem::take(&mut shutdown.members);
        let mut summary = Summary {
            total: now.saturating_sub(shutdown.began),
            failed_before: std::mem::take(&mut shutdown.failed_before),
            rows: Vec::new(),
        };
        summary.rows = members.into_iter().map(|member| self.ended_row(member)).collect();
        self.actions.push(Action::Finish { summary: Box::new(summary) });
    }
}

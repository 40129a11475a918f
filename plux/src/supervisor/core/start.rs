//! Starts and restarts: whom they pull, when an attempt may begin, and the rollback.

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashSet;

use crate::reason::{StopReason, Stopped};
use crate::spec::DependencyKind;
use crate::state::ServiceState;
use crate::supervisor::few::Few;

use super::model::Core;
use super::op::{Op, OpId, Start};
use super::row::{End, Moment, Row};
use super::words::{Action, Answer, Down, How, Index, Round, Up};

impl<C> Core<C> {
    pub(super) fn start(&mut self, service: Index, caller: C) {
        if self.shutdown.is_some() {
            return self.reply(caller, Answer::Start(Err(Down::Shutdown)));
        }
        if self.row(service).serves() && self.row(service).start.is_none() {
            self.want(service);
            return self.reply(caller, Answer::Start(Ok(Up::AlreadyRunning)));
        }
        if self.row(service).runs_again() {
            // It is run again, and what stands on it reacts as to a restart.
            return self.restart(service, caller);
        }
        let up = if self.row(service).is_undecided() { Up::Joined } else { Up::Started };
        self.attempt(service, caller, up);
    }

    pub(super) fn restart(&mut self, service: Index, caller: C) {
        if self.shutdown.is_some() || self.leak_below(service).is_some() {
            return self.attempt(service, caller, Up::Started);
        }
        let row = self.row_mut(service);
        let joined = row.due;
        let mut plans = Vec::new();
        if row.live && !row.leaked {
            row.due = true;
            if !row.run_over {
                plans.push((service, StopReason::Restart));
            }
        }
        let mut dependents = Vec::new();
        for (member, reaction, reason) in self.reactions(service, Round::Begins) {
            let row = self.row_mut(member);
            if !row.live || row.leaked {
                continue;
            }
            let stops_now = row.plan.is_none();
            self.react_to(member, reaction);
            if stops_now || self.row(member).due {
                dependents.push(member);
            }
            plans.push((member, reason));
        }
        for &(member, reason) in &plans {
            if reason == StopReason::Group {
                self.wait_for_companion(member);
            }
        }
        if self.row(service).live && !self.row(service).leaked {
            self.wait_for_companion(service);
        }
        let up = match (self.row(service).live || !dependents.is_empty(), joined) {
            (true, _) => Up::Restarted(dependents),
            (false, true) => Up::Joined,
            (false, false) => Up::Started,
        };
        self.plan(&plans);
        self.signal_planned();
        self.attempt(service, caller, up);
    }

    /// Begins, or joins, the start of `service`.
    fn attempt(&mut self, service: Index, caller: C, up: Up) {
        if self.shutdown.is_some() {
            return self.reply(caller, Answer::Start(Err(Down::Shutdown)));
        }
        if let Some(culprit) = self.leak_below(service) {
            return self.reply(caller, Answer::Start(Err(Down::Leaked { culprit })));
        }
        if let Some(id) = self.row(service).start {
            let Some(Op::Start(start)) = self.ops.get_mut(&id) else { return };
            let up = if up == Up::Started { Up::Joined } else { up };
            start.callers.push((caller, up));
            let members = Arc::clone(&start.members);
            return self.make_due(service, &members);
        }
        let (members, callers) = (self.closure(service), vec![(caller, up)]);
        let start = Start { target: service, members: Arc::clone(&members), callers };
        let id = self.add(Op::Start(start));
        self.row_mut(service).start = Some(id);
        for &(member, _) in &*members {
            self.row_mut(member).starts.push(id);
        }
        self.make_due(service, &members);
    }

    /// Makes every member due that is neither up nor on its way, then lets begin what may.
    fn make_due(&mut self, target: Index, members: &[(Index, bool)]) {
        for &(member, _) in members {
            let row = self.row_mut(member);
            let up = row.serves() || (member != target && row.is_completed());
            if !up && !row.is_starting() && !row.leaked {
                self.try_now(member, member == target);
            }
        }
        for &(member, _) in members {
            self.advance(member);
        }
    }

    /// Everything a start of `service` pulls, dependencies first; `true` for what it can not be
    /// without.
    fn closure(&self, service: Index) -> Arc<[(Index, bool)]> {
        let mut hard = self.graph.reach(service, |_, kind| kind == DependencyKind::Requires);
        hard.sort_unstable();
        let mut pulled = self.graph.closure(service);
        pulled.sort_unstable_by_key(|member| self.ranks[*member as usize]);
        let is_hard = |member| hard.binary_search(&member).is_ok();
        pulled.into_iter().map(|member| (member, is_hard(member))).collect()
    }

    pub(super) fn leak_below(&self, service: Index) -> Option<Index> {
        let hard = self.graph.reach(service, |_, kind| kind == DependencyKind::Requires);
        hard.into_iter().find(|member| self.row(*member).leaked)
    }

    /// Begins the attempt of a due service when all it depends on allows, and nothing stands on an
    /// earlier incarnation of it; otherwise it waits.
    pub(super) fn advance(&mut self, service: Index) {
        let row = self.row(service);
        if !row.due || row.live {
            return;
        }
        if row.delayed {
            return;
        }
        if self.may_begin(service)
            && !self.waits_for_group(service)
            && !self.waits_for_slot(service)
        {
            self.begin(service);
        } else if !matches!(self.row(service).state, ServiceState::Waiting) {
            self.publish(service, ServiceState::Waiting);
        }
    }

    /// Whether nothing that an attempt would have to wait for is left.
    pub(super) fn may_begin(&self, service: Index) -> bool {
        self.graph.dependencies(service).iter().all(|&(on, kind)| match kind {
            DependencyKind::Requires => self.row(on).is_met(),
            _ => !self.is_undecided(on),
        })
    }

    /// Whether an attempt of the service is under way, or about to begin. One that waits for what
    /// failed is neither: nobody else waits for it.
    fn is_undecided(&self, service: Index) -> bool {
        self.is_coming(service, Row::is_undecided)
    }

    /// Whether it is so of a service, and of all that its attempt waits for.
    pub(super) fn is_coming(&self, service: Index, is_so: impl Fn(&Row<C>) -> bool) -> bool {
        let mut seen = FxHashSet::from_iter([service]);
        let mut stack = vec![service];
        while let Some(member) = stack.pop() {
            let row = self.row(member);
            if !is_so(row) {
                return false;
            }
            if row.is_starting() {
                continue;
            }
            for &(on, kind) in self.graph.dependencies(member) {
                let hard = kind == DependencyKind::Requires;
                if hard && !self.row(on).is_met() && seen.insert(on) {
                    stack.push(on);
                }
            }
        }
        true
    }

    /// It may not be coming any more: who waits for that is looked at when the step's own work is done.
    pub(super) fn has_decided(&mut self, service: Index) {
        if !self.graph.dependents(service).is_empty() {
            self.decided.push(service);
        }
    }

    /// What was decided about a service decides about those that are due and require it, also through others: for
    /// now they can not begin. Who waits for that of one of them is looked at next, once for all of them.
    pub(super) fn tell_on(&mut self, service: Index, told: &mut FxHashSet<Index>) {
        for &(dependent, kind) in self.graph.dependents(service) {
            let waits = kind == DependencyKind::Requires && self.row(dependent).due;
            if waits && told.insert(dependent) {
                self.decided.push(dependent);
            }
        }
    }

    /// Calls an attempt off that has not begun. While an earlier incarnation has not ended, that is
    /// all there is to it; otherwise the service is stopped now.
    pub(super) fn call_off(&mut self, service: Index, why: Stopped) {
        self.has_decided(service);
        self.call_back_off(service);
        let now = Moment::new(self.now);
        let row = self.row_mut(service);
        row.due = false;
        if row.live {
            return;
        }
        row.end = End { asked: Some(now), ended: Some(now), how: How::Clean };
        self.settle(service, ServiceState::Stopped(why));
    }

    fn begin(&mut self, service: Index) {
        let row = self.row_mut(service);
        row.due = false;
        row.live = true;
        row.was_ready = false;
        row.run_over = false;
        row.signalled = false;
        row.aborted = false;
        row.plan = None;
        row.late = None;
        row.end = End::default();
        row.incarnation = row.incarnation.wrapping_add(1);
        let (incarnation, wanted, timeout) =
            (row.incarnation, row.wanted, row.limits.start_timeout);
        let watched = row.limits.watchdog.is_some();
        self.live += 1;
        if wanted {
            self.want(service);
        }
        self.publish(service, ServiceState::Starting);
        self.actions.push(Action::Begin { service, incarnation, watched });
        if let Some(timeout) = timeout {
            self.arm(service, timeout);
        }
    }

    /// Makes the service wanted, and what it stands on: a walk that ends at what already is.
    fn want(&mut self, service: Index) {
        let graph = Arc::clone(&self.graph);
        let mut stack = vec![service];
        self.row_mut(service).wanted = true;
        while let Some(member) = stack.pop() {
            for &(on, kind) in graph.dependencies(member) {
                let row = self.row_mut(on);
                let up = row.due || (row.live && !row.leaked && row.plan.is_none());
                if kind == DependencyKind::Requires && !row.wanted && up {
                    row.wanted = true;
                    stack.push(on);
                }
            }
        }
    }

    pub(super) fn ready(&mut self, service: Index, incarnation: u32, unhealthy: Option<Arc<str>>) {
        let now = Moment::new(self.now);
        let row = self.row_mut(service);
        if row.incarnation != incarnation || !row.is_starting() {
            return;
        }
        row.was_ready = true;
        row.automatic = false;
        row.ready_at = Some(now);
        row.arming = row.arming.wrapping_add(1);
        let start = row.start;
        self.publish(service, ServiceState::Running);
        if let Some(id) = start {
            self.succeed(id);
        }
        if let Some(reason) = unhealthy {
            self.unhealthy(service, reason);
        }
        self.watch(service, Duration::ZERO);
        // Only now, because it may have been found to have failed: then those of its group wait for it.
        self.give_slot_back(service);
        self.advance_dependents(service);
    }

    pub(super) fn advance_dependents(&mut self, service: Index) {
        if self.graph.dependents(service).is_empty() {
            return;
        }
        let graph = Arc::clone(&self.graph);
        for &(dependent, _) in graph.dependents(service) {
            self.advance(dependent);
        }
    }

    fn succeed(&mut self, id: OpId) {
        let Some(start) = self.take_start(id) else { return };
        for &(member, _) in &*start.members {
            let row = self.row(member);
            let up = row.live && !row.leaked && row.plan.is_none();
            if up || (row.due && self.is_undecided(member)) {
                self.row_mut(member).wanted = true;
            } else if row.due && !row.is_held() {
                // What it wanted waits for what failed.
                self.call_off(member, Stopped::Unneeded);
            }
        }
        for (caller, up) in start.callers {
            self.reply(caller, Answer::Start(Ok(up)));
        }
    }

    fn take_start(&mut self, id: OpId) -> Option<Start<C>> {
        let Some(Op::Start(start)) = self.remove(id) else { return None };
        self.row_mut(start.target).start = None;
        for &(member, _) in &*start.members {
            // They are numbered as they come, so the list is in order.
            self.row_mut(member).starts.remove(&id);
        }
        Some(start)
    }

    /// Fails every pending start that can not be without `service`.
    pub(super) fn fail_starts(&mut self, service: Index, down: &Down) {
        for id in self.row(service).starts.clone() {
            if self.ops.get(&id).is_some_and(|op| op.is_hard(service)) {
                self.fail_start(id, down.clone());
            }
        }
    }

    /// Stops what nobody holds any more, dependents first; the callers are answered after that.
    pub(super) fn fail_start(&mut self, id: OpId, down: Down) {
        let Some(start) = self.take_start(id) else { return };
        let target = start.target;
        let callers = start.callers.into_iter().map(|(caller, _)| caller).collect();
        let mut plans = Vec::new();
        let mut members = Vec::new();
        for &(member, _) in start.members.iter().rev() {
            let row = self.row_mut(member);
            if row.is_held() {
                continue;
            }
            let due = row.due;
            if row.live && !row.leaked {
                members.push(member);
                plans.push((member, StopReason::Unneeded));
            }
            if due {
                self.call_off(member, Stopped::Unneeded);
            }
        }
        let rollback = Op::Rollback {
            target,
            callers,
            down,
            remaining: members.len(),
            members: members.clone(),
        };
        let id = self.add(rollback);
        self.rollbacks.entry(target).or_insert(Few::NONE).push(id);
        for member in members {
            self.row_mut(member).watchers.push(id);
        }
        self.plan(&plans);
        self.conclude(id);
    }
}

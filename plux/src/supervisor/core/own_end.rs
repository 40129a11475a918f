//! Whether the answer to a call would wait for the end of the service that waits for the answer.
//!
//! Trap: nothing is decided here. It says beforehand for whose ends [`Core::step`] would have the call wait,
//! so what plans an end, or has an attempt wait for one, is to be found here again.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::reason::StopReason;
use crate::restart::Reaction;
use crate::spec::DependencyKind;
use crate::supervisor::few::Few;

use super::model::Core;
use super::op::{Op, OpId};
use super::words::{Index, Input, Round};

/// Who is to end, and why, and whether it comes back by itself.
type Plans = FxHashMap<Index, (StopReason, bool)>;

impl<C> Core<C> {
    /// Whether `asks` has to end for `input` to be answered.
    pub(crate) fn is_own_end(&self, asks: Index, input: &Input<C>) -> bool {
        let (plans, awaited) = match *input {
            Input::Stop { service, .. } => self.ends_of_stop(service),
            Input::StopUnused { service, .. } if self.users(service).is_empty() => {
                self.ends_of_stop(service)
            }
            Input::Restart { service, .. } => self.ends_of_restart(service),
            Input::Start { service, .. } if self.row(service).runs_again() => {
                self.ends_of_restart(service)
            }
            Input::Start { service, .. } => return self.waits_for(asks, service, true),
            Input::Wait { service, .. } => return self.waits_for(asks, service, false),
            _ => return false,
        };
        self.has_to_end(asks, &plans, awaited)
    }

    /// Whether `asks` has to end before the answer comes to a call that waits for the end of `service`, or for
    /// its being `up`.
    pub(crate) fn is_held_up(&self, service: Index, up: bool, asks: Index) -> bool {
        let with_it = match up {
            true => self.rolled_back_with(service),
            // A stop of one that does not run waits for those that stand on it.
            false if !self.row(service).live => self.with_dependents(service),
            false => Vec::new(),
        };
        self.waits_for(asks, service, up) || self.has_to_end(asks, &Plans::default(), with_it)
    }

    /// Whether `asks` has to end before `service` has, or before it is `up`.
    fn waits_for(&self, asks: Index, service: Index, up: bool) -> bool {
        let plans = Plans::default();
        let awaited = if up { self.ends_of_attempt(service, &plans) } else { vec![service] };
        self.has_to_end(asks, &plans, awaited)
    }

    /// Whose ends a start of `target` waits for that has failed.
    pub(super) fn rolled_back_with(&self, target: Index) -> Vec<Index> {
        let rollbacks = self.rollbacks.get(&target).into_iter().flat_map(Few::iter);
        let waits = |id| {
            let members = match self.ops.get(id) {
                Some(Op::Rollback { members, .. }) => members.as_slice(),
                _ => &[],
            };
            members.iter().copied().filter(move |member| self.row(*member).watchers.has(id))
        };
        rollbacks.flat_map(waits).collect()
    }

    /// Whether `asks` is one of those whose ends are awaited, or has to end before one of them: it depends
    /// on that, and is to end too.
    fn has_to_end(&self, asks: Index, plans: &Plans, awaited: Vec<Index>) -> bool {
        let runs = |member: Index| self.row(member).live && !self.row(member).leaked;
        let is_told = |member: Index| self.row(member).signalled;
        if runs(asks) && awaited.contains(&asks) {
            return true;
        }
        // Who is told to stop waits for nobody any more.
        let waits = |member: &Index| runs(*member) && !is_told(*member);
        let mut stack: Vec<_> = awaited.into_iter().filter(waits).map(|it| (it, true)).collect();
        let mut seen: FxHashSet<(Index, bool)> = stack.iter().copied().collect();
        while let Some((member, is_to_end)) = stack.pop() {
            for &(dependent, kind) in self.graph.dependents(member) {
                let requires = kind == DependencyKind::Requires;
                let ends = self.row(dependent).ends || plans.contains_key(&dependent);
                let ends_first = runs(dependent) && ends && (is_to_end || requires);
                if ends_first && dependent == asks {
                    return true;
                }
                // Who does not run carries what holds it up down to what it requires. So does who ends by
                // itself before that has.
                let carries =
                    !runs(dependent) || self.carried.contains_key(&dependent) || ends_first;
                let waits = ends_first && !is_told(dependent);
                if (waits || (carries && requires)) && seen.insert((dependent, waits)) {
                    stack.push((dependent, waits));
                }
            }
        }
        false
    }

    /// Whether an attempt of the service is to be made, or may be after a delay.
    fn may_come(&self, service: Index) -> bool {
        self.is_coming(service, |row| row.due || row.cooling || row.is_starting())
    }

    /// Whether it is to end and come back, and may: what it requires is there, or may come.
    fn comes_back(&self, service: Index, plans: &Plans) -> bool {
        let is_to = |service: Index| plans.get(&service).is_some_and(|plan| plan.1);
        let ends = |on: Index| self.row(on).live && plans.contains_key(&on);
        let stays = |on: Index| self.row(on).is_met() && !ends(on);
        let requirements = self.graph.dependencies(service).iter();
        is_to(service)
            && requirements
                .filter(|(_, kind)| *kind == DependencyKind::Requires)
                .all(|&(on, _)| stays(on) || is_to(on) || self.may_come(on))
    }

    fn ends_of_stop(&self, service: Index) -> (Plans, Vec<Index>) {
        let members = self.with_dependents(service);
        let reason = |member: &Index| (*member, (StopReason::Dependency, false));
        let mut plans: Plans = members.iter().map(reason).collect();
        let unneeded = self.unneeded_after_stop(service).into_iter();
        plans.extend(unneeded.map(|member| (member, (StopReason::Unneeded, false))));
        (plans, members)
    }

    /// Whom only starts hold that fail when `service` is stopped.
    fn unneeded_after_stop(&self, service: Index) -> Vec<Index> {
        let is_hard = |id: &OpId| self.ops.get(id).is_some_and(|op| op.is_hard(service));
        let starts = self.row(service).starts.iter().copied();
        let failing: FxHashSet<OpId> = starts.filter(is_hard).collect();
        if failing.is_empty() {
            return Vec::new();
        }
        let is_let_go = |member: &Index| {
            let row = self.row(*member);
            !row.wanted && row.starts.iter().all(|id| failing.contains(id))
        };
        let pulled = failing.iter().filter_map(|id| match self.ops.get(id) {
            Some(Op::Start(start)) => Some(&start.members),
            _ => None,
        });
        let pulled = pulled.flat_map(|members| members.iter().map(|(member, _)| *member));
        pulled.filter(is_let_go).collect()
    }

    fn ends_of_restart(&self, service: Index) -> (Plans, Vec<Index>) {
        let reacting = self.reactions(service, Round::Begins).into_iter();
        // As [`Row::react`] has it: who is to end already comes back if it was to.
        let comes_back = |member: Index, reaction| {
            let row = self.row(member);
            let is_told = row.live && !row.leaked && row.plan.is_none();
            is_told && (reaction == Reaction::Restart || !row.starts.is_empty())
        };
        let plan = |(member, reaction, reason)| (member, (reason, comes_back(member, reaction)));
        let mut plans: Plans = reacting.map(plan).collect();
        plans.insert(service, (StopReason::Restart, true));
        let awaited = self.ends_of_attempt(service, &plans);
        (plans, awaited)
    }

    /// What a start of `target` pulls. One that joins another pulls what that has pulled: services may have been
    /// added since.
    fn pulled_by_start(&self, target: Index) -> FxHashSet<Index> {
        match self.row(target).start.and_then(|id| self.ops.get(&id)) {
            Some(Op::Start(start)) => start.members.iter().map(|(member, _)| *member).collect(),
            _ => self.graph.closure(target).into_iter().collect(),
        }
    }

    /// For whose ends an attempt of `target` waits: its own, those of what it pulls that is to come back,
    /// and those of who is restarted with one of these.
    fn ends_of_attempt(&self, target: Index, plans: &Plans) -> Vec<Index> {
        let mut awaited = Vec::new();
        if self.is_shutting_down() || self.leak_below(target).is_some() {
            // It is refused.
            return awaited;
        }
        let pulled = self.pulled_by_start(target);
        let mut seen = FxHashSet::from_iter([target]);
        let mut stack = vec![target];
        while let Some(member) = stack.pop() {
            let row = self.row(member);
            let on_its_way = row.is_starting() && !row.run_over;
            let stays = !plans.contains_key(&member) && (row.serves() || on_its_way);
            if stays || row.leaked || (member != target && row.is_completed()) {
                continue;
            }
            awaited.push(member);
            if let Some(standing) = self.groups.of(member) {
                let ends = |member: &Index| {
                    let by_group = |plan: &(_, _)| plan.0 == StopReason::Group;
                    self.row(*member).in_round || plans.get(member).is_some_and(by_group)
                };
                awaited.extend(standing.group.members.iter().copied().filter(ends));
            }
            for &(on, _) in self.graph.dependencies(member) {
                let comes = pulled.contains(&on) || self.may_come(on) || self.comes_back(on, plans);
                if comes && seen.insert(on) {
                    stack.push(on);
                }
            }
        }
        awaited
    }
}

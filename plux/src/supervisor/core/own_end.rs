//! Whether the answer to a call would wait for the end of the service that waits for the answer.
//!
//! Trap: nothing is decided here. It says beforehand for whose ends [`Core::step`] would have the call wait,
//! so what plans an end, or has an attempt wait for one, is to be found here again.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::reason::StopReason;
use crate::spec::DependencyKind;

use super::model::Core;
use super::words::{Index, Input, Round};

/// Who is to end, and why.
type Plans = FxHashMap<Index, StopReason>;

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
            Input::Start { service, .. } => return self.is_held_up(service, true, asks),
            Input::Wait { service, .. } => return self.is_held_up(service, false, asks),
            _ => return false,
        };
        self.has_to_end(asks, &plans, awaited)
    }

    /// Whether `asks` has to end before `service` has, or before it is `up`.
    pub(crate) fn is_held_up(&self, service: Index, up: bool, asks: Index) -> bool {
        let plans = Plans::default();
        let awaited = if up { self.ends_of_attempt(service, &plans) } else { vec![service] };
        self.has_to_end(asks, &plans, awaited)
    }

    /// Whether `asks` is one of those whose ends are awaited, or has to end before one of them: it depends
    /// on that, and is to end too.
    fn has_to_end(&self, asks: Index, plans: &Plans, awaited: Vec<Index>) -> bool {
        let runs = |member: Index| self.row(member).live && !self.row(member).leaked;
        let mut stack = awaited;
        stack.retain(|member| runs(*member));
        let mut seen: FxHashSet<Index> = stack.iter().copied().collect();
        while let Some(member) = stack.pop() {
            let is_live = runs(member);
            if is_live && member == asks {
                return true;
            }
            if is_live && self.row(member).signalled {
                // It waits for nobody any more.
                continue;
            }
            for &(dependent, kind) in self.graph.dependents(member) {
                // Who does not run carries what holds it up down to what it requires.
                let requires = kind == DependencyKind::Requires;
                let ends = self.row(dependent).ends || plans.contains_key(&dependent);
                let holds_up =
                    if runs(dependent) { ends && (is_live || requires) } else { requires };
                if holds_up && seen.insert(dependent) {
                    stack.push(dependent);
                }
            }
        }
        false
    }

    fn ends_of_stop(&self, service: Index) -> (Plans, Vec<Index>) {
        let members = self.with_dependents(service);
        let reason = |member: &Index| (*member, StopReason::Dependency);
        (members.iter().map(reason).collect(), members)
    }

    fn ends_of_restart(&self, service: Index) -> (Plans, Vec<Index>) {
        let reacting = self.reactions(service, Round::Begins).into_iter();
        let mut plans: Plans = reacting.map(|(member, _, reason)| (member, reason)).collect();
        plans.insert(service, StopReason::Restart);
        let awaited = self.ends_of_attempt(service, &plans);
        (plans, awaited)
    }

    /// For whose ends an attempt of `target` waits: its own, those of what it pulls that is to come back,
    /// and those of who is restarted with one of these.
    fn ends_of_attempt(&self, target: Index, plans: &Plans) -> Vec<Index> {
        let mut awaited = Vec::new();
        if self.is_shutting_down() || self.leak_below(target).is_some() {
            // It is refused.
            return awaited;
        }
        let mut seen = FxHashSet::from_iter([target]);
        let mut stack = vec![target];
        while let Some(member) = stack.pop() {
            let row = self.row(member);
            let stays = !plans.contains_key(&member) && (row.serves() || row.is_starting());
            if stays || row.leaked || (member != target && row.is_completed()) {
                continue;
            }
            awaited.push(member);
            if let Some(standing) = self.groups.of(member) {
                let ends = |member: &Index| {
                    self.row(*member).in_round || plans.get(member) == Some(&StopReason::Group)
                };
                awaited.extend(standing.group.members.iter().copied().filter(ends));
            }
            for &(on, kind) in self.graph.dependencies(member) {
                let pulled = kind != DependencyKind::After || self.row(on).is_undecided();
                if pulled && seen.insert(on) {
                    stack.push(on);
                }
            }
        }
        awaited
    }
}

//! The order of stops: nobody is told to stop before all that depend on it and are to end have.
//!
//! Who requires one that does not run stands on what that one requires. So who does not run carries what
//! it is held up by down to what it requires, until none of those that require it is to end.
//!
//! Trap: it may begin meanwhile, and end. What it carries keeps count of its dependents all that time, so
//! a weight is taken off where it was put.

use std::sync::Arc;

use crate::spec::DependencyKind;

use super::model::{Core, KEPT};
use super::words::Index;

impl<C> Core<C> {
    /// What it depends on does not stop before it has ended.
    pub(super) fn hold_up_dependencies(&mut self, service: Index) {
        if std::mem::replace(&mut self.row_mut(service).ends, true) {
            return;
        }
        if self.graph.dependencies(service).is_empty() {
            return;
        }
        let graph = Arc::clone(&self.graph);
        let mut carriers = Vec::new();
        for &(on, kind) in graph.dependencies(service) {
            self.hold_up(on, kind, &mut carriers);
        }
        self.carry_down(carriers);
    }

    /// It does not run any more: what holds it up holds up what it requires.
    pub(super) fn carry(&mut self, service: Index) {
        if self.row(service).ending_dependents == 0 || self.carried.contains_key(&service) {
            return;
        }
        let mut weight = 0;
        for &(dependent, kind) in self.graph.dependents(service) {
            if kind == DependencyKind::Requires {
                weight += u32::from(self.row(dependent).ends);
                weight += u32::from(self.carried.contains_key(&dependent));
            }
        }
        if weight > 0 {
            self.carried.insert(service, weight);
            self.carry_down(vec![service]);
        }
    }

    /// A dependent of it is to end, or carries one that is. If it begins to carry that it is one of the
    /// `carriers`.
    fn hold_up(&mut self, on: Index, kind: DependencyKind, carriers: &mut Vec<Index>) {
        let row = self.row_mut(on);
        row.ending_dependents += 1;
        let runs = row.live && !row.leaked;
        if kind != DependencyKind::Requires {
            return;
        }
        match self.carried.get_mut(&on) {
            Some(weight) => *weight += 1,
            None if runs => {}
            None => {
                self.carried.insert(on, 1);
                carriers.push(on);
            }
        }
    }

    fn carry_down(&mut self, mut carriers: Vec<Index>) {
        if carriers.is_empty() {
            return;
        }
        let graph = Arc::clone(&self.graph);
        while let Some(carrier) = carriers.pop() {
            for &(on, kind) in graph.dependencies(carrier) {
                if kind == DependencyKind::Requires {
                    self.hold_up(on, kind, &mut carriers);
                }
            }
        }
    }

    /// Takes the weight of an ended incarnation off what it depended on.
    pub(super) fn release(&mut self, service: Index) {
        if !std::mem::take(&mut self.row_mut(service).ends)
            || self.graph.dependencies(service).is_empty()
        {
            return;
        }
        let graph = Arc::clone(&self.graph);
        for &(on, kind) in graph.dependencies(service) {
            self.let_go(on, kind);
        }
    }

    fn let_go(&mut self, on: Index, kind: DependencyKind) {
        self.row_mut(on).ending_dependents -= 1;
        if kind == DependencyKind::Requires
            && let Some(weight) = self.carried.get_mut(&on)
        {
            *weight -= 1;
        }
    }

    /// Tells those to stop that only had to wait for the end of this one, also through others.
    pub(super) fn signal_dependencies(&mut self, service: Index) {
        if self.graph.dependencies(service).is_empty() {
            return;
        }
        let graph = Arc::clone(&self.graph);
        let mut idle = Vec::new();
        for &(on, _) in graph.dependencies(service) {
            self.lighter(on, &mut idle);
        }
        while let Some(carrier) = idle.pop() {
            for &(on, kind) in graph.dependencies(carrier) {
                if kind == DependencyKind::Requires {
                    self.let_go(on, kind);
                    self.lighter(on, &mut idle);
                }
            }
        }
    }

    /// One less holds it up. If it has nothing to carry any more it is one of the `idle`.
    fn lighter(&mut self, on: Index, idle: &mut Vec<Index>) {
        self.try_signal(on);
        if self.carried.get(&on) == Some(&0) {
            self.carried.remove(&on);
            idle.push(on);
        }
        if self.carried.is_empty() {
            self.carried.shrink_to(KEPT);
        }
    }
}

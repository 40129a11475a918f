//! The cap on restarts that are under way at once. A slot is held until the service is ready or has ended.
//!
//! Trap: who has a slot waits for nobody who needs one: all it requires is met before it begins, and what
//! a pending start has pulled takes none.

use crate::spec::DependencyKind;

use super::model::Core;
use super::words::Index;

impl<C> Core<C> {
    /// Whether an attempt that may begin has to wait for a slot; otherwise it has one, or needs none.
    pub(super) fn waits_for_slot(&mut self, service: Index) -> bool {
        if self.slots.free.is_none() || self.is_needed(service) {
            return false;
        }
        let row = &mut self.rows[service as usize];
        let Some(free) = &mut self.slots.free else { return false };
        if *free > 0 {
            *free -= 1;
            row.slot = true;
            return false;
        }
        if !std::mem::replace(&mut row.queued, true) {
            self.slots.queue.push_back(service);
        }
        true
    }

    /// Whether the attempt was asked for, or somebody who is starting requires it.
    fn is_needed(&self, service: Index) -> bool {
        let row = self.row(service);
        let mut dependents = self.graph.dependents(service).iter();
        !row.automatic
            || !row.starts.is_empty()
            || dependents.any(|&(dependent, kind)| {
                kind == DependencyKind::Requires && self.row(dependent).is_starting()
            })
    }

    /// Gives the slot of a service back, if it had one, to the next who still wants it.
    pub(super) fn give_slot_back(&mut self, service: Index) {
        if !std::mem::take(&mut self.row_mut(service).slot) {
            return;
        }
        if let Some(free) = &mut self.slots.free {
            *free += 1;
        }
        while let Some(next) = self.slots.queue.pop_front() {
            self.row_mut(next).queued = false;
            // It may have been begun or called off meanwhile.
            self.advance(next);
            if self.slots.free == Some(0) {
                break;
            }
        }
    }
}

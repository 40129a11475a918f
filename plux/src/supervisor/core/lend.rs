//! Lending, and learning how far a service has come by itself.

use std::sync::Arc;

use crate::restart::Reaction;
use crate::spec::DependencyKind;
use crate::state::ServiceState;

use super::loan::Loan;
use super::model::Core;
use super::row::Moment;
use super::words::{Action, Index};

impl<C> Core<C> {
    /// Lets the service's own task restart it, if that concerns nobody else: nothing depends on it, it
    /// waits for none that starts, it is in no group, restarts are not capped, and no call is about it.
    pub(super) fn lend(&mut self, service: Index) {
        let row = self.row(service);
        // What it requires runs while it does, unless it goes on without; who it wants, or comes after, may
        // start at any time.
        let runs = |&(on, kind): &(Index, DependencyKind)| {
            kind == DependencyKind::Requires && self.reaction(service, on) != Reaction::Keep
        };
        let alone = row.serves()
            && row.wanted
            && !row.lent
            && row.limits.restart_at_once()
            && row.starts.is_empty()
            && self.slots.free.is_none()
            && self.groups.of(service).is_none()
            && self.graph.dependents(service).is_empty()
            && self.graph.dependencies(service).iter().all(runs);
        if !alone {
            return;
        }
        let row = self.row_mut(service);
        row.lent = true;
        let (limits, failures) = (Arc::clone(&row.limits), row.failures.take());
        let loan = Box::new(Loan::new(limits, failures, row.ready_since()));
        self.actions.push(Action::Lend { service, loan });
    }

    /// Whether its own task may restart it.
    pub(crate) fn is_lent(&self, service: Index) -> bool {
        self.row(service).lent
    }

    /// Has a look taken at a service that restarts itself when it should have become ready.
    pub(super) fn turns(&mut self, service: Index) {
        let row = self.row(service);
        if let (true, Some(timeout)) = (row.lent, row.limits.start_timeout) {
            self.arm(service, timeout);
        }
    }

    /// Learns how far a service has come by itself, and goes on from there.
    pub(super) fn regain(&mut self, service: Index, incarnation: u32, loan: Loan) {
        self.disarm(service);
        let now = self.now;
        let row = self.row_mut(service);
        row.lent = false;
        row.incarnation = incarnation;
        row.failures = loan.failures;
        row.was_ready = loan.ready_at.is_some();
        row.ready_at = loan.ready_at.map(Moment::new).or(row.ready_at);
        if !row.was_ready {
            row.state = ServiceState::Starting;
            let timeout = row.limits.start_timeout;
            if let Some(timeout) = timeout {
                self.arm(service, timeout.saturating_sub(now.saturating_sub(loan.began_at)));
            }
        }
        self.try_signal(service);
    }
}

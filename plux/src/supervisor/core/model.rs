//! What the core knows: a row a service, the calls under way, the shutdown; and its smallest moves.

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::failures::Limits;
use super::op::{Op, OpId, Shutdown};
use super::row::Row;
use super::shares::{Group, Groups, Slots};
use super::words::{Action, Answer, Index, Reactions};
use crate::graph::Graph;
use crate::state::ServiceState;
use crate::supervisor::few::Few;

/// For so many of what comes and goes there is always room: calls, and services that are planned to end.
pub(super) const KEPT: usize = 64;

/// All that is known of the services, and what is under way.
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Core<C> {
    pub(super) graph: Arc<Graph>,
    pub(super) reactions: Reactions,
    /// The place of each service in starting order.
    pub(super) ranks: Vec<u32>,
    pub(super) rows: Vec<Row<C>>,
    pub(super) ops: FxHashMap<OpId, Op<C>>,
    /// By the service that a failed start named: the rollbacks under way.
    pub(super) rollbacks: FxHashMap<Index, Few<OpId>>,
    pub(super) next_op: OpId,
    pub(super) live: usize,
    pub(super) join_timeout: Duration,
    pub(super) shutdown_timeout: Option<Duration>,
    pub(super) shutdown: Option<Shutdown>,
    pub(super) now: Duration,
    pub(super) groups: Groups,
    /// Members of groups that may be able to begin now.
    pub(super) moved: Vec<Index>,
    /// Bounds how many restarts are under way at once.
    pub(super) slots: Slots,
    /// Of those that do not run, or did not: how many that require them are to end, or carry one that is.
    pub(super) carried: FxHashMap<Index, u32>,
    /// Whether nobody waits for that answer any more.
    pub(super) gave_up: fn(&C) -> bool,
    /// What jitter is drawn from.
    pub(super) random: u64,
    pub(super) actions: Vec<Action<C>>,
    /// Who may not be coming any more: who waits for these is looked at when the step's own work is done.
    pub(super) decided: Vec<Index>,
    /// Who was planned to end in this step, and may have to be signalled.
    pub(super) planned: Vec<Index>,
    /// How many rows were looked at.
    #[cfg(test)]
    pub(super) visits: std::cell::Cell<u64>,
}

/// The place of each service in starting order.
pub(super) fn ranks(graph: &Graph) -> Vec<u32> {
    let mut ranks = vec![u32::MAX; graph.len()];
    for (rank, service) in graph.order().into_iter().enumerate() {
        ranks[service as usize] = rank as u32;
    }
    ranks
}

impl<C> Core<C> {
    /// All services stopped. `limits` has one entry a service.
    pub(crate) fn new(
        graph: Arc<Graph>,
        reactions: Reactions,
        limits: impl IntoIterator<Item = Arc<Limits>>,
        join_timeout: Duration,
        shutdown_timeout: Option<Duration>,
    ) -> Self {
        Self {
            ranks: ranks(&graph),
            graph,
            reactions,
            rows: limits.into_iter().map(Row::new).collect(),
            ops: FxHashMap::default(),
            rollbacks: FxHashMap::default(),
            next_op: OpId::MIN,
            live: 0,
            join_timeout,
            shutdown_timeout,
            shutdown: None,
            now: Duration::ZERO,
            groups: Groups::default(),
            moved: Vec::new(),
            slots: Slots::default(),
            carried: FxHashMap::default(),
            gave_up: |_| false,
            random: 0,
            actions: Vec::new(),
            decided: Vec::new(),
            planned: Vec::new(),
            #[cfg(test)]
            visits: std::cell::Cell::new(0),
        }
    }

    /// Draws the jitters from here on; supervisors that begin together are to differ.
    pub(crate) fn with_seed(mut self, seed: u64) -> Self {
        self.random = seed;
        self
    }

    /// Has these restarted together, or share a budget. A service is in one group at most.
    pub(crate) fn with_groups(mut self, groups: Vec<Group>) -> Self {
        self.groups = Groups::new(groups);
        self
    }

    /// Lets so many restarts be under way at once, or any number.
    pub(crate) fn with_slots(mut self, slots: Option<usize>) -> Self {
        self.slots = Slots::new(slots);
        self
    }

    /// Has waits let go of whom nobody waits for any more: they may be many before a service ends.
    pub(crate) fn with_gave_up(mut self, gave_up: fn(&C) -> bool) -> Self {
        self.gave_up = gave_up;
        self
    }

    pub(super) fn row(&self, service: Index) -> &Row<C> {
        #[cfg(test)]
        self.visits.set(self.visits.get() + 1);
        &self.rows[service as usize]
    }

    pub(super) fn row_mut(&mut self, service: Index) -> &mut Row<C> {
        #[cfg(test)]
        self.visits.set(self.visits.get() + 1);
        &mut self.rows[service as usize]
    }

    pub(super) fn reply(&mut self, caller: C, answer: Answer) {
        self.actions.push(Action::Reply { caller, answer: Box::new(answer) });
    }

    pub(super) fn add(&mut self, op: Op<C>) -> OpId {
        let id = self.next_op;
        self.next_op = id.saturating_add(1);
        self.ops.insert(id, op);
        id
    }

    /// Takes a call out. After many at once the room they took is given back.
    pub(super) fn remove(&mut self, id: OpId) -> Option<Op<C>> {
        let op = self.ops.remove(&id);
        if self.ops.is_empty() {
            self.ops.shrink_to(KEPT);
        }
        op
    }

    /// Moves the service to `state` and makes that known.
    pub(super) fn publish(&mut self, service: Index, state: ServiceState) {
        let row = self.row_mut(service);
        row.state = state.clone();
        let incarnation = row.incarnation;
        self.actions.push(Action::Publish { service, state, incarnation });
    }

    /// Whether a timer of that arming would still be heard.
    pub(crate) fn is_armed(&self, service: Index, arming: u32) -> bool {
        let row = self.row(service);
        row.is_timed() && row.arming == arming
    }

    /// Lets no timer of the service be heard any more.
    pub(super) fn disarm(&mut self, service: Index) {
        let row = self.row_mut(service);
        row.arming = row.arming.wrapping_add(1);
    }

    pub(super) fn arm(&mut self, service: Index, after: Duration) {
        let row = self.row_mut(service);
        row.arming = row.arming.wrapping_add(1);
        let arming = row.arming;
        self.actions.push(Action::Arm { service, arming, after });
    }
}

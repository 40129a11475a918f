//! Services that come while others run, and go.
//!
//! Trap: the place of one that has gone is given to another. So a place that an open call still has to
//! tell of is not free, and the armings go on counting: a timer of the one that has gone is late news.
//! Of its runs there is none: the last news of a run is its end.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::graph::Graph;

use super::failures::Limits;
use super::model::{Core, ranks};
use super::op::Op;
use super::row::Row;
use super::words::{Action, Answer, Coming, Down, Index, Newcomer, Stays, Up};

impl<C> Core<C> {
    /// Places for so many more, in order.
    pub(crate) fn places(&self, count: usize) -> Vec<Index> {
        let told = self.told();
        let free = |place: &Index| {
            self.rows.get(*place as usize).is_none_or(|row| row.vacant && !told.contains(place))
        };
        (0..).filter(free).take(count).collect()
    }

    /// How many places there are.
    pub(crate) fn len(&self) -> Index {
        self.rows.len() as Index
    }

    /// Who depends on whom, of those that are there.
    pub(crate) fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    pub(crate) fn limits(&self, service: Index) -> &Limits {
        &self.rows[service as usize].limits
    }

    /// Whom the answers of open calls will tell of.
    fn told(&self) -> FxHashSet<Index> {
        let mut told = FxHashSet::default();
        for op in self.ops.values() {
            match op {
                Op::Start(start) => {
                    for (_, up) in &start.callers {
                        if let Up::Restarted(dependents) = up {
                            told.extend(dependents);
                        }
                    }
                }
                Op::Rollback { target, down, .. } => {
                    told.insert(*target);
                    told.extend(culprit(down));
                }
                Op::Stop { rows, .. } => told.extend(rows.iter().map(|row| row.service)),
            }
        }
        told
    }

    /// Takes in services that come: stopped, and wanted by nobody.
    pub(super) fn welcome(&mut self, coming: Coming) {
        let Coming { newcomers, graph, reactions } = coming;
        self.ranks = ranks(&graph);
        self.graph = graph;
        self.reactions = reactions;
        for Newcomer { place, limits, group } in newcomers {
            let mut row = Row::new(limits);
            // Who ends and is ordered after it has not counted it: it was not there.
            let dependents = self.graph.dependents(place).iter();
            let ends = |&&(dependent, _): &&_| {
                self.rows.get(dependent as usize).is_some_and(|row: &Row<C>| row.ends)
            };
            row.ending_dependents = dependents.filter(ends).count() as u32;
            match self.rows.get_mut(place as usize) {
                Some(before) => {
                    row.arming = before.arming;
                    *before = row;
                }
                None => self.rows.push(row),
            }
            if let Some(group) = group {
                self.groups.join(place, group);
            }
        }
    }

    /// Lets a service go that is over and that nobody here depends on.
    pub(super) fn take_leave(&mut self, service: Index, caller: C) {
        if let Some(stays) = self.stays(service) {
            return self.reply(caller, Answer::Stays(stays));
        }
        self.graph = Arc::new(self.graph.without(service));
        self.reactions.retain(|(from, _), _| *from != service);
        self.slots.queue.retain(|queued| *queued != service);
        self.groups.leave(service);
        let row = self.row_mut(service);
        let arming = row.arming.wrapping_add(1);
        *row = Row::new(Arc::clone(&row.limits));
        row.arming = arming;
        row.vacant = true;
        self.actions.push(Action::Remove { service, caller });
    }

    fn stays(&self, service: Index) -> Option<Stays> {
        let row = self.row(service);
        if self.shutdown.is_some() {
            return Some(Stays::Shutdown);
        }
        if row.leaked {
            return Some(Stays::Leaked);
        }
        if row.live {
            return Some(Stays::Live);
        }
        if row.due || row.cooling {
            return Some(Stays::Waiting);
        }
        let others = self.graph.dependents(service).iter().filter(|(by, _)| *by != service);
        // The strongest tie says most.
        others.min_by_key(|(_, kind)| *kind).map(|(by, _)| Stays::Needed(*by))
    }
}

fn culprit(down: &Down) -> Option<Index> {
    match down {
        Down::Failed { culprit, .. }
        | Down::Disabled { culprit, .. }
        | Down::Leaked { culprit } => Some(*culprit),
        Down::Stopped { by, .. } => Some(*by),
        Down::Shutdown => None,
    }
}

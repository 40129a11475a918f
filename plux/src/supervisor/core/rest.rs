//! Bringing a walk to rest, what holds there, and in which order.

use std::time::Duration;

use super::walk::{Call, Life, World};
use super::words::{Index, Input};
use crate::health::OnUnhealthy;
use crate::restart::Reaction;
use crate::spec::DependencyKind;

impl World {
    /// Lets everything under way come to its end.
    pub(super) fn quiesce(&mut self) {
        self.quiesce_but(None);
    }

    /// The same, but for the end of this one.
    pub(super) fn quiesce_but(&mut self, kept: Option<Index>) {
        for _ in 0..1000 {
            if self.finished {
                return;
            }
            let handed_back = self.loans.iter().find(|(_, loan)| loan.over);
            if let Some(service) = handed_back.map(|(&service, _)| service) {
                self.step(Input::HandedBack { service });
            }
            let ends = |life: &Life| life.signalled || life.aborted || life.over;
            let goes_on = |(at, life): &(&Index, &Life)| match ends(life) {
                true => kept != Some(**at),
                false => !life.ready,
            };
            let next = self.lives.iter().find(goes_on);
            let Some((&service, life)) = next else {
                let delayed = |(service, arming): &(Index, u32)| {
                    let row = self.core.row(*service);
                    (row.delayed || row.cooling) && row.arming == *arming
                };
                let Some(place) = self.timers.iter().position(delayed) else { return };
                let timer = self.timers.swap_remove(place);
                self.due(timer, Duration::ZERO);
                continue;
            };
            if ends(life) {
                self.end(service, false);
            } else {
                self.ready(service);
                let stuck = self.lives.get(&service).is_some_and(|life| !life.ready);
                self.check(!stuck, "an attempt gets ready");
            }
        }
        self.check(false, "it comes to rest");
    }

    /// Nobody who stands on one that is told to stop, also through others that do not run, lives and is
    /// to end.
    pub(super) fn in_order(&self, service: Index) {
        let mut stack = vec![service];
        while let (Some(at), false) = (stack.pop(), self.no_order) {
            for &(dependent, kind) in self.graph.dependents(at) {
                let life = self.lives.get(&dependent).filter(|life| !life.leaked);
                let ends = |life: &Life| life.over || self.core.row(dependent).plan.is_some();
                let requires = kind == DependencyKind::Requires;
                let ordered = at == service || requires;
                self.check(!(ordered && life.is_some_and(ends)), "who ends first, ends first");
                if requires && life.is_none() {
                    stack.push(dependent);
                }
            }
        }
    }

    pub(super) fn at_rest(&self) {
        let open = self.calls.values().any(|call| *call != Call::Wait);
        self.check(!open, "at rest no call is open");
        for (index, row) in self.core.rows.iter().enumerate() {
            self.check(row.starts.is_empty() && row.start.is_none(), "no start is left behind");
            self.check(row.watchers.is_empty(), "nobody watches");
            let up = (row.live && !row.leaked) || row.due || row.cooling;
            self.check(!up || row.wanted, "what nobody holds is stopped");
            self.check(up || !row.wanted, "an end ends the hold");
            let held_up = self.core.waits_for_group(index as Index);
            let waits = row.due && !row.live && !row.delayed && !held_up;
            self.check(!waits || !self.core.may_begin(index as Index), "what may begin has begun");
            let alive = self.lives.contains_key(&(index as Index));
            self.check(row.live == alive, "the core knows who lives");
            let loan = self.loans.contains_key(&(index as Index));
            self.check(row.lent == loan, "who is lent has a loan");
            let alone = self.graph.dependents(index as Index).is_empty();
            self.check(!row.lent || (alone && row.serves()), "who is lent serves nobody");
            self.check(row.ending_dependents == 0, "no order is left over");
            self.check(!row.slot && !row.in_round, "no slot and no round is kept");
            self.check(!(row.delayed && (row.live || !row.due)), "only what is due is delayed");
            self.check(
                !(row.cooling && (row.live || row.due)),
                "what cools down does nothing else",
            );
            let armed = self.timers.contains(&(index as Index, row.arming));
            let watched = row.limits.watchdog.is_some();
            self.check(
                !row.serves() || row.lent || armed == watched,
                "who has a watchdog is watched",
            );
            let ill = self.lives.get(&(index as Index)).is_some_and(|life| life.ill.is_some());
            let judged = row.limits.on_unhealthy == OnUnhealthy::Restart;
            self.check(!(row.serves() && ill && judged), "who is to go when unhealthy has gone");
            for &(on, kind) in self.graph.dependencies(index as Index) {
                let met = kind != DependencyKind::Requires || self.core.row(on).is_met();
                let keeps = self.core.reaction(index as Index, on) == Reaction::Keep;
                self.check(met || keeps || !row.serves(), "nothing runs without what it requires");
            }
        }
        let none = self.core.ops.is_empty() && self.core.rollbacks.is_empty();
        self.check(none, "no call is kept");
        self.check(self.core.carried.is_empty(), "nobody carries what is over");
    }
}

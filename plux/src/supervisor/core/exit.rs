//! The end of an incarnation: what it makes of the service, and of those that stand on it.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::error::Exit;
use crate::reason::{StopReason, Stopped};
use crate::restart::{GiveUp, Reaction};
use crate::spec::DependencyKind;
use crate::state::ServiceState;

use super::ending::{Ending, verdict};
use super::model::Core;
use super::restarts::Next;
use super::row::Moment;
use super::words::{Action, Down, How, Index, Round};

impl<C> Core<C> {
    pub(super) fn ended(&mut self, service: Index, incarnation: u32, ending: Ending) {
        let row = self.row_mut(service);
        if row.incarnation != incarnation || !row.live {
            return;
        }
        row.live = false;
        row.arming = row.arming.wrapping_add(1);
        if std::mem::take(&mut row.leaked) {
            // It was reported and nobody waits for it: from now on it can be started by hand.
            return;
        }
        self.live -= 1;
        self.carry(service);
        self.release(service);
        let now = Moment::new(self.now);
        let row = self.row_mut(service);
        row.end.ended = Some(now);
        row.end.how = how(&ending);
        let (plan, late, was_ready) = (row.plan.take(), row.late.take(), row.was_ready);
        let told = matches!(row.state, ServiceState::Stopping(_));
        let state = verdict(plan, late, was_ready, &ending);
        let completed = matches!(state, ServiceState::Stopped(Stopped::Completed));
        if completed && row.start.is_none() {
            // A start that only pulls it is content with its completion.
            row.due = false;
        }
        // A start that came after this run was over, or was to end, is about the next one. If it only pulls
        // the service, the next one is for the policy to make, if that ever does.
        let by_hand = row.due && (row.start.is_some() || !row.limits.comes_back());
        let is_stop = matches!(state, ServiceState::Stopped(_)) && !completed;
        let next =
            if is_stop || by_hand { Next::Stays } else { self.next(service, &state, &ending) };
        let row = self.row_mut(service);
        row.due &= !matches!(next, Next::GivenUp(_));
        let due = row.due;
        if let (Some(reason), false) = (plan, told) {
            // It ended before its dependents had, or while its tasks did: the way down is the same.
            self.publish(service, ServiceState::Stopping(reason));
        }
        if plan.is_some() {
            self.report(service, incarnation, ending);
        }
        let back = matches!(next, Next::Again { .. });
        let round = match &next {
            Next::Stays => Round::None,
            Next::GivenUp(GiveUp::Fail | GiveUp::Escalate) => Round::Ends,
            Next::Again { .. } | Next::GivenUp(GiveUp::CoolDown(_)) => Round::Begins,
        };
        let escalates = matches!(next, Next::GivenUp(GiveUp::Escalate));
        self.carry_on(service, state, next);
        let down = down(service, &self.row(service).state).filter(|_| !(back && completed));
        if down.is_some() || back {
            self.react(service, round);
        }
        if let (Some(down), false) = (down, due) {
            self.fail_starts(service, &down);
        }
        if escalates {
            self.begin_shutdown();
        }
        self.unblock_dependencies(service);
        self.advance(service);
        self.has_decided(service);
    }

    /// Tells of an end that was asked for and did not go well.
    fn report(&mut self, service: Index, incarnation: u32, ending: Ending) {
        match ending {
            Ending::Exit(Exit::Completed) | Ending::NotLoaded(_) | Ending::Disabled(_) => {}
            Ending::Exit(exit) => {
                let exit = Box::new(exit);
                self.actions.push(Action::Report { service, incarnation, exit });
            }
        }
    }

    /// What stands on a service that is gone does as its edge says: it stops, the outermost first,
    /// and is due again when the service is back, or it stops for good, or it goes on.
    pub(super) fn react(&mut self, service: Index, round: Round) {
        let plans = self.reacting(service, round);
        self.plan(&plans);
    }

    /// The same, but for the plan.
    pub(super) fn reacting(&mut self, service: Index, round: Round) -> Vec<(Index, StopReason)> {
        if round == Round::Begins {
            self.lead(service);
        }
        if round == Round::Ends {
            self.call_companions_off(service);
        }
        let mut plans = Vec::new();
        for (member, reaction, reason) in self.reactions(service, round) {
            let row = self.row(member);
            if row.live && !row.leaked {
                self.react_to(member, reaction);
                plans.push((member, reason));
                if reason == StopReason::Group {
                    self.wait_for_companion(member);
                }
            }
        }
        plans
    }

    /// It is to stop because of what it requires, or of its group.
    pub(super) fn react_to(&mut self, service: Index, reaction: Reaction) {
        let row = self.row_mut(service);
        let was_due = row.due;
        row.react(reaction);
        if was_due && !row.due {
            self.has_decided(service);
        }
    }

    /// All that have to stop when `service` is gone, what becomes of them, and why. What goes on ends the
    /// spread; who stands on several that stop, stops for good when one of its edges says so. In a group
    /// that is restarted together, the group goes before the edges.
    pub(super) fn reactions(
        &self,
        service: Index,
        round: Round,
    ) -> Vec<(Index, Reaction, StopReason)> {
        let mut places = FxHashMap::from_iter([(service, usize::MAX)]);
        let mut found: Vec<(Index, Reaction, StopReason)> = Vec::new();
        let mut next = 0;
        let (mut at, mut round) = (service, round);
        loop {
            if let Round::Begins | Round::Ends = round {
                for (member, reaction) in self.companions(at) {
                    if let Entry::Vacant(place) = places.entry(member) {
                        let reaction = if round == Round::Ends { Reaction::Stop } else { reaction };
                        place.insert(found.len());
                        found.push((member, reaction, StopReason::Group));
                    }
                }
            }
            for &(dependent, kind) in self.graph.dependents(at) {
                let reaction = self.reaction(dependent, at);
                let by_group = round != Round::None && self.groups.are_one(at, dependent);
                // Nobody runs on one that does not, unless that has completed.
                let row = self.row(dependent);
                let ends_spread = !row.live && !row.is_completed();
                if kind != DependencyKind::Requires
                    || reaction == Reaction::Keep
                    || by_group
                    || ends_spread
                {
                    continue;
                }
                match places.entry(dependent) {
                    Entry::Vacant(place) => {
                        place.insert(found.len());
                        found.push((dependent, reaction, StopReason::Dependency));
                    }
                    Entry::Occupied(place) if reaction == Reaction::Stop => {
                        if let Some((_, other, StopReason::Dependency)) =
                            found.get_mut(*place.get())
                        {
                            *other = reaction;
                        }
                    }
                    Entry::Occupied(_) => {}
                }
            }
            let Some(&(member, reaction, reason)) = found.get(next) else { return found };
            (at, next) = (member, next + 1);
            round = match (reason, reaction) {
                (StopReason::Group, _) => Round::Later,
                // Who does not run is not restarted, and neither is its group.
                (_, Reaction::Restart) if self.row(member).live => Round::Begins,
                _ => Round::None,
            };
        }
    }

    /// What the end of `on` does to a dependent that requires it.
    pub(super) fn reaction(&self, dependent: Index, on: Index) -> Reaction {
        let own = self.row(dependent).limits.reaction;
        self.reactions.get(&(dependent, on)).copied().unwrap_or(own)
    }
}

fn down(service: Index, state: &ServiceState) -> Option<Down> {
    match state {
        ServiceState::Failed(failure) | ServiceState::Backoff { cause: failure, .. } => {
            Some(Down::Failed { culprit: service, failure: Arc::clone(failure) })
        }
        ServiceState::Disabled(reason) => {
            Some(Down::Disabled { culprit: service, reason: Arc::clone(reason) })
        }
        _ => None,
    }
}

fn how(ending: &Ending) -> How {
    match ending {
        Ending::Exit(Exit::Completed) | Ending::NotLoaded(_) | Ending::Disabled(_) => How::Clean,
        Ending::Exit(Exit::Aborted) => How::Aborted,
        Ending::Exit(exit) => How::Error(Box::new(exit.clone())),
    }
}

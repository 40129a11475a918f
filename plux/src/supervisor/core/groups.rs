//! Services that are restarted together, and groups that have a budget of their own.
//!
//! Trap: no member begins before all that are restarted with it have ended, nor before the delay of the
//! one that failed is over; so whoever lets go of the one or the other has the members looked at.

use crate::reason::Stopped;
use crate::restart::{Reaction, RestartPolicy};

use super::model::Core;
use super::words::Index;

impl<C> Core<C> {
    /// Who is restarted when `service` is, and stops otherwise.
    pub(super) fn companions(&self, service: Index) -> Vec<(Index, Reaction)> {
        let together = self.groups.of(service).filter(|standing| standing.group.one_for_all);
        let Some(standing) = together else { return Vec::new() };
        let others = standing.group.members.iter().filter(|member| **member != service);
        let reaction = |member: &Index| match self.row(*member).limits.restart {
            RestartPolicy::Temporary => (*member, Reaction::Stop),
            _ => (*member, Reaction::Restart),
        };
        others.map(reaction).collect()
    }

    /// Makes the delay of `service` that of all who are restarted with it.
    pub(super) fn lead(&mut self, service: Index) {
        if let Some(standing) = self.groups.of_mut(service)
            && standing.group.one_for_all
        {
            standing.leader = Some(service);
        }
    }

    /// Has all members wait for the end of this one, which is live.
    pub(super) fn wait_for_companion(&mut self, service: Index) {
        if let Some(standing) = self.groups.of_mut(service)
            && standing.group.one_for_all
            && !std::mem::replace(&mut self.rows[service as usize].in_round, true)
        {
            standing.ending += 1;
        }
    }

    /// Its group was to come back with it, and it was given up: the others come back only if somebody has
    /// asked for them.
    pub(super) fn call_companions_off(&mut self, service: Index) {
        for (member, _) in self.companions(service) {
            let row = self.row_mut(member);
            if row.due && row.starts.is_empty() {
                row.wanted = false;
                self.call_off(member, Stopped::Group);
            }
        }
    }

    /// Whether a member has to wait for the others.
    pub(super) fn waits_for_group(&self, service: Index) -> bool {
        let Some(standing) = self.groups.of(service) else { return false };
        let leads = |leader: Index| {
            let row = self.row(leader);
            leader != service && (row.delayed || row.cooling)
        };
        standing.ending > 0 || standing.leader.is_some_and(leads)
    }

    /// One that was to end has.
    pub(super) fn end_for_group(&mut self, service: Index) {
        if std::mem::take(&mut self.row_mut(service).in_round)
            && let Some(standing) = self.groups.of_mut(service)
        {
            standing.ending -= 1;
            if standing.ending == 0 {
                self.look_at_group(service);
            }
        }
    }

    /// The delay of a leader is over, or nobody's any more.
    pub(super) fn follow(&mut self, service: Index) {
        if let Some(standing) = self.groups.of_mut(service)
            && standing.leader == Some(service)
        {
            standing.leader = None;
            self.look_at_group(service);
        }
    }

    /// A member is started by hand: nobody waits for the one that failed any more.
    pub(super) fn leave_leader(&mut self, service: Index) {
        if let Some(leader) = self.groups.of(service).and_then(|standing| standing.leader) {
            self.follow(leader);
        }
    }

    /// Has the members looked at when the step's own work is done.
    fn look_at_group(&mut self, service: Index) {
        let members = self.groups.of(service).map(|standing| standing.group.members.clone());
        self.moved.extend(members.unwrap_or_default());
    }
}

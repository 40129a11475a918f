//! What services share: groups, and the slots for restarts.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::restart::{GiveUp, Intensity};

use super::failures::Failures;
use super::words::Index;

/// A group as the core has it.
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Group {
    pub(crate) name: Arc<str>,
    pub(crate) members: Vec<Index>,
    /// Whether the failure of one restarts all.
    pub(crate) one_for_all: bool,
    pub(crate) intensity: Option<Intensity>,
    pub(crate) give_up: GiveUp,
}

/// A group, and where it stands.
#[cfg_attr(test, derive(Clone))]
pub(super) struct Standing {
    pub(super) group: Group,
    pub(super) failures: Failures,
    /// How many members have to end before any begins again.
    pub(super) ending: u32,
    /// The one that failed, whose delay is that of all.
    pub(super) leader: Option<Index>,
}

/// All groups; nothing without any.
#[derive(Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Groups {
    pub(super) list: Vec<Standing>,
    of: FxHashMap<Index, usize>,
}

impl Groups {
    pub(super) fn new(groups: Vec<Group>) -> Self {
        let mut of = FxHashMap::default();
        for (place, group) in groups.iter().enumerate() {
            of.extend(group.members.iter().map(|member| (*member, place)));
        }
        let standing =
            |group| Standing { group, failures: Failures::default(), ending: 0, leader: None };
        Self { list: groups.into_iter().map(standing).collect(), of }
    }

    /// A service comes into the group at that place.
    pub(super) fn join(&mut self, service: Index, place: usize) {
        self.list[place].group.members.push(service);
        self.of.insert(service, place);
    }

    /// A service goes, that nobody waits for.
    pub(super) fn leave(&mut self, service: Index) {
        let Some(place) = self.of.remove(&service) else { return };
        let standing = &mut self.list[place];
        standing.group.members.retain(|member| *member != service);
        standing.leader.take_if(|leader| *leader == service);
    }

    pub(super) fn of(&self, service: Index) -> Option<&Standing> {
        Some(&self.list[*self.of.get(&service)?])
    }

    pub(super) fn of_mut(&mut self, service: Index) -> Option<&mut Standing> {
        Some(&mut self.list[*self.of.get(&service)?])
    }

    /// Whether the failure of either restarts the other.
    pub(super) fn are_one(&self, one: Index, other: Index) -> bool {
        let group = self.of.get(&one);
        group.is_some()
            && group == self.of.get(&other)
            && self.of(one).is_some_and(|standing| standing.group.one_for_all)
    }
}

/// The slots that are free, and who waits for one, in turn. By default nothing is capped.
#[derive(Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Slots {
    pub(super) free: Option<usize>,
    pub(super) queue: VecDeque<Index>,
}

impl Slots {
    pub(super) fn new(free: Option<usize>) -> Self {
        Self { free, queue: VecDeque::new() }
    }
}

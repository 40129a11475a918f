//! What random walks draw: numbers, and configurations.

use std::sync::Arc;
use std::time::Duration;

use super::failures::Limits;
use super::model::Core;
use super::shares::Group;
use super::words::{Answer, Index, Input, Newcomer, Reactions};
use crate::graph::Graph;
use crate::health::OnUnhealthy;
use crate::options::GracePeriod;
use crate::restart::{Backoff, GiveUp, Intensity, Reaction, RestartPolicy};

/// A small generator, so that a seed is all it takes to repeat a walk (splitmix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }
}

pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) fn limits(dice: &mut Dice) -> Limits {
    let restart = match dice.roll(4) {
        0 => RestartPolicy::Permanent,
        1 => RestartPolicy::Temporary,
        _ => RestartPolicy::Transient,
    };
    Limits {
        grace_period: match dice.roll(3) {
            0 => GracePeriod::Bounded(Duration::ZERO),
            1 => GracePeriod::Unlimited,
            _ => GracePeriod::Bounded(SECOND),
        },
        start_timeout: Some(9 * SECOND),
        restart,
        backoff: match dice.roll(3) {
            0 => Backoff::NONE,
            _ => Backoff::exponential(SECOND, 4 * SECOND),
        },
        stable_after: 3 * SECOND,
        intensity: match dice.roll(4) {
            0 => Intensity::UNLIMITED,
            restarts => Intensity::new(restarts as u32 - 1, 20 * SECOND),
        },
        give_up: match dice.roll(6) {
            0 => GiveUp::Escalate,
            1 | 2 => GiveUp::CoolDown(5 * SECOND),
            _ => GiveUp::Fail,
        },
        reaction: match dice.roll(4) {
            0 => Reaction::Keep,
            1 => Reaction::Stop,
            _ if restart == RestartPolicy::Temporary => Reaction::Stop,
            _ => Reaction::Restart,
        },
        watchdog: match dice.roll(3) {
            0 => Some(2 * SECOND),
            _ => None,
        },
        on_unhealthy: match dice.roll(2) {
            0 => OnUnhealthy::Ignore,
            _ => OnUnhealthy::Restart,
        },
    }
}

/// One group, or none.
pub(super) fn groups(dice: &mut Dice, count: usize) -> Vec<Group> {
    if dice.roll(2) == 0 {
        return Vec::new();
    }
    let members: Vec<_> = (0..count as Index).filter(|_| dice.roll(2) == 0).collect();
    let (intensity, give_up) = match dice.roll(4) {
        0 => (Some(Intensity::new(1, 20 * SECOND)), GiveUp::CoolDown(5 * SECOND)),
        1 => (Some(Intensity::new(2, 20 * SECOND)), GiveUp::Fail),
        _ => (None, GiveUp::Fail),
    };
    vec![Group { name: "g".into(), members, one_for_all: dice.roll(3) > 0, intensity, give_up }]
}

/// What an edge says: mostly nothing.
pub(super) fn reaction(dice: &mut Dice, of: &Limits) -> Option<Reaction> {
    match dice.roll(8) {
        0 => Some(Reaction::Keep),
        1 => Some(Reaction::Stop),
        2 if of.restart != RestartPolicy::Temporary => Some(Reaction::Restart),
        _ => None,
    }
}

/// A call that a service has made.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) asks: Index,
    pub(super) ask: Ask,
    pub(super) service: Index,
    pub(super) caller: u32,
    pub(super) told: Option<Answer>,
    /// Whether it was told that it waits in vain, once it was told to stop.
    pub(super) in_vain: Option<bool>,
}

/// A call that a service could make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    Start,
    Stop,
    StopUnused,
    Restart,
    Wait,
}

impl Ask {
    pub(super) const ALL: [Self; 5] =
        [Self::Start, Self::Stop, Self::StopUnused, Self::Restart, Self::Wait];

    pub(super) fn input(self, service: Index, caller: u32) -> Input<u32> {
        match self {
            Self::Start => Input::Start { service, caller },
            Self::Stop => Input::Stop { service, caller },
            Self::StopUnused => Input::StopUnused { service, caller },
            Self::Restart => Input::Restart { service, caller },
            Self::Wait => Input::Wait { service, caller },
        }
    }
}

/// All services there can be.
pub(super) struct All {
    pub(super) graph: Arc<Graph>,
    pub(super) reactions: Reactions,
    pub(super) newcomers: Vec<Newcomer>,
}

impl All {
    pub(super) fn of(core: &Core<u32>) -> Self {
        let newcomer = |place: usize, limits: &Arc<Limits>| {
            let place = place as Index;
            let groups = &core.groups.list;
            let group = groups.iter().position(|it| it.group.members.contains(&place));
            Newcomer { place, limits: Arc::clone(limits), group }
        };
        let rows = core.rows.iter().enumerate();
        let newcomers = rows.map(|(place, row)| newcomer(place, &row.limits)).collect();
        Self { graph: Arc::clone(&core.graph), reactions: core.reactions.clone(), newcomers }
    }
}

//! What each seam does at each of its turns.

use std::ops::{RangeFrom, RangeFull, RangeInclusive};
use std::sync::Arc;

use super::step::{Seam, Step, nonsense};

/// Which turns of a seam: `1`, `2..`, `2..=3` or `..`. The first is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    first: u32,
    last: u32,
}

impl When {
    fn has(self, turn: u32) -> bool {
        (self.first..=self.last).contains(&turn)
    }
}

impl From<u32> for When {
    fn from(turn: u32) -> Self {
        Self { first: turn, last: turn }
    }
}

impl From<RangeFull> for When {
    fn from(_: RangeFull) -> Self {
        Self { first: 1, last: u32::MAX }
    }
}

impl From<RangeFrom<u32>> for When {
    fn from(turns: RangeFrom<u32>) -> Self {
        Self { first: turns.start, last: u32::MAX }
    }
}

impl From<RangeInclusive<u32>> for When {
    fn from(turns: RangeInclusive<u32>) -> Self {
        Self { first: *turns.start(), last: *turns.end() }
    }
}

#[derive(Debug, Clone)]
struct Rule {
    seam: Seam,
    when: When,
    steps: Arc<[Step]>,
}

/// Rules, of which the last that fits counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    rules: Vec<Rule>,
}

impl Script {
    /// Adds a rule, or says what is wrong with it.
    pub(super) fn add(&mut self, seam: Seam, when: When, steps: Vec<Step>) -> Result<(), String> {
        if when.first == 0 || when.first > when.last {
            return Err(format!("turns count from 1: {}..={} is none", when.first, when.last));
        }
        match nonsense(seam, &steps) {
            Some(wrong) => Err(wrong),
            None => {
                self.rules.push(Rule { seam, when, steps: steps.into() });
                Ok(())
            }
        }
    }

    /// What the seam does at that turn; without a rule a run is ready, and all else does nothing.
    pub(super) fn steps(&self, seam: Seam, turn: u32) -> Arc<[Step]> {
        let fits = |rule: &&Rule| rule.seam == seam && rule.when.has(turn);
        match self.rules.iter().rev().find(fits) {
            Some(rule) => Arc::clone(&rule.steps),
            None if seam == Seam::Run => Arc::new([Step::Ready]),
            None => Arc::new([]),
        }
    }

    /// Whether the first load answers that the plugin is disabled.
    pub(super) fn is_disabled(&self) -> bool {
        let says = |step: &Step| matches!(step, Step::Disable(_) | Step::Decline);
        [Seam::ShouldLoad, Seam::Load].iter().any(|seam| self.steps(*seam, 1).iter().any(says))
    }
}

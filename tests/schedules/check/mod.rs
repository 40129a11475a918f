//! Whether a recorded run is a legal one, by the promises alone: nothing of plux's is used here.
//!
//! Trap: a line may be late, never early. So a call has had its effect at some moment between its
//! command and its reply, and what is not sure is let pass.

mod bounds;
mod cap;
mod cause;
mod comes;
mod fails;
mod groups;
mod holds;
mod leaks;
mod moves;
mod nested;
mod order;
mod replies;
mod rest;
mod restarts;
mod stops;

use std::fmt;

use crate::facts::Facts;
use crate::run::Run;

/// Why a run is not a legal one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Illegal {
    /// The number of the promise; `form` for what is no recorded run at all.
    pub rule: &'static str,
    /// The line where it shows.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Illegal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {}: {}", self.rule, self.line, self.what)
    }
}

pub(crate) type Agrees = Result<(), Illegal>;

pub(crate) fn illegal(rule: &'static str, line: usize, what: impl Into<String>) -> Illegal {
    Illegal { rule, line, what: what.into() }
}

pub(crate) fn ensure(
    holds: bool,
    rule: &'static str,
    line: usize,
    what: impl FnOnce() -> String,
) -> Agrees {
    if holds { Ok(()) } else { Err(illegal(rule, line, what())) }
}

type Rule = fn(&Facts<'_>) -> Agrees;

const RULES: [Rule; 15] = [
    moves::agree,
    order::agree,
    stops::agree,
    replies::agree,
    cause::agree,
    holds::agree,
    restarts::agree,
    groups::agree,
    bounds::agree,
    cap::agree,
    fails::agree,
    comes::agree,
    leaks::agree,
    nested::agree,
    rest::agree,
];

/// Says what is wrong with a run, if something is.
///
/// # Errors
/// A promise that does not hold, and where.
pub fn check(run: &Run) -> Result<(), Illegal> {
    let facts = Facts::new(run)?;
    RULES.into_iter().try_for_each(|rule| rule(&facts))
}

/// All that is wrong with a run, as far as it does not hide behind something of the same kind.
pub fn faults(run: &Run) -> Vec<Illegal> {
    match Facts::new(run) {
        Ok(facts) => RULES.into_iter().filter_map(|rule| rule(&facts).err()).collect(),
        Err(illegal) => vec![illegal],
    }
}

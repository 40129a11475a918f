//! Whether a recorded run is a legal one, by the promises alone: nothing of plux's is used here.
//!
//! Trap: a line may be late, never early. So a call has had its effect at some moment between its
//! command and its reply, and what is not sure is let pass.

mod bounds;
mod cause;
mod groups;
mod holds;
mod moves;
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

/// Says what is wrong with a run first, if something is.
///
/// # Errors
/// The promise that does not hold, and where.
pub fn check(run: &Run) -> Agrees {
    let facts = Facts::new(run)?;
    let rules = [
        moves::agree,
        order::agree,
        stops::agree,
        replies::agree,
        cause::agree,
        holds::agree,
        restarts::agree,
        groups::agree,
        bounds::agree,
        rest::agree,
    ];
    rules.into_iter().try_for_each(|rule| rule(&facts))
}

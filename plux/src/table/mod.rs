//! The state table: a row per plugin, and the only ways in which a row moves.

mod entry;

mod claim;

mod rows;

pub(crate) use claim::{Claim, Ended, Initialized, Loading, Turn, next_call};
pub(crate) use entry::{Entry, Outcome, Reason, Value, discard};
pub(crate) use rows::Table;

#[cfg(test)]
mod tests;

//! What carries the core's decisions out: tasks, timers, the mailbox.

mod cell;

#[cfg(test)]
mod interleave;

mod shared;

mod child;

mod timers;

mod dispatcher;

pub(crate) use dispatcher::Dispatcher;
pub(crate) use shared::{Caller, Child, Owner, Shared};

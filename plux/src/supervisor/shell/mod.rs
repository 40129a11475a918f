//! What carries the core's decisions out: tasks, timers, the mailbox.

mod cell;

#[cfg(test)]
mod interleave;

mod told;

mod shared;

mod child;

mod alarm;

mod timers;

mod dispatcher;

mod change;

pub(crate) use dispatcher::Dispatcher;
pub(crate) use shared::{Addition, Caller, Child, Mail, Meant, Owner, Shared, published};
pub(crate) use told::Told;

//! What carries the core's decisions out: tasks, timers, the mailbox.

mod cell;

mod flags;

#[cfg(test)]
mod interleave;

mod told;

mod alarm;

mod post;

mod shared;

mod child;

mod timers;

mod dispatcher;

mod change;

pub(crate) use dispatcher::Dispatcher;
pub(crate) use post::Post;
pub(crate) use shared::{Addition, Caller, Child, Mail, Mailbox, Meant, Owner, Shared, published};
pub(crate) use told::Told;

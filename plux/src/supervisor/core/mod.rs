//! The pure core: every decision that concerns two services or more.
//!
//! `Core::step` takes what happened and answers what to do. It reads no clock, spawns nothing and
//! runs no user code, so it can be driven through any interleaving. Services are indices here.

mod ending;

mod failures;

mod loan;

mod words;

mod op;

mod row;

mod shares;

mod model;

mod order;

mod plan;

mod lend;

mod watch;

mod start;

mod stop;

mod own_end;

mod change;

mod groups;

mod slots;

mod restarts;

mod exit;

mod step;

#[cfg(test)]
mod chance;

#[cfg(test)]
mod walk;

#[cfg(test)]
mod lent;

#[cfg(test)]
mod coming;

#[cfg(test)]
mod rest;

#[cfg(test)]
mod in_vain;

#[cfg(test)]
mod explore;

#[cfg(test)]
mod matrix;

pub(crate) use ending::Ending;
pub(crate) use failures::Limits;
pub(crate) use loan::Loan;
pub(crate) use model::Core;
pub(crate) use shares::Group;
pub(crate) use words::{
    About, Action, Answer, Coming, Down, Ended, How, Index, Input, Newcomer, Reactions, Stays,
    Summary, Up,
};

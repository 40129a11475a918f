//! What the benches share: how rounds are run, how tables and gates are written, and the plugins and
//! services that do nothing, or one thing.

mod compare;
mod configured;
mod gates;
mod heap;
mod machine;
mod options;
mod plugins;
mod rounds;
mod services;
mod table;
pub mod work;

pub use compare::{Group, compare};
pub use configured::Configured;
pub use gates::Gates;
pub use heap::Heap;
pub use machine::on_worker;
pub use options::Options;
pub use plugins::{
    Asking, Computing, NoOp, Plain, Sleeping, Specs, Yielding, asking, bare, builder, custom,
    manager, specs,
};
pub use rounds::{Goal, Row, Timed, median, medians};
pub use services::{Idle, idle};
pub use table::{Table, count, ratio, time};
pub use work::all;

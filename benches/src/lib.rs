//! What the benches share: how rounds are run, how tables and gates are written, and the plugins and
//! services that do nothing, or one thing.

mod compare;
mod configured;
mod gates;
mod heap;
mod machine;
mod options;
#[cfg(feature = "peers")]
pub mod peers;
mod plugins;
mod raw;
mod rounds;
mod running;
mod services;
mod supervised;
mod table;
pub mod work;

pub use compare::{Group, compare, compare_one};
pub use configured::Configured;
pub use gates::Gates;
pub use heap::Heap;
pub use machine::on_worker;
pub use options::Options;
pub use plugins::{
    Asking, Computing, NoOp, Plain, Sleeping, Specs, Yielding, asking, bare, builder, custom,
    manager, specs,
};
pub use raw::{Raw, RawLoop, RawOne};
pub use rounds::{Goal, Row, Timed, median, medians};
pub use running::{
    Begun, ByName, Failures, How, Restarting, Running, by_name, heap, restart, start, stop,
};
pub use services::{Idle, idle, idle_and_failing, service_name};
pub use supervised::{Loaded, Supervised};
pub use table::{Table, count, ratio, time};
pub use work::all;

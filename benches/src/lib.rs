//! What the benches share: how rounds are run, how tables and gates are written, and the plugins and
//! services that do nothing.

mod gates;
mod heap;
mod machine;
mod options;
mod plugins;
mod rounds;
mod services;
mod table;

pub use gates::Gates;
pub use heap::Heap;
pub use machine::on_worker;
pub use options::Options;
pub use plugins::{Asking, NoOp, Plain, asking, bare, manager, specs};
pub use rounds::{Row, Timed, medians};
pub use services::{Idle, idle};
pub use table::{Table, count, time};

//! The supervisor: a pure core, the shell that carries its decisions out, and the door.

mod bound;
mod builder;
mod calls;
mod changes;
mod core;
mod few;
mod for_all;
mod found;
mod limits;
mod nested;
mod plan;
mod plans;
mod report;
mod roster;
mod shell;
mod source;
mod status;

pub use builder::SupervisorBuilder;
pub use calls::{Supervisor, WeakSupervisor};
pub use nested::{Nested, NestedFailure};
pub use plan::{Plan, PlanKind, PlanReason, PlanStep};
pub use report::{
    RestartReport, ShutdownReport, StartOutcome, StartReport, StopHow, StopReport, StopRow,
};
pub use status::ServiceStatus;

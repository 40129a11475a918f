//! One error enum per operation.

mod check;

mod plugin;

mod service;

pub use check::{CheckError, CheckProblem};
pub use plugin::{
    BoxError, EntryError, FailureCause, FindError, GraphError, LoadError, LoadFailure, Near,
    SharedError,
};
pub use service::{
    BuildError, BuildProblem, Exit, HandleError, RestartError, RunError, ServiceFailure,
    StartError, StopError,
};

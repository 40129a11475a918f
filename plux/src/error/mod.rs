//! One error enum per operation.

mod plugin;

mod service;

pub use plugin::{
    BoxError, EntryError, FailureCause, FindError, GraphError, LoadError, LoadFailure, Near,
    SharedError,
};
pub use service::{
    BuildError, BuildProblem, Exit, HandleError, RestartError, RunError, ServiceFailure,
    StartError, StopError,
};

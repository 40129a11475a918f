//! One error enum per operation.

mod text;

mod check;

mod plugin;

mod service;

mod build;

mod change;

pub(crate) use text::debug_as_text;

pub use build::{BuildError, BuildProblem};
pub use change::{AddError, RemoveError};
pub use check::{CheckError, CheckProblem};
pub(crate) use plugin::NOT_LINKED;
pub use plugin::{
    BoxError, EntryError, FailureCause, FindError, GraphError, LoadError, LoadFailure, Near,
    SharedError,
};
pub use service::{
    Exit, HandleError, RestartError, RunError, ServiceFailure, StartError, StopError,
};

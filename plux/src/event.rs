//! What happened: a closed set of past facts, data only, each with a number.

use std::sync::Arc;

use crate::error::{Exit, LoadFailure};
use crate::health::Health;
use crate::name::PluginId;
use crate::origin::Origin;
use crate::state::ServiceState;

/// One fact about one plugin or service.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Event {
    /// Counts up by one per event of a manager, or of a supervisor; 1 is the first that a listener hears.
    pub number: u64,
    /// Whom it is about.
    pub id: PluginId,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum EventKind {
    /// Its spec fits the manager's extension point.
    Resolved(Origin),
    /// Its spec does not fit, is there twice, or could not be made by the finder, or its place in the
    /// graph makes it unusable. It was asked for all the same.
    ResolveFailed(Arc<str>),
    /// Its factory has run.
    Initialized,
    /// Its factory failed.
    InitFailed(Arc<LoadFailure>),
    /// `load` was called.
    LoadStarted,
    /// Its output is there.
    Loaded,
    /// `should_load` or `load` failed, or a filter panicked.
    LoadFailed(Arc<LoadFailure>),
    /// It did not want to load, or a filter refused it.
    Disabled(Arc<str>),
    /// What it requires is not there.
    Skipped(PluginId),
    /// A service was added to the supervisor, which runs: the first fact about it. It stands stopped.
    Added(Origin),
    /// A service was removed from the supervisor: the last fact about it.
    Removed,
    /// A service moved to another state.
    Service {
        /// The state it is in now.
        state: ServiceState,
        /// The number of the run this is about; 0 before the first.
        incarnation: u32,
    },
    /// A run is in another health than before. A fresh one is healthy, and nothing is told of that.
    Health {
        /// How well it is now.
        health: Health,
        /// The number of the run.
        incarnation: u32,
    },
    /// A run that was told to stop ended otherwise than well: with an error or a panic, or it was
    /// dropped. What its service comes to, whatever the run did, is the next fact about it.
    StopFailed {
        /// How it ended.
        exit: Exit,
        /// The number of the run.
        incarnation: u32,
    },
}

//! What a test of a service found wrong with it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{BuildError, Exit, HandleError, LoadError, RestartError, StartError, StopError};
use crate::reason::Phase;
use crate::restart::Reaction;
use crate::state::ServiceState;
use crate::task::Panic;

/// What is wrong with a service, or with its test.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// No such plugin is registered.
    #[error("no plugin `{name}` in the namespace `{namespace}`; name its crate with plux::link!")]
    Unknown {
        /// The name.
        name: String,
        /// The namespace of its extension point.
        namespace: String,
    },
    /// It requires something that the test has no stand-in for.
    #[error(
        "`{name}` requires `{dependency}`, and the test has no stand-in for that; add one with `given`"
    )]
    NoStandIn {
        /// The service.
        name: Arc<str>,
        /// What it requires.
        dependency: String,
    },
    /// A stand-in was given for something that it does not depend on.
    #[error("`{name}` does not depend on `{dependency}`, for which there is a stand-in")]
    NotADependency {
        /// The service.
        name: Arc<str>,
        /// What it is given.
        dependency: String,
    },
    /// Its configuration can not work.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Its plugin did not load.
    #[error("the plugin of `{name}` did not load: {source}")]
    NotLoaded {
        /// The service.
        name: Arc<str>,
        /// Why.
        source: LoadError,
    },
    /// Its plugin did not want to load.
    #[error("`{name}` is disabled: {reason}")]
    Disabled {
        /// The service.
        name: Arc<str>,
        /// Why.
        reason: Arc<str>,
    },
    /// It was not ready within its start timeout.
    #[error(
        "`{name}#{incarnation}` was never ready: it was still in its `{reached}` after {timeout:?}; does \
         it call ServiceContext::ready?"
    )]
    NeverReady {
        /// The service.
        name: Arc<str>,
        /// The run.
        incarnation: u32,
        /// The time it had.
        timeout: Duration,
        /// How far it had come.
        reached: Phase,
    },
    /// It ended before it was ready.
    #[error("`{name}#{incarnation}` ended before it was ready: {exit}")]
    EndedBeforeReady {
        /// The service.
        name: Arc<str>,
        /// The run.
        incarnation: u32,
        /// How.
        exit: Exit,
    },
    /// It published `()`, where a test expects something.
    #[error(
        "`{name}` is ready and has published nothing; give ServiceContext::ready the {expected}"
    )]
    PublishedNothing {
        /// The service.
        name: Arc<str>,
        /// What was expected.
        expected: &'static str,
    },
    /// It published something else.
    #[error("`{name}` published a {published}, not a {expected}")]
    PublishedOther {
        /// The service.
        name: Arc<str>,
        /// What was published.
        published: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// It ended although nobody told it to.
    #[error("`{name}` does not run any more, and nobody has stopped it: it is {state}")]
    Gone {
        /// The service.
        name: Arc<str>,
        /// Where it stands.
        state: ServiceState,
    },
    /// It was aborted when its grace period was over.
    #[error(
        "`{name}#{incarnation}` did not end within its grace period, and was dropped; does it wait for \
         ServiceContext::stopping?"
    )]
    IgnoresStop {
        /// The service.
        name: Arc<str>,
        /// The run.
        incarnation: u32,
    },
    /// It ended in time, and a task of its did not.
    #[error(
        "a task of `{name}#{incarnation}` did not end within the grace period, and was dropped; does it \
         heed ServiceContext::stopping?"
    )]
    TaskIgnoresStop {
        /// The service.
        name: Arc<str>,
        /// The run.
        incarnation: u32,
    },
    /// It was aborted and has not ended since.
    #[error("`{name}` was aborted, and has not ended since; it keeps its thread")]
    CanNotBeEnded {
        /// The service.
        name: Arc<str>,
    },
    /// It was told to stop and ended with an error or a panic.
    #[error("`{name}#{incarnation}` was told to stop, and ended with: {exit}")]
    FailedToStop {
        /// The service.
        name: Arc<str>,
        /// The run.
        incarnation: u32,
        /// How it ended.
        exit: Exit,
    },
    /// What a run held panicked when it was dropped.
    #[error("a destructor of `{name}#{incarnation}` {panic}")]
    PanickedInDestructor {
        /// The service.
        name: Arc<str>,
        /// The run.
        incarnation: u32,
        /// The panic.
        panic: Panic,
    },
    /// A new run is not as the first one was.
    #[error(
        "`{name}` does not begin anew: its first run began with {first}, and the one after a restart \
         with {again}; keep in `run` what must not outlive a run"
    )]
    NotFresh {
        /// The service.
        name: Arc<str>,
        /// What the first run began with.
        first: String,
        /// What the next one began with.
        again: String,
    },
    /// It did not do what its edge says when what it requires was lost.
    #[error(
        "`{dependency}` was lost, and `{name}`, whose reaction is {reaction:?}, is {state} after {after:?}"
    )]
    DidNotReact {
        /// The service.
        name: Arc<str>,
        /// What was lost.
        dependency: String,
        /// What its edge says.
        reaction: Reaction,
        /// Where it stands.
        state: ServiceState,
        /// The time it had.
        after: Duration,
    },
    /// Tasks go on that were not there before.
    #[error(
        "`{name}` has ended, and {} go on that were not there before; spawn tasks with \
         ServiceContext::spawn",
        Tasks(*.tasks)
    )]
    LeakedTasks {
        /// The service.
        name: Arc<str>,
        /// How many.
        tasks: usize,
    },
    /// A start failed in another way.
    #[error(transparent)]
    Start(StartError),
    /// A restart failed in another way.
    #[error(transparent)]
    Restart(RestartError),
    /// A stop failed in another way.
    #[error(transparent)]
    Stop(StopError),
    /// There is no handle, for another reason.
    #[error(transparent)]
    Handle(HandleError),
}

/// As its text, which is what `unwrap` and a test's `main` show.
impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

struct Tasks(usize);

impl fmt::Display for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} task{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

//! How an incarnation ended, and the state it leaves its service in.

use std::sync::Arc;

use crate::error::{Exit, FailureCause, LoadError, ServiceFailure, SharedError};
use crate::reason::{Fatal, StopReason, Stopped};
use crate::state::ServiceState;

/// How an incarnation ended.
#[derive(Debug, Clone)]
pub(crate) enum Ending {
    /// Its run did.
    Exit(Exit),
    /// Its plugin did not load.
    NotLoaded(Box<LoadError>),
    /// Its plugin did not want to load.
    Disabled(Arc<str>),
}

impl Ending {
    /// The error of the user's in it.
    pub(crate) fn error(&self) -> Option<SharedError> {
        let failure = match self {
            Self::Exit(Exit::Failed(error)) => return Some(Arc::clone(error)),
            Self::NotLoaded(error) => match &**error {
                LoadError::Failed(failure) => failure,
                _ => return None,
            },
            _ => return None,
        };
        match &failure.cause {
            FailureCause::Error(error) => Some(Arc::clone(error)),
            _ => None,
        }
    }
}

/// The state that an ended incarnation leaves its service in.
pub(super) fn verdict(
    plan: Option<StopReason>,
    late: Option<Arc<ServiceFailure>>,
    was_ready: bool,
    ending: &Ending,
) -> ServiceState {
    let failed = |failure| ServiceState::Failed(Arc::new(failure));
    if let Some(late) = late {
        return ServiceState::Failed(late);
    }
    match (plan, ending) {
        (Some(reason), _) => ServiceState::Stopped(stopped(reason)),
        (None, Ending::Disabled(reason)) => ServiceState::Disabled(Arc::clone(reason)),
        (None, Ending::NotLoaded(error)) => failed(ServiceFailure::Load((**error).clone())),
        (None, Ending::Exit(exit)) if !was_ready => {
            failed(ServiceFailure::BeforeReady(exit.clone()))
        }
        (None, Ending::Exit(Exit::Completed)) => ServiceState::Stopped(Stopped::Completed),
        (None, Ending::Exit(exit)) => failed(ServiceFailure::Exit(exit.clone())),
    }
}

/// The word for a service that has stopped for this reason.
pub(super) fn stopped(reason: StopReason) -> Stopped {
    match reason {
        StopReason::Asked => Stopped::Asked,
        StopReason::Dependency => Stopped::Dependency,
        StopReason::Restart => Stopped::Restart,
        StopReason::Group => Stopped::Group,
        StopReason::Shutdown => Stopped::Shutdown,
        StopReason::Unneeded => Stopped::Unneeded,
        // These have failed, whatever their run returns: nobody asks for the word.
        StopReason::StartTimeout | StopReason::Watchdog | StopReason::Health => Stopped::Unneeded,
    }
}

/// Whether it says that there is to be no restart.
pub(super) fn is_fatal(ending: &Ending) -> bool {
    matches!(ending, Ending::Exit(Exit::Failed(error)) if error.is::<Fatal>())
}

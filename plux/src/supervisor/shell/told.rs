//! What callers are told: the core's answers, with names for places.

use crate::error::{AddError, RemoveError, StartError, StopError};
use crate::name::Name;
use crate::origin::Origin;
use crate::state::ServiceState;
use crate::supervisor::core::{Answer, Down, Index, Stays, Up};
use crate::supervisor::report::{StartOutcome, StopHow, StopReport, stop_row};

/// The answer to a call. What is seldom told is in a box: every call has room for the largest answer.
pub(crate) enum Told {
    /// To a start or a restart: how, and who was stopped for it.
    Start(Result<(StartOutcome, Vec<Name>), Box<StartError>>),
    Stop(Result<StopReport, Box<StopError>>),
    State(ServiceState),
    Added(Result<Vec<Name>, AddError>),
    Removed(Result<(), Box<RemoveError>>),
    /// To any call: the service that waits for the answer would have to end before it comes.
    OwnEnd(Box<(Name, Origin)>),
    /// To any call: it was removed before the call was heard.
    Gone,
}

impl Told {
    /// The answer to a call on the service at that place. `known` says who is, or was last, at a place.
    pub(super) fn of(
        answer: Answer,
        place: Index,
        known: impl Fn(Index) -> (Name, Origin),
    ) -> Self {
        match answer {
            Answer::Start(Ok(up)) => Self::Start(Ok(match up {
                Up::Started => (StartOutcome::Started, Vec::new()),
                Up::AlreadyRunning => (StartOutcome::AlreadyRunning, Vec::new()),
                Up::Joined => (StartOutcome::Joined, Vec::new()),
                Up::Restarted(dependents) => {
                    let names = dependents.into_iter().map(|dependent| known(dependent).0);
                    (StartOutcome::Started, names.collect())
                }
            })),
            Answer::Start(Err(down)) => {
                let error = start_error(known(place).0, down, known);
                Self::Start(Err(Box::new(error)))
            }
            Answer::Stop(Ok(rows)) => {
                let rows = rows.into_iter().map(|row| stop_row(row, &known)).collect();
                Self::Stop(Ok(StopReport { rows }))
            }
            Answer::Stop(Err(leaked)) => {
                let (name, origin) = known(leaked);
                Self::Stop(Err(Box::new(StopError::Leaked { name, origin })))
            }
            Answer::InUse(users) => {
                let (name, origin) = known(place);
                let dependents = users.into_iter().map(|user| known(user).0).collect();
                Self::Stop(Err(Box::new(StopError::InUse { name, origin, dependents })))
            }
            Answer::State(state) => Self::State(state),
            Answer::Stays(stays) => {
                let (name, origin) = known(place);
                Self::Removed(Err(Box::new(match stays {
                    Stays::Live => RemoveError::Live { name, origin },
                    Stays::Leaked => RemoveError::Leaked { name, origin },
                    Stays::Waiting => RemoveError::Waiting { name, origin },
                    Stays::Needed(by) => {
                        let (by, by_origin) = known(by);
                        RemoveError::Needed { name, origin, by, by_origin }
                    }
                    Stays::Shutdown => RemoveError::Shutdown { name },
                })))
            }
        }
    }
}

impl Told {
    /// Whether it may be the last to have an error of the user's.
    pub(super) fn may_own(&self) -> bool {
        match self {
            Self::Start(Err(error)) => matches!(**error, StartError::Failed { .. }),
            Self::State(ServiceState::Failed(_) | ServiceState::Backoff { .. }) => true,
            Self::Stop(Ok(report)) => {
                report.rows.iter().any(|row| matches!(row.how, StopHow::Error(_)))
            }
            _ => false,
        }
    }
}

fn start_error(name: Name, down: Down, known: impl Fn(Index) -> (Name, Origin)) -> StartError {
    match down {
        Down::Failed { culprit, failure } => {
            let (culprit, origin) = known(culprit);
            StartError::Failed { name, culprit, origin, source: failure }
        }
        Down::Disabled { culprit, reason } => {
            let (culprit, origin) = known(culprit);
            StartError::Disabled { name, culprit, origin, reason }
        }
        Down::Stopped { by, reason } => {
            let (by, origin) = known(by);
            StartError::Stopped { name, by, origin, reason }
        }
        Down::Leaked { culprit } => {
            let (culprit, origin) = known(culprit);
            StartError::Leaked { name, culprit, origin }
        }
        Down::Shutdown => StartError::Shutdown { name },
    }
}

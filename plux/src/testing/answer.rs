//! What a supervisor's calls answer, in the words of a trace.

use std::sync::Arc;

use super::record::Reply;
use super::words::Answer;
use crate::error::{RestartError, StartError, StopError};
use crate::supervisor::{RestartReport, StartOutcome, StopReport};

fn reply(id: u64, answer: Answer, service: Option<&str>) -> Reply {
    Reply { id, answer, service: service.map(Arc::from), stopped: None }
}

pub(super) fn of_start(id: u64, name: &str, outcome: Result<StartOutcome, StartError>) -> Reply {
    match outcome {
        Ok(StartOutcome::Started) => reply(id, Answer::Started, None),
        Ok(StartOutcome::AlreadyRunning) => reply(id, Answer::AlreadyRunning, None),
        Ok(StartOutcome::Joined) => reply(id, Answer::Joined, None),
        Err(error) => of_start_error(id, name, &error),
    }
}

/// What can not be used at all has failed by itself.
fn of_start_error(id: u64, name: &str, error: &StartError) -> Reply {
    let (answer, service) = match error {
        StartError::Unknown { .. } | StartError::Graph(_) | StartError::OwnEnd { .. } => {
            (Answer::Failed, Some(name))
        }
        StartError::Failed { culprit, .. } => (Answer::Failed, Some(culprit.as_str())),
        StartError::Disabled { culprit, .. } => (Answer::Disabled, Some(culprit.as_str())),
        StartError::Stopped { .. } => (Answer::Stopped, None),
        StartError::Leaked { culprit, .. } => (Answer::RefusedLeaked, Some(culprit.as_str())),
        StartError::Shutdown { .. } => (Answer::RefusedShutdown, None),
    };
    reply(id, answer, service)
}

pub(super) fn of_restart(
    id: u64,
    name: &str,
    outcome: Result<RestartReport, RestartError>,
) -> Reply {
    match outcome {
        Ok(_) => reply(id, Answer::Restarted, None),
        Err(RestartError::Start(error)) => of_start_error(id, name, &error),
        Err(RestartError::OwnEnd { .. }) => reply(id, Answer::Failed, Some(name)),
    }
}

pub(super) fn of_stop(id: u64, name: &str, outcome: Result<StopReport, StopError>) -> Reply {
    match outcome {
        Ok(report) => {
            let stopped = report.stopped().map(|name| name.as_str().into()).collect();
            Reply { stopped: Some(stopped), ..reply(id, Answer::Done, None) }
        }
        Err(StopError::Leaked { name, .. }) => reply(id, Answer::Failed, Some(name.as_str())),
        Err(StopError::InUse { .. }) => reply(id, Answer::RefusedInUse, None),
        Err(StopError::Unknown { .. } | StopError::OwnEnd { .. }) => {
            reply(id, Answer::Failed, Some(name))
        }
    }
}

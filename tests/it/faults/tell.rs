//! What is seen, in the words of the table.

use plux::{
    Exit, FailureCause, LoadError, RestartError, RestartReport, ServiceFailure, ServiceState,
    ShutdownReport, StartError, StartOutcome, StopError, StopHow, StopReport,
};

use super::curse::CURSED;

fn panic(panic: &plux::Panic) -> String {
    assert_eq!(panic.message, CURSED);
    "panic".into()
}

pub(super) fn exit(exit: &Exit) -> String {
    match exit {
        Exit::Completed => "completed".into(),
        // Printed with {:?}: its text may be what is cursed.
        Exit::Failed(error) => {
            assert!(format!("{error:?}").contains(CURSED), "{error:?}");
            "error".into()
        }
        Exit::Panicked(why) => panic(why),
        Exit::Aborted => "aborted".into(),
        other => panic!("{other:?}"),
    }
}

pub(super) fn failure(failure: &ServiceFailure) -> String {
    match failure {
        ServiceFailure::Load(LoadError::Failed(failure)) => {
            let cause = match &failure.cause {
                FailureCause::Error(error) => {
                    assert_eq!(error.to_string(), CURSED);
                    "error".into()
                }
                FailureCause::Panic(why) => panic(why),
                other => panic!("{other}"),
            };
            format!("{cause} in {}", failure.phase)
        }
        ServiceFailure::BeforeReady(how) => format!("{} before ready", exit(how)),
        ServiceFailure::StartTimeout { reached, .. } => format!("start timeout in {reached}"),
        ServiceFailure::Watchdog { .. } => "missed heartbeats".into(),
        ServiceFailure::Unhealthy { reason } => {
            assert_eq!(**reason, *CURSED);
            "unhealthy".into()
        }
        ServiceFailure::Exit(how) => exit(how),
        ServiceFailure::Leaked => "leaked".into(),
        other => panic!("{other:?}"),
    }
}

pub(super) fn state(state: &ServiceState) -> String {
    match state {
        ServiceState::Backoff { cause, .. } => format!("backoff ({})", failure(cause)),
        ServiceState::Failed(why) => format!("failed ({})", failure(why)),
        ServiceState::Disabled(_) => "disabled".into(),
        other => other.to_string(),
    }
}

pub(super) fn started(answer: Result<StartOutcome, StartError>) -> String {
    match answer {
        Ok(StartOutcome::Started) => "started".into(),
        Ok(StartOutcome::AlreadyRunning) => "already running".into(),
        Ok(StartOutcome::Joined) => "joined".into(),
        Ok(other) => panic!("{other:?}"),
        Err(StartError::Failed { culprit, source, .. }) => {
            format!("{culprit} failed ({})", failure(&source))
        }
        Err(StartError::Disabled { culprit, .. }) => format!("{culprit} is disabled"),
        Err(StartError::Leaked { culprit, .. }) => format!("{culprit} has leaked"),
        Err(other) => panic!("{other}"),
    }
}

pub(super) fn restarted(answer: Result<RestartReport, RestartError>) -> String {
    match answer {
        Ok(_) => "restarted".into(),
        Err(RestartError::Start(error)) => started(Err(error)),
        Err(other) => panic!("{other}"),
    }
}

pub(super) fn how(how: &StopHow) -> String {
    match how {
        StopHow::Clean => "clean".into(),
        StopHow::Error(why) => exit(why),
        StopHow::Aborted => "aborted".into(),
        StopHow::Leaked => "leaked".into(),
        other => panic!("{other}"),
    }
}

/// The row of `x` in a stop's answer.
pub(super) fn stopped(answer: Result<StopReport, StopError>) -> String {
    match answer {
        Ok(report) => {
            let row = report.rows.iter().find(|row| row.name == *"x").expect("it was named");
            how(&row.how)
        }
        Err(StopError::Leaked { name, .. }) => format!("{name} has leaked"),
        Err(other) => panic!("{other}"),
    }
}

/// What a shutdown's report says of `x`.
pub(super) fn reported(report: &ShutdownReport) -> String {
    let row = report.row("x").map(|row| how(&row.how));
    let before = report.failed_before().iter().any(|name| *name == *"x");
    let pending = report.pending_loads().iter().any(|name| *name == *"x");
    let said = [row, before.then(|| "had failed".into()), pending.then(|| "still loads".into())];
    let said: Vec<_> = said.into_iter().flatten().collect();
    if said.is_empty() { "nothing".into() } else { said.join(", ") }
}

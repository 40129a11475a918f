//! The calls of a case, made from tasks of their own, and what each was told.

use std::future::Future;
use std::time::Duration;

use plux::{
    RestartError, ServiceContext, StartError, StartOutcome, StopError, StopReport, Supervisor,
};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::actor::{Recorder, wait};
use crate::case::{Asks, Call, Case, Inside};
use crate::run::{Answer, Command, What};

/// What a call was told: the answer, whom it names, whom it lists.
type Told = (Answer, Option<usize>, Option<Vec<usize>>);

/// Makes all calls, each in a task and at its time.
pub(crate) fn make(
    case: &Case,
    supervisor: &Supervisor,
    recorder: &Recorder,
) -> Vec<JoinHandle<()>> {
    let there =
        |call: &&Call| call.asks.service().is_none_or(|service| case.services[service].present);
    let calls = case.calls.iter().enumerate().filter(|(_, call)| there(call));
    calls
        .map(|(place, call)| {
            let supervisor = supervisor.clone();
            let recorder = recorder.clone();
            let service = call.asks.service();
            let name = service.map(|it| case.services[it].row.name.clone()).unwrap_or_default();
            spawn(one(place as u32, *call, name, supervisor, recorder))
        })
        .collect()
}

async fn one(id: u32, call: Call, name: String, supervisor: Supervisor, recorder: Recorder) {
    wait(call.at).await;
    recorder.write(command(id, call.asks, None));
    let asked = ask(call.asks, &name, &supervisor, &recorder);
    let told = match call.gives_up_after {
        None => asked.await,
        Some(time) => timeout(Duration::from_millis(time), asked).await.unwrap_or((
            Answer::Dropped,
            None,
            None,
        )),
    };
    let (answer, service, stopped) = told;
    recorder.write(What::Reply { id, answer, service, stopped });
}

fn command(id: u32, asks: Asks, by: Option<usize>) -> What {
    let command = match asks {
        Asks::Start(_) => Command::Start,
        Asks::Stop(_) => Command::Stop,
        Asks::StopUnused(_) => Command::StopUnused,
        Asks::Restart(_) => Command::Restart,
        Asks::Wait(_) => Command::Wait,
        Asks::Shutdown => Command::Shutdown,
        Asks::AbortNow => Command::AbortNow,
    };
    What::Command { id, command, service: asks.service(), by }
}

/// A call that a service makes while it runs.
pub(crate) async fn inside(cx: &ServiceContext, by: usize, inside: Inside, recorder: &Recorder) {
    wait(inside.after).await;
    let Some(supervisor) = cx.supervisor().upgrade() else { return };
    let (id, asks) = (recorder.id(), inside.asks);
    let name = asks.service().map_or("", |it| recorder.name(it));
    recorder.write(command(id, asks, Some(by)));
    let mut heard = Heard { id, told: (Answer::Dropped, None, None), recorder };
    let asked = match asks {
        Asks::Stop(_) if !inside.waits => supervisor.request_stop(name).is_ok(),
        Asks::Restart(_) if !inside.waits => supervisor.request_restart(name).is_ok(),
        Asks::Shutdown if !inside.waits => {
            supervisor.request_shutdown();
            true
        }
        _ => {
            heard.told = ask(asks, name, &supervisor, recorder).await;
            return;
        }
    };
    heard.told.0 = if asked { Answer::Asked } else { Answer::Unknown };
}

/// Writes down what a call was told, also when that is nothing.
struct Heard<'a> {
    id: u32,
    told: Told,
    recorder: &'a Recorder,
}

impl Drop for Heard<'_> {
    fn drop(&mut self) {
        let (answer, service, stopped) =
            std::mem::replace(&mut self.told, (Answer::Dropped, None, None));
        self.recorder.write(What::Reply { id: self.id, answer, service, stopped });
    }
}

async fn ask(asks: Asks, name: &str, supervisor: &Supervisor, recorder: &Recorder) -> Told {
    let place = |name: &plux::Name| Some(recorder.place(name.as_str()));
    match asks {
        Asks::Start(_) => match supervisor.start(name).await {
            Ok(StartOutcome::Joined) => (Answer::Joined, None, None),
            Ok(StartOutcome::AlreadyRunning) => (Answer::AlreadyRunning, None, None),
            Ok(_) => (Answer::Started, None, None),
            Err(error) => refused(&error, recorder),
        },
        Asks::Restart(_) => match supervisor.restart(name).await {
            Ok(report) => {
                let stopped = report.dependents.iter().filter_map(place).collect();
                (Answer::Restarted, None, Some(stopped))
            }
            Err(RestartError::Start(error)) => refused(&error, recorder),
            Err(_) => (Answer::OwnEnd, None, None),
        },
        Asks::Stop(_) => stop(supervisor.stop(name).await, recorder),
        Asks::StopUnused(_) => stop(supervisor.stop_unused(name).await, recorder),
        Asks::Wait(_) => match supervisor.wait(name).await {
            Ok(_) => (Answer::Done, None, None),
            Err(error) => stop(Err(error), recorder),
        },
        Asks::Shutdown => shutdown(supervisor, recorder).await,
        Asks::AbortNow => {
            supervisor.abort_now();
            (Answer::Done, None, None)
        }
    }
}

fn stop(told: Result<StopReport, StopError>, recorder: &Recorder) -> Told {
    let place = |name: &plux::Name| recorder.place(name.as_str());
    match told {
        Ok(report) => (Answer::Stopped, None, Some(report.stopped().map(place).collect())),
        Err(StopError::Leaked { name, .. }) => (Answer::RefusedLeaked, Some(place(&name)), None),
        Err(StopError::InUse { dependents, .. }) => {
            (Answer::RefusedInUse, None, Some(dependents.iter().map(place).collect()))
        }
        Err(StopError::OwnEnd { .. }) => (Answer::OwnEnd, None, None),
        Err(_) => (Answer::Unknown, None, None),
    }
}

pub(crate) async fn shutdown(supervisor: &Supervisor, recorder: &Recorder) -> Told {
    match supervisor.shutdown().await {
        Ok(report) => {
            let rows = report.rows().iter().map(|row| recorder.place(row.name.as_str()));
            (Answer::Done, None, Some(rows.collect()))
        }
        Err(_) => (Answer::OwnEnd, None, None),
    }
}

fn refused(error: &StartError, recorder: &Recorder) -> Told {
    let (answer, name) = match error {
        StartError::Failed { culprit, .. } => (Answer::Failed, culprit),
        StartError::Disabled { culprit, .. } => (Answer::Disabled, culprit),
        StartError::Stopped { by, .. } => (Answer::Stopped, by),
        StartError::Leaked { culprit, .. } => (Answer::RefusedLeaked, culprit),
        StartError::Shutdown { name } => (Answer::RefusedShutdown, name),
        _ => return (Answer::Unknown, None, None),
    };
    (answer, Some(recorder.place(name.as_str())), None)
}

#[expect(clippy::disallowed_methods, reason = "the player is a host, and hosts spawn")]
fn spawn<F: Future<Output = ()> + Send + 'static>(caller: F) -> JoinHandle<()> {
    tokio::spawn(caller)
}

//! The calls of a case, made from tasks of their own, and what each was told.

use std::future::Future;
use std::time::Duration;

use plux::{
    AddError, BuildProblem, GraphError, RemoveError, RestartError, RestartReport, ServiceContext,
    StartError, StartOutcome, StopError, StopReport, Supervisor,
};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::actor::{Recorder, place, wait};
use crate::case::{Asks, Call, Case, Inside};
use crate::play;
use crate::run::{Answer, Command, Problems, What};

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
            let (supervisor, recorder) = (supervisor.clone(), recorder.clone());
            spawn(one(place as u32, *call, supervisor, recorder))
        })
        .collect()
}

async fn one(id: u32, call: Call, supervisor: Supervisor, recorder: Recorder) {
    wait(call.at).await;
    let Some(asks) = meant(call.asks, &supervisor, &recorder) else { return };
    recorder.write(command(id, asks, None));
    let asked = ask(asks, &supervisor, &recorder);
    let told = match call.gives_up_after {
        None => asked.await,
        Some(time) => timeout(Duration::from_millis(time), asked).await.unwrap_or((
            Answer::Dropped,
            None,
            None,
        )),
    };
    heard_by_all().await;
    let (answer, service, stopped) = told;
    recorder.write(What::Reply { id, answer, service, stopped });
}

/// Lets those hear what led to an answer who write it down: the answer's line is late rather than theirs.
async fn heard_by_all() {
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
}

/// About whom it is at this moment; nothing where services were added already that can come once.
fn meant(asks: Asks, supervisor: &Supervisor, recorder: &Recorder) -> Option<Asks> {
    if let Asks::Add(addition) = asks {
        return recorder.may_add(addition).then_some(asks);
    }
    let Some(service) = asks.service() else { return Some(asks) };
    let there = supervisor.status(recorder.name(service));
    Some(there.map_or(asks, |status| asks.of(place(&status.origin))))
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
        Asks::Add(addition) => Command::Add(addition),
        Asks::Remove(_) => Command::Remove,
    };
    What::Command { id, command, service: asks.service(), by }
}

/// A call that a service makes while it runs.
pub(crate) async fn inside(cx: &ServiceContext, by: usize, inside: Inside, recorder: &Recorder) {
    wait(inside.after).await;
    let Some(supervisor) = cx.supervisor().upgrade() else { return };
    let Some(asks) = meant(inside.asks, &supervisor, recorder) else { return };
    let id = recorder.id();
    let name = asks.service().map_or("", |it| recorder.name(it));
    recorder.write(command(id, asks, Some(by)));
    let mut heard = Heard { id, told: (Answer::Dropped, None, None), recorder };
    let asked = match asks {
        Asks::Stop(_) if !inside.waits => {
            supervisor.request_stop(name).map_err(|error| stop(Err(error), recorder))
        }
        Asks::Restart(_) if !inside.waits => {
            supervisor.request_restart(name).map_err(|error| restarted(Err(error), recorder))
        }
        Asks::Shutdown if !inside.waits => {
            supervisor.request_shutdown();
            Ok(())
        }
        _ => Err(ask(asks, &supervisor, recorder).await),
    };
    heard.told = asked.err().unwrap_or((Answer::Asked, None, None));
    heard_by_all().await;
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

async fn ask(asks: Asks, supervisor: &Supervisor, recorder: &Recorder) -> Told {
    let name = asks.service().map_or("", |it| recorder.name(it));
    match asks {
        Asks::Start(_) => match supervisor.start(name).await {
            Ok(StartOutcome::Joined) => (Answer::Joined, None, None),
            Ok(StartOutcome::AlreadyRunning) => (Answer::AlreadyRunning, None, None),
            Ok(_) => (Answer::Started, None, None),
            Err(error) => refused(&error, recorder),
        },
        Asks::Restart(_) => restarted(supervisor.restart(name).await, recorder),
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
        Asks::Add(addition) => add(supervisor, addition, recorder).await,
        Asks::Remove(_) => removed(supervisor.remove(name).await, recorder),
    }
}

async fn add(supervisor: &Supervisor, addition: usize, recorder: &Recorder) -> Told {
    let Ok(manager) = play::manager(recorder, Some(addition)) else {
        return (Answer::Unknown, None, None);
    };
    let refused = match supervisor.add(manager).await {
        Ok(names) => {
            let places = names.iter().map(|name| recorder.place(name.as_str()));
            return (Answer::Added, None, Some(places.collect()));
        }
        Err(AddError::Refused { problems }) => Answer::NotAdded(found(&problems)),
        Err(_) => Answer::RefusedShutdown,
    };
    recorder.may_be_added_again(addition);
    (refused, None, None)
}

fn found(problems: &[BuildProblem]) -> Problems {
    let mut found = Problems::default();
    for problem in problems {
        match problem {
            BuildProblem::DuplicateName { .. } => found.duplicate = true,
            BuildProblem::Graph(error) => {
                let mut root = error;
                while let GraphError::Dependency { source, .. } = &**root {
                    root = source;
                }
                match **root {
                    GraphError::Cycle { .. } => found.cycle = true,
                    _ => found.unknown = true,
                }
            }
            _ => found.other = true,
        }
    }
    found
}

fn removed(told: Result<(), RemoveError>, recorder: &Recorder) -> Told {
    let answer = match told {
        Ok(()) => Answer::Removed,
        Err(RemoveError::Unknown { .. }) => Answer::Unknown,
        Err(RemoveError::Live { .. }) => Answer::RefusedLive,
        Err(RemoveError::Waiting { .. }) => Answer::RefusedWaiting,
        Err(RemoveError::Needed { by, .. }) => {
            return (Answer::RefusedNeeded, Some(recorder.place(by.as_str())), None);
        }
        Err(RemoveError::Leaked { .. }) => Answer::RefusedLeaked,
        Err(_) => Answer::RefusedShutdown,
    };
    (answer, None, None)
}

fn restarted(told: Result<RestartReport, RestartError>, recorder: &Recorder) -> Told {
    match told {
        Ok(report) => {
            let stopped = report.dependents.iter().map(|name| recorder.place(name.as_str()));
            (Answer::Restarted, None, Some(stopped.collect()))
        }
        Err(RestartError::Start(error)) => refused(&error, recorder),
        Err(_) => (Answer::OwnEnd, None, None),
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
        StartError::OwnEnd { .. } => return (Answer::OwnEnd, None, None),
        StartError::Graph(_) => return (Answer::Unusable, None, None),
        StartError::Shutdown { name } => (Answer::RefusedShutdown, name),
        _ => return (Answer::Unknown, None, None),
    };
    (answer, Some(recorder.place(name.as_str())), None)
}

#[expect(clippy::disallowed_methods, reason = "the player is a host, and hosts spawn")]
pub(crate) fn spawn<F: Future<Output = ()> + Send + 'static>(caller: F) -> JoinHandle<()> {
    tokio::spawn(caller)
}

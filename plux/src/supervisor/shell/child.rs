//! The task of one run of a service: load, run, and the end of all its tasks.
//!
//! Trap: a task may be dropped where it stands: its runtime ends, and the dispatcher with it. It tells nobody
//! then, as the dispatcher may still be at work, and would begin it again in a runtime that takes no tasks.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use futures::future::{BoxFuture, Either, select};
use tokio::task::yield_now;

use super::shared::Child;
use crate::error::{BoxError, Exit, LoadError};
use crate::incarnation::{Incarnation, Link};
use crate::reason::StopReason;
use crate::service::{Service, ServiceContext};
use crate::supervisor::core::{Ending, Input};
use crate::task::{self, Caught, Cut, Panic, catch};

/// Begins a run of `child` in a task of its own.
pub(super) fn begin(child: &Arc<Child>, incarnation: u32, watched: bool) {
    let run = Arc::new(Incarnation::new(Arc::clone(child) as Arc<dyn Link>, incarnation, watched));
    child.cell.hold(Arc::clone(&run));
    task::spawn(live(Arc::clone(child), run));
}

/// One incarnation, from the load to the end of its last task.
///
/// Trap: it is as large as all it may wait for, for as long as the service runs. So what is seldom
/// waited for is in a box, and this is no async function: such a one has its arguments twice.
#[expect(clippy::manual_async_fn, reason = "an async function has its arguments twice")]
fn live(child: Arc<Child>, mut run: Arc<Incarnation>) -> impl Future<Output = ()> + Send {
    async move {
        within(&run, || child.sweep(false));
        let mut turned = false;
        let begun = service(&child, &run).await;
        let ending = match begun {
            Ok(service) => loop {
                let exit = attend(service, &run, &child, turned).await;
                let exit = match over(&child, &run, exit) {
                    Either::Left(exit) => exit,
                    Either::Right(drain) => drain.await,
                };
                let ending = Ending::Exit(exit);
                keep(&child, &ending);
                let Some(next) = child.turn(&ending) else { break ending };
                (run, turned) = (next, true);
                // A service that fails at once is not to have its worker for itself; nor may it block that
                // before those have run whom the turn has woken, and who are next on this worker only.
                yield_now().await;
                within(&run, || child.sweep(false));
            },
            Err(ending) => {
                let _ = within(&run, || run.end());
                keep(&child, &ending);
                *ending
            }
        };
        let (service, incarnation) = (child.index, run.number);
        drop(run);
        child.send_last(Input::Ended { service, incarnation, ending });
    }
}

/// Keeps what a run failed with, so that its destructor is not for the dispatcher to run.
fn keep(child: &Child, ending: &Ending) {
    if let Some(error) = ending.error() {
        child.cell.keep(error);
    }
}

/// Runs user code as that of the service.
fn within<T>(run: &Incarnation, body: impl FnOnce() -> T) -> T {
    run.link.place().within(body)
}

/// The loaded service. A stop or an abort ends the wait, not the load, which is the manager's. What
/// there is instead is in a box: its room is kept for as long as the service runs.
async fn service<'a>(
    child: &'a Child,
    run: &Incarnation,
) -> Result<&'a Arc<dyn Service>, Box<Ending>> {
    if let Some(service) = child.service.get() {
        return Ok(service);
    }
    let stopping = Box::pin(async {
        let aborted =
            poll_fn(|cx| if run.poll_aborted(cx) { Poll::Ready(()) } else { Poll::Pending });
        select(Box::pin(run.stopping()), aborted).await;
    });
    match select(stopping, child.source.load(child.spec.name())).await {
        Either::Left(_) => Err(Box::new(Ending::Exit(Exit::Completed))),
        Either::Right((Ok(service), _)) => Ok(child.service.get_or_init(|| service)),
        Either::Right((Err(LoadError::Disabled { reason, .. }), _)) => {
            Err(Box::new(Ending::Disabled(reason)))
        }
        Either::Right((Err(error), _)) => Err(Box::new(Ending::NotLoaded(Box::new(error)))),
    }
}

/// Polls `run` until it ends, panics, is to be dropped, or a task of its panics; then drops it.
///
/// A run that this task has `turned` to by itself, and that is not ready at once, may take the time that
/// the dispatcher gives it.
async fn attend(
    service: &Arc<dyn Service>,
    run: &Arc<Incarnation>,
    child: &Child,
    mut turned: bool,
) -> Exit {
    let cx = ServiceContext { run: Arc::clone(run) };
    let mut future = match catch(|| within(run, || service.run(cx))) {
        Ok(future) => Caught::new(future),
        Err(panic) => return Exit::Panicked(*panic),
    };
    let exit = poll_fn(|cx| {
        if run.poll_aborted(cx) {
            return Poll::Ready(Exit::Aborted);
        }
        if let Some(panic) = run.poll_panicked(cx) {
            return Poll::Ready(Exit::Panicked(*panic));
        }
        let polled = within(run, || std::pin::Pin::new(&mut future).poll(cx)).map(exit_of);
        if std::mem::take(&mut turned) && polled.is_pending() && child.cell.is_starting() {
            child.send(Input::HandedBack { service: child.index });
        }
        polled
    })
    .await;
    or_panicked(exit, within(run, || future.discard()))
}

fn exit_of(outcome: Result<Result<(), BoxError>, Box<Panic>>) -> Exit {
    match outcome {
        Ok(Ok(())) => Exit::Completed,
        Ok(Err(error)) => Exit::Failed(Arc::from(error)),
        Err(panic) => Exit::Panicked(*panic),
    }
}

/// A panic on the way out is the exit, unless there was a failure before it.
#[inline]
fn or_panicked(exit: Exit, way_out: Result<(), Box<Panic>>) -> Exit {
    let Err(panic) = way_out else { return exit };
    match exit {
        Exit::Completed | Exit::Aborted => Exit::Panicked(*panic),
        exit => exit,
    }
}

/// Ends the handles of a run that is over: how it ended, or the wait for the tasks it has left.
fn over<'a>(
    child: &'a Child,
    run: &'a Incarnation,
    exit: Exit,
) -> Either<Exit, BoxFuture<'a, Exit>> {
    let exit = or_panicked(exit, within(run, || run.end()));
    if run.close_tasks() {
        return Either::Left(exit);
    }
    run.signal(StopReason::Unneeded);
    let failed = !matches!(exit, Exit::Completed);
    let (service, incarnation) = (child.index, run.number);
    child.send(Input::RunOver { service, incarnation, failed });
    Either::Right(Box::pin(async move {
        match (run.join_tasks().await, exit) {
            (Some(Cut::Panicked(panic)), exit) => or_panicked(exit, Err(panic)),
            (Some(Cut::Aborted), Exit::Completed) => Exit::Aborted,
            (_, exit) => exit,
        }
    }))
}

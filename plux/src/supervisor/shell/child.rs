//! The task of one run of a service: load, run, and the end of all its tasks.
//!
//! Trap: a task may be dropped where it stands (its runtime ends). [`News`] tells the dispatcher
//! even then, and is the last thing the task drops.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use futures::future::{Either, select};

use super::shared::Child;
use crate::error::{BoxError, Exit, LoadError};
use crate::incarnation::{CURRENT, Incarnation, Link};
use crate::reason::StopReason;
use crate::service::{Service, ServiceContext};
use crate::supervisor::core::{Ending, Input};
use crate::task::{self, Caught, Cut, Panic, catch};

/// Begins a run of `child` in a task of its own.
pub(super) fn begin(child: &Arc<Child>, incarnation: u32) {
    let run = Arc::new(Incarnation::new(Arc::clone(child) as Arc<dyn Link>, incarnation));
    child.hold(Arc::clone(&run));
    let news = News { child: Arc::clone(child), incarnation, told: false };
    task::spawn(CURRENT.scope(child.place(), live(Arc::clone(child), run, news)));
}

/// Tells the dispatcher of the end, once, whatever becomes of the task.
struct News {
    child: Arc<Child>,
    incarnation: u32,
    told: bool,
}

impl News {
    fn tell(&mut self, ending: Ending) {
        self.told = true;
        let (service, incarnation) = (self.child.index, self.incarnation);
        self.child.send(Input::Ended { service, incarnation, ending });
    }
}

impl Drop for News {
    fn drop(&mut self) {
        if !self.told {
            self.tell(Ending::Exit(Exit::Aborted));
        }
    }
}

/// One incarnation, from the load to the end of its last task.
async fn live(child: Arc<Child>, run: Arc<Incarnation>, mut news: News) {
    child.sweep();
    let ending = match service(&child, &run).await {
        Ok(service) => {
            let exit = attend(service, &run).await;
            Ending::Exit(finish(&child, &run, exit).await)
        }
        Err(ending) => {
            let _ = run.end();
            ending
        }
    };
    drop(run);
    if let Some(error) = ending.error() {
        child.keep(error);
    }
    news.tell(ending);
}

/// The loaded service. A stop or an abort ends the wait, not the load, which is the manager's.
async fn service(child: &Child, run: &Incarnation) -> Result<Arc<dyn Service>, Ending> {
    if let Some(service) = child.service.get() {
        return Ok(Arc::clone(service));
    }
    let stopping = Box::pin(async {
        let aborted =
            poll_fn(|cx| if run.poll_aborted(cx) { Poll::Ready(()) } else { Poll::Pending });
        select(Box::pin(run.stopping()), aborted).await;
    });
    match select(stopping, child.source.load(&child.id.name)).await {
        Either::Left(_) => Err(Ending::Exit(Exit::Completed)),
        Either::Right((Ok(service), _)) => Ok(Arc::clone(child.service.get_or_init(|| service))),
        Either::Right((Err(LoadError::Disabled { reason, .. }), _)) => {
            Err(Ending::Disabled(reason))
        }
        Either::Right((Err(error), _)) => Err(Ending::NotLoaded(error)),
    }
}

/// Polls `run` until it ends, panics, is to be dropped, or a task of its panics; then drops it.
async fn attend(service: Arc<dyn Service>, run: &Arc<Incarnation>) -> Exit {
    let cx = ServiceContext { run: Arc::clone(run) };
    let mut future = match catch(|| service.run(cx)) {
        Ok(future) => Caught::new(future),
        Err(panic) => return Exit::Panicked(panic),
    };
    let exit = poll_fn(|cx| {
        if run.poll_aborted(cx) {
            return Poll::Ready(Exit::Aborted);
        }
        if let Some(panic) = run.poll_panicked(cx) {
            return Poll::Ready(Exit::Panicked(panic));
        }
        std::pin::Pin::new(&mut future).poll(cx).map(exit_of)
    })
    .await;
    or_panicked(exit, future.discard().err())
}

fn exit_of(outcome: Result<Result<(), BoxError>, Panic>) -> Exit {
    match outcome {
        Ok(Ok(())) => Exit::Completed,
        Ok(Err(error)) => Exit::Failed(Arc::from(error)),
        Err(panic) => Exit::Panicked(panic),
    }
}

/// A panic on the way out is the exit, unless there was a failure before it.
fn or_panicked(exit: Exit, panic: Option<Panic>) -> Exit {
    match (exit, panic) {
        (Exit::Completed | Exit::Aborted, Some(panic)) => Exit::Panicked(panic),
        (exit, _) => exit,
    }
}

/// Ends the handles, then waits for the run's tasks.
async fn finish(child: &Child, run: &Incarnation, exit: Exit) -> Exit {
    let exit = or_panicked(exit, run.end().err());
    if run.has_tasks() {
        run.signal(StopReason::Unneeded);
        let failed = !matches!(exit, Exit::Completed);
        let (service, incarnation) = (child.index, run.number);
        child.send(Input::RunOver { service, incarnation, failed });
    }
    match (run.join_tasks().await, exit) {
        (Some(Cut::Panicked(panic)), exit) => or_panicked(exit, Some(panic)),
        (Some(Cut::Aborted), Exit::Completed) => Exit::Aborted,
        (_, exit) => exit,
    }
}

//! One supervised service: what is fixed about it, its published state, and the task of a run.
//!
//! Trap: a task may be dropped where it stands (its runtime ends). [`News`] tells the dispatcher
//! even then, and is the last thing the task drops.

use std::future::poll_fn;
use std::sync::{Arc, OnceLock, Weak};
use std::task::Poll;

use futures::future::{BoxFuture, Either, select};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use crate::error::{BoxError, Exit, HandleError, LoadError};
use crate::incarnation::{CURRENT, Incarnation, Link, Place};
use crate::name::{Name, PluginId};
use crate::origin::Origin;
use crate::reason::{StopReason, Stopped};
use crate::service::{Service, ServiceContext};
use crate::state::ServiceState;
use crate::supervisor::core::{Answer, Ending, Index, Input};
use crate::supervisor::source::ServiceSource;
use crate::task::{self, Caught, Panic, catch};

use super::Shared;

/// Where an answer goes.
pub(crate) type Caller = oneshot::Sender<Answer>;

/// The way to the dispatcher.
pub(crate) type Mailbox = mpsc::UnboundedSender<Input<Caller>>;

/// One supervised service.
pub(crate) struct Child {
    pub(crate) index: Index,
    pub(crate) id: PluginId,
    pub(crate) origin: Origin,
    pub(crate) source: Arc<dyn ServiceSource>,
    pub(crate) shared: Weak<Shared>,
    pub(crate) mailbox: Mailbox,
    /// What its plugin's load yielded; kept across runs.
    service: OnceLock<Arc<dyn Service>>,
    cell: Mutex<Cell>,
}

/// What others see. Held for a copy, never longer.
struct Cell {
    state: ServiceState,
    incarnation: u32,
    run: Option<Arc<Incarnation>>,
}

impl Child {
    pub(crate) fn new(
        index: Index,
        id: PluginId,
        origin: Origin,
        source: Arc<dyn ServiceSource>,
        shared: Weak<Shared>,
        mailbox: Mailbox,
    ) -> Self {
        let state = ServiceState::Stopped(Stopped::NeverStarted);
        let cell = Mutex::new(Cell { state, incarnation: 0, run: None });
        Self { index, id, origin, source, shared, mailbox, service: OnceLock::new(), cell }
    }

    pub(crate) fn state(&self) -> (ServiceState, u32) {
        let cell = self.cell.lock();
        (cell.state.clone(), cell.incarnation)
    }

    /// The present run, if there is one.
    pub(crate) fn run(&self) -> Option<Arc<Incarnation>> {
        self.cell.lock().run.clone()
    }

    /// The run to take a handle from.
    ///
    /// # Errors
    /// [`HandleError::NotReady`] when it does not run.
    pub(crate) fn published(&self) -> Result<Arc<Incarnation>, HandleError> {
        self.run()
            .filter(|run| !run.is_over())
            .ok_or_else(|| HandleError::NotReady { name: self.id.name.clone() })
    }

    /// Only the dispatcher writes.
    pub(super) fn publish(&self, state: ServiceState, incarnation: u32) {
        let mut cell = self.cell.lock();
        let over = if state.is_live() { None } else { cell.run.take() };
        let before = std::mem::replace(&mut cell.state, state);
        cell.incarnation = incarnation;
        drop(cell);
        // What they own may have destructors of the user's: not under the lock.
        drop((before, over));
    }

    /// Begins a run in a task of its own.
    pub(super) fn begin(self: &Arc<Self>, incarnation: u32) {
        let run = Arc::new(Incarnation::new(Arc::clone(self) as Arc<dyn Link>, incarnation));
        self.cell.lock().run = Some(Arc::clone(&run));
        let news = News { child: Arc::clone(self), incarnation, told: false };
        task::spawn(live(run, news));
    }

    fn send(&self, input: Input<Caller>) {
        // Without a dispatcher nobody is left to hear it.
        let _ = self.mailbox.send(input);
    }
}

impl Link for Child {
    fn name(&self) -> &Name {
        &self.id.name
    }

    fn place(&self) -> Place {
        Place { supervisor: self.shared.as_ptr() as usize, service: self.index }
    }

    fn ready(&self, incarnation: u32) {
        self.send(Input::Ready { service: self.index, incarnation });
    }

    fn dependency(&self, name: &str) -> Result<Arc<Incarnation>, HandleError> {
        let stranger = || HandleError::NotADependency {
            name: self.id.name.clone(),
            dependency: name.to_owned(),
        };
        let shared = self.shared.upgrade().ok_or_else(stranger)?;
        let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
        let on = shared.index(name).ok_or_else(stranger)?;
        if !shared.graph.dependencies(self.index).iter().any(|&(other, _)| other == on) {
            return Err(stranger());
        }
        shared.children[on as usize].published()
    }
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
///
/// Trap: it is as large as all it may wait for, for as long as the service runs. So what is seldom
/// waited for is in a box, and this is no async function: such a one has its arguments twice.
#[expect(clippy::manual_async_fn, reason = "an async function has its arguments twice")]
fn live(run: Arc<Incarnation>, mut news: News) -> impl Future<Output = ()> + Send {
    async move {
        let begun = service(&news.child, &run).await;
        let service = match begun {
            Ok(service) => service,
            Err(ending) => {
                let _ = run.end();
                drop(run);
                return news.tell(ending);
            }
        };
        let exit = attend(service, &run).await;
        let exit = match over(&news.child, &run, exit) {
            Either::Left(exit) => exit,
            Either::Right(drain) => drain.await,
        };
        drop(run);
        news.tell(Ending::Exit(exit));
    }
}

/// Runs user code as that of the service.
fn within<T>(run: &Incarnation, body: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(run.link.place(), body)
}

/// The loaded service. A stop or an abort ends the wait, not the load, which is the manager's.
async fn service<'a>(child: &'a Child, run: &Incarnation) -> Result<&'a Arc<dyn Service>, Ending> {
    if let Some(service) = child.service.get() {
        return Ok(service);
    }
    let stopping = Box::pin(async {
        let aborted =
            poll_fn(|cx| if run.poll_aborted(cx) { Poll::Ready(()) } else { Poll::Pending });
        select(Box::pin(run.stopping()), aborted).await;
    });
    match select(stopping, child.source.load(&child.id.name)).await {
        Either::Left(_) => Err(Ending::Exit(Exit::Completed)),
        Either::Right((Ok(service), _)) => Ok(child.service.get_or_init(|| service)),
        Either::Right((Err(LoadError::Disabled { reason, .. }), _)) => {
            Err(Ending::Disabled(reason))
        }
        Either::Right((Err(error), _)) => Err(Ending::NotLoaded(Box::new(error))),
    }
}

/// Polls `run` until it ends, panics, is to be dropped, or a task of its panics; then drops it.
async fn attend(service: &Arc<dyn Service>, run: &Arc<Incarnation>) -> Exit {
    let cx = ServiceContext { run: Arc::clone(run) };
    let mut future = match catch(|| within(run, || service.run(cx))) {
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
        within(run, || std::pin::Pin::new(&mut future).poll(cx)).map(exit_of)
    })
    .await;
    or_panicked(exit, within(run, || future.discard()).err())
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

/// Ends the handles of a run that is over: how it ended, or the wait for the tasks it has left.
fn over<'a>(
    child: &'a Child,
    run: &'a Incarnation,
    exit: Exit,
) -> Either<Exit, BoxFuture<'a, Exit>> {
    let exit = or_panicked(exit, within(run, || run.end()).err());
    if run.close_tasks() {
        return Either::Left(exit);
    }
    run.signal(StopReason::Unneeded);
    child.send(Input::RunOver { service: child.index, incarnation: run.number });
    Either::Right(Box::pin(async move { or_panicked(exit, run.join_tasks().await) }))
}

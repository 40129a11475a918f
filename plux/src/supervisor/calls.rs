//! The supervisor as its users hold it: every call is one message and one answer.

use std::sync::{Arc, Weak};

use tokio::sync::oneshot;

use crate::error::{HandleError, Near, RestartError, StartError, StopError};
use crate::handle::Handle;
use crate::incarnation::{CURRENT, Place};
use crate::name::Name;
use crate::near::near;
use crate::origin::Origin;
use crate::service::ServiceContext;
use crate::spec::DependencyKind;
use crate::state::ServiceState;

use super::core::{Answer, Down, Index, Input, Up};
use super::report::{
    RestartReport, ShutdownReport, StartOutcome, StartReport, StopReport, stop_row,
};
use super::shell::{Caller, Child, Owner, Shared};
use super::status::ServiceStatus;

/// Starts, watches and stops services by name. Clones are the same supervisor.
///
/// Every call that waits belongs to the supervisor once it was polled: dropping its future changes
/// nothing but that nobody hears the answer. Dropping the last clone begins a shutdown.
///
/// # Panics
/// The first call that asks for something to be done, also one that does not wait, must be made
/// inside a tokio runtime; it panics otherwise, and nothing has changed.
///
/// ```
/// use plux::{PluginManager, Supervisor};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let services = PluginManager::<dyn plux::FnService>::builder(()).build();
/// let supervisor = Supervisor::builder().manager(services).build()?;
/// let report = supervisor.shutdown().await?;
/// assert!(report.is_clean());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Supervisor {
    pub(crate) shared: Arc<Shared>,
    /// The end of the last one begins a shutdown.
    pub(super) _owner: Arc<Owner>,
}

/// A supervisor that is not kept alive by this.
#[derive(Clone)]
pub struct WeakSupervisor {
    shared: Weak<Shared>,
}

impl WeakSupervisor {
    /// The supervisor, while somebody else owns it.
    pub fn upgrade(&self) -> Option<Supervisor> {
        let shared = self.shared.upgrade()?;
        let owner = shared.owner.upgrade()?;
        Some(Supervisor { shared, _owner: owner })
    }
}

impl ServiceContext {
    /// The supervisor that runs the service: a reference that keeps nothing alive. Asking it to
    /// stop or restart this service is fine ([`Supervisor::request_stop`]); waiting for that from
    /// within is an error.
    pub fn supervisor(&self) -> WeakSupervisor {
        let link: Arc<dyn std::any::Any + Send + Sync> = Arc::clone(&self.run.link) as _;
        let shared = link.downcast::<Child>().map_or_else(|_| Weak::new(), |c| c.shared.clone());
        WeakSupervisor { shared }
    }
}

impl Supervisor {
    /// Starts the service and all that it requires, and returns when it is ready. Concurrent callers
    /// share one attempt and its outcome. When a member of its closure fails, what the call began
    /// is stopped again before it answers.
    ///
    /// # Errors
    /// [`StartError`] names who failed, where that was registered, and why.
    pub async fn start(&self, name: &str) -> Result<StartOutcome, StartError> {
        let service = self.usable(name)?;
        self.start_index(service).await
    }

    async fn start_index(&self, service: Index) -> Result<StartOutcome, StartError> {
        let answer = self.ask(|caller| Input::Start { service, caller }).await;
        match self.up(service, answer)? {
            Up::AlreadyRunning => Ok(StartOutcome::AlreadyRunning),
            Up::Joined => Ok(StartOutcome::Joined),
            Up::Started | Up::Restarted(_) => Ok(StartOutcome::Started),
        }
    }

    /// Starts every service, concurrently; one that fails stops no other.
    pub async fn start_all(&self) -> StartReport {
        let mut calls = Vec::new();
        for child in &self.shared.children {
            let started = match self.shared.graph.problem(child.index) {
                Some(problem) => Err(StartError::Graph(Arc::clone(problem))),
                None => Ok(self.send(|caller| Input::Start { service: child.index, caller })),
            };
            calls.push((child, started));
        }
        let mut rows = Vec::with_capacity(calls.len());
        for (child, started) in calls {
            let outcome = match started {
                Err(error) => Err(error),
                Ok(answer) => self.up(child.index, answer.await.ok()).map(|up| match up {
                    Up::AlreadyRunning => StartOutcome::AlreadyRunning,
                    Up::Joined => StartOutcome::Joined,
                    Up::Started | Up::Restarted(_) => StartOutcome::Started,
                }),
            };
            rows.push((child.spec.name().clone(), outcome));
        }
        StartReport { rows }
    }

    /// Stops the service, and before it everything that requires it; returns when all have ended.
    /// What does not run is left as it is. After a shutdown there is nothing to stop, and the answer has
    /// no rows; the shutdown's report says what leaked.
    ///
    /// # Errors
    /// [`StopError`]: unknown, or the service calls it on itself or on what it requires (while it
    /// stops, also on what it wants or comes after), or one of them could not be ended.
    pub async fn stop(&self, name: &str) -> Result<StopReport, StopError> {
        let service = self.known(name).map_err(stop_unknown)?;
        self.not_own_end(service)?;
        match self.ask(|caller| Input::Stop { service, caller }).await {
            Some(Answer::Stop(Ok(rows))) => {
                let known = |index| self.describe(index);
                Ok(StopReport { rows: rows.iter().map(|row| stop_row(row, &known)).collect() })
            }
            Some(Answer::Stop(Err(leaked))) => {
                let (name, origin) = self.describe(leaked);
                Err(StopError::Leaked { name, origin })
            }
            _ => Ok(StopReport { rows: Vec::new() }),
        }
    }

    /// Asks for a stop and does not wait for it; a service may ask for its own.
    ///
    /// # Errors
    /// [`StopError::Unknown`].
    pub fn request_stop(&self, name: &str) -> Result<(), StopError> {
        let service = self.known(name).map_err(stop_unknown)?;
        drop(self.send(|caller| Input::Stop { service, caller }));
        Ok(())
    }

    /// Stops the service and what requires it, and starts it again; returns when it is ready. The
    /// dependents begin as soon as it is. A service that does not run is started.
    ///
    /// # Errors
    /// [`RestartError`]: the start failed, or the service calls it on itself or on what it requires.
    pub async fn restart(&self, name: &str) -> Result<RestartReport, RestartError> {
        let service = self.usable(name)?;
        if self.is_own_end(service) {
            let (name, origin) = self.describe(service);
            return Err(RestartError::OwnEnd { name, origin });
        }
        let answer = self.ask(|caller| Input::Restart { service, caller }).await;
        let dependents = match self.up(service, answer)? {
            Up::Restarted(dependents) => dependents,
            _ => Vec::new(),
        };
        let dependents = dependents.into_iter().map(|index| self.describe(index).0).collect();
        Ok(RestartReport { dependents })
    }

    /// Asks for a restart and does not wait for it; a service may ask for its own.
    ///
    /// # Errors
    /// [`RestartError`]: unknown or unusable.
    pub fn request_restart(&self, name: &str) -> Result<(), RestartError> {
        let service = self.usable(name)?;
        drop(self.send(|caller| Input::Restart { service, caller }));
        Ok(())
    }

    /// Stops everything, dependents first, each within its grace period, and returns when nothing of
    /// the supervisor's runs any more. Callers share one shutdown and one report.
    ///
    /// # Errors
    /// [`StopError::OwnEnd`] when a service waits for it; see [`Supervisor::request_shutdown`].
    pub async fn shutdown(&self) -> Result<ShutdownReport, StopError> {
        if let Some(place) = self.current() {
            return Err(self.own_end(place.service));
        }
        self.shared.send(Input::Shutdown);
        Ok(self.shared.report.wait().await.clone())
    }

    /// Waits until a shutdown has begun, by whomever. Cancel safe.
    pub(crate) async fn shutting_down(&self) {
        self.shared.shutting_down.wait().await;
    }

    /// Begins the shutdown and does not wait for it; a service may ask for it.
    pub fn request_shutdown(&self) {
        self.shared.send(Input::Shutdown);
    }

    /// Ends everything at once, in no order, and shuts down. Does not wait:
    /// [`Supervisor::shutdown`] does.
    pub fn abort_now(&self) {
        self.shared.send(Input::AbortNow);
    }

    /// Waits until the service neither runs nor is about to, and tells where it stands then.
    /// Cancel safe.
    ///
    /// # Errors
    /// [`StopError`]: unknown, or a service waits for its own end.
    pub async fn wait(&self, name: &str) -> Result<ServiceState, StopError> {
        let service = self.known(name).map_err(stop_unknown)?;
        self.not_own_end(service)?;
        match self.ask(|caller| Input::Wait { service, caller }).await {
            Some(Answer::State(state)) => Ok(state),
            _ => Ok(self.shared.children[service as usize].state().0),
        }
    }

    /// The service as it stands; never waits.
    pub fn status(&self, name: &str) -> Option<ServiceStatus> {
        let index = self.shared.index(name)?;
        Some(ServiceStatus::of(&self.shared.children[index as usize]))
    }

    /// All services as they stand, in name order; never waits.
    pub fn list(&self) -> Vec<ServiceStatus> {
        self.shared.children.iter().map(|child| ServiceStatus::of(child)).collect()
    }

    /// A handle of what the service has published.
    ///
    /// # Errors
    /// [`HandleError`]: unknown, not ready, published as another type, or its run has just ended.
    pub fn handle<T: Send + Sync + 'static>(&self, name: &str) -> Result<Handle<T>, HandleError> {
        let index = self.known(name).map_err(|(name, near)| HandleError::Unknown { name, near })?;
        Handle::new(self.shared.children[index as usize].published()?)
    }

    /// A reference that does not keep the supervisor running.
    pub fn downgrade(&self) -> WeakSupervisor {
        WeakSupervisor { shared: Arc::downgrade(&self.shared) }
    }

    fn send(&self, input: impl FnOnce(Caller) -> Input<Caller>) -> oneshot::Receiver<Answer> {
        let (caller, answer) = oneshot::channel();
        self.shared.send(input(caller));
        answer
    }

    /// The answer, or `None` when the supervisor is shut down.
    async fn ask(&self, input: impl FnOnce(Caller) -> Input<Caller>) -> Option<Answer> {
        self.send(input).await.ok()
    }

    pub(super) fn known(&self, name: &str) -> Result<Index, (String, Near)> {
        self.shared.index(name).ok_or_else(|| {
            let names = self.shared.children.iter().map(|child| child.spec.name());
            (name.to_owned(), near(name, names))
        })
    }

    pub(super) fn usable(&self, name: &str) -> Result<Index, StartError> {
        let index = self.known(name).map_err(|(name, near)| StartError::Unknown { name, near })?;
        match self.shared.graph.problem(index) {
            Some(problem) => Err(StartError::Graph(Arc::clone(problem))),
            None => Ok(index),
        }
    }

    fn describe(&self, index: Index) -> (Name, Origin) {
        self.shared.describe(index)
    }

    /// The service of this supervisor that is being polled here, if one is.
    fn current(&self) -> Option<Place> {
        let place = CURRENT.try_with(|place| *place).ok()?;
        (place.supervisor == Arc::as_ptr(&self.shared) as usize).then_some(place)
    }

    /// Whether the end of `service` needs the end of the one that asks. Of two that are both to end,
    /// edges of every kind order the ends.
    fn is_own_end(&self, service: Index) -> bool {
        let Some(Place { service: asks, .. }) = self.current() else { return false };
        let run = self.shared.children[asks as usize].run();
        let ends = self.shared.shutting_down.initialized()
            || run.is_some_and(|run| run.stop_reason().is_some());
        let orders = |_, kind| ends || kind == DependencyKind::Requires;
        self.shared.graph.reach(asks, orders).contains(&service)
    }

    fn own_end(&self, service: Index) -> StopError {
        let (name, origin) = self.describe(service);
        StopError::OwnEnd { name, origin }
    }

    fn not_own_end(&self, service: Index) -> Result<(), StopError> {
        if self.is_own_end(service) {
            return Err(self.own_end(service));
        }
        Ok(())
    }

    /// The outcome of a start, with names.
    fn up(&self, service: Index, answer: Option<Answer>) -> Result<Up, StartError> {
        let name = self.describe(service).0;
        let down = match answer {
            Some(Answer::Start(Ok(up))) => return Ok(up),
            Some(Answer::Start(Err(down))) => down,
            _ => Down::Shutdown,
        };
        Err(match down {
            Down::Failed { culprit, failure } => {
                let (culprit, origin) = self.describe(culprit);
                StartError::Failed { name, culprit, origin, source: failure }
            }
            Down::Disabled { culprit, reason } => {
                let (culprit, origin) = self.describe(culprit);
                StartError::Disabled { name, culprit, origin, reason }
            }
            Down::Stopped { by, reason } => {
                let (by, origin) = self.describe(by);
                StartError::Stopped { name, by, origin, reason }
            }
            Down::Leaked { culprit } => {
                let (culprit, origin) = self.describe(culprit);
                StartError::Leaked { name, culprit, origin }
            }
            Down::Shutdown => StartError::Shutdown { name },
        })
    }
}

fn stop_unknown((name, near): (String, Near)) -> StopError {
    StopError::Unknown { name, near }
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let states = self.shared.children.iter().map(|child| (child.spec.name(), child.state().0));
        f.debug_map().entries(states).finish()
    }
}

impl std::fmt::Debug for WeakSupervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WeakSupervisor")
    }
}

//! What the supervisor's tests are played with: scripted services, a log of what they did in order,
//! and a listener that keeps what it heard.

mod log;
mod probe;

pub(crate) use log::{Events, Log};
pub(crate) use probe::{Do, Load, OnStop, Probe, Published, Scripted};

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use plux::{
    AddError, Backoff, Intensity, ListFinder, Name, PluginManager, RestartError, RestartReport,
    ServiceFailure, ServiceState, SpecRef, StartError, StartOutcome, StopError, StopReport,
    Supervisor, SupervisorBuilder,
};
use tokio::task::JoinHandle;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A supervisor over probes.
pub(crate) struct Kit {
    pub(crate) supervisor: Supervisor,
    pub(crate) log: Log,
    pub(crate) events: Events,
}

impl Kit {
    /// A supervisor with built-in defaults.
    pub(crate) fn new<'a>(probes: impl IntoIterator<Item = &'a Probe>) -> Self {
        Self::with(probes, |builder| builder)
    }

    /// A supervisor that is configured first. Without another intensity what has ended stays so.
    pub(crate) fn with<'a>(
        probes: impl IntoIterator<Item = &'a Probe>,
        configure: impl FnOnce(SupervisorBuilder) -> SupervisorBuilder,
    ) -> Self {
        let (log, events) = (Log::default(), Events::default());
        let builder = Supervisor::builder()
            .manager(manager(probes, &log))
            .listener(events.clone())
            .intensity(Intensity::new(0, SECOND));
        let supervisor = configure(builder).build().expect("the probes fit together");
        Self { supervisor, log, events }
    }

    /// Adds a manager of these probes.
    pub(crate) async fn add<'a>(
        &self,
        probes: impl IntoIterator<Item = &'a Probe>,
    ) -> Result<Vec<Name>, AddError> {
        self.supervisor.add(manager(probes, &self.log)).await
    }

    /// The names of all services, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.supervisor.list().into_iter().map(|status| status.id.name.to_string()).collect()
    }

    /// Where a service stands, as text: `stopped (asked)`.
    #[track_caller]
    pub(crate) fn state(&self, name: &str) -> String {
        self.raw_state(name).to_string()
    }

    #[track_caller]
    pub(crate) fn raw_state(&self, name: &str) -> ServiceState {
        plain(self.supervisor.status(name).expect("a known service").state)
    }

    /// The number of the newest run.
    #[track_caller]
    pub(crate) fn incarnation(&self, name: &str) -> u32 {
        self.supervisor.status(name).expect("a known service").incarnation
    }

    /// `start` in a task of its own, run until everything waits.
    pub(crate) async fn starting(&self, name: &'static str) -> Pending<StartOutcome, StartError> {
        let supervisor = self.supervisor.clone();
        let call = spawn(async move { supervisor.start(name).await });
        settle().await;
        call
    }

    /// `stop` in a task of its own, run until everything waits.
    pub(crate) async fn stopping(&self, name: &'static str) -> Pending<StopReport, StopError> {
        let supervisor = self.supervisor.clone();
        let call = spawn(async move { supervisor.stop(name).await });
        settle().await;
        call
    }

    /// `restart` in a task of its own, run until everything waits.
    pub(crate) async fn restarting(
        &self,
        name: &'static str,
    ) -> Pending<RestartReport, RestartError> {
        let supervisor = self.supervisor.clone();
        let call = spawn(async move { supervisor.restart(name).await });
        settle().await;
        call
    }
}

/// A manager of probes.
pub(crate) fn manager<'a>(
    probes: impl IntoIterator<Item = &'a Probe>,
    log: &Log,
) -> PluginManager<dyn Scripted> {
    let specs: Vec<SpecRef> = probes.into_iter().map(|probe| probe.spec(log)).collect();
    PluginManager::builder(()).finder(ListFinder::new(specs)).build()
}

/// The state, and where no restart was allowed at all, what the service has failed with.
pub(crate) fn plain(state: ServiceState) -> ServiceState {
    let ServiceState::Failed(failure) = &state else { return state };
    match &**failure {
        ServiceFailure::GaveUp { restarts: 0, group: None, again: None, source, .. } => {
            ServiceState::Failed(Arc::clone(source))
        }
        _ => state,
    }
}

/// A call that has not answered yet, as far as the test knows.
pub(crate) type Pending<T, E> = JoinHandle<Result<T, E>>;

/// Runs everything until it waits for something that a test must do. On a paused clock only, which
/// it moves on by a millisecond.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// A task of the test's own.
#[expect(clippy::disallowed_methods, reason = "the ban is for the library's tasks")]
pub(crate) fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future)
}

/// Restarts at once, and as often as it takes.
pub(crate) fn tireless(builder: SupervisorBuilder) -> SupervisorBuilder {
    builder.intensity(Intensity::UNLIMITED).backoff(Backoff::NONE)
}

/// Restarts a second later, at most so often within a minute.
pub(crate) fn at_most(restarts: u32) -> impl FnOnce(SupervisorBuilder) -> SupervisorBuilder {
    move |builder| {
        let intensity = Intensity::new(restarts, 60 * SECOND);
        builder.intensity(intensity).backoff(Backoff::constant(SECOND))
    }
}

/// Has the running service do this, and lets come what follows. On a paused clock only.
pub(crate) async fn order(probe: &Probe, order: Do) {
    probe.order(order);
    settle().await;
}

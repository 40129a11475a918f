//! A supervisor as a service of another one.
//!
//! Trap: a supervisor that was shut down stays so, so each run makes a fresh one. When the run is dropped
//! where it stands, what is inside is aborted by a destructor, and no wait is possible there: the run's task
//! waits after it.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::select;

use crate::error::{BoxError, BuildError, Exit, StartError};
use crate::incarnation::Incarnation;
use crate::name::Name;
use crate::service::{Service, ServiceContext};

use super::calls::Supervisor;
use super::report::{ShutdownReport, StopHow, StopRow};

/// A supervisor as a service: trees of supervisors are built of it.
///
/// A run makes a supervisor, starts all of its services, and is ready when all that are not disabled run;
/// it publishes a [`WeakSupervisor`](crate::WeakSupervisor). A stop is a graceful shutdown inside, which
/// the service's own grace period bounds; past that everything inside is aborted, and the run has ended
/// when that has. When the inner
/// supervisor shuts down by itself, because a service was given up that
/// [escalates](crate::GiveUp::Escalate) or because somebody asked for it, that is the end of the run, and
/// the outer supervisor does with it what the service's policy says. A report inside that is not clean is
/// the error of the run: [`StopRow::nested`] finds it again.
///
/// A service inside ends with this one: when it waits for the end of this one it waits for its own, and
/// gets that error ([`StopError::OwnEnd`](crate::StopError::OwnEnd)).
///
/// ```
/// use plux::{BoxError, FnService, Nested, PluginManager, Supervisor};
///
/// #[plux::extension_point(namespace = "cells", output = Nested)]
/// trait Cell {}
///
/// #[derive(Default)]
/// struct Storage;
///
/// #[plux::plugin]
/// #[plux::async_trait]
/// impl Cell for Storage {
///     async fn load(&self, _: &()) -> Result<Nested, BoxError> {
///         Ok(Nested::new(|| {
///             let services = PluginManager::<dyn FnService>::builder(()).build();
///             Supervisor::builder().manager(services).build()
///         }))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let cells = PluginManager::<dyn Cell>::builder(()).build();
/// let supervisor = Supervisor::builder().manager(cells).build()?;
/// supervisor.start("storage").await?;
/// assert!(supervisor.shutdown().await?.is_clean());
/// # Ok(())
/// # }
/// ```
pub struct Nested {
    build: Box<dyn Fn() -> Result<Supervisor, BuildError> + Send + Sync>,
}

impl Nested {
    /// Makes a supervisor for each run.
    ///
    /// Its managers are made in the closure too. The shutdown of a run closes them, and so one that is only
    /// cloned there is closed from the second run on: what it has loaded runs again, with the state that
    /// it has by then, and what it has not loaded does not start any more
    /// ([`FailureCause::Aborted`](crate::FailureCause::Aborted)).
    pub fn new(build: impl Fn() -> Result<Supervisor, BuildError> + Send + Sync + 'static) -> Self {
        Self { build: Box::new(build) }
    }
}

impl fmt::Debug for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nested")
    }
}

/// Why a supervisor inside another one did not go on.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum NestedFailure {
    /// It could not be built.
    #[error("the supervisor inside can not be built: {0}")]
    Build(#[source] Arc<BuildError>),
    /// One of its services did not start.
    #[error("inside, {0}")]
    Start(#[source] Arc<StartError>),
    /// It was shut down, and not all was clean.
    #[error("inside, not all was clean: {}", unclean(.report))]
    ShutDown {
        /// What that shutdown has to tell.
        report: ShutdownReport,
    },
}

/// The names of those that were not clean.
fn unclean(report: &ShutdownReport) -> String {
    let rows = report.rows().iter().filter(|row| !matches!(row.how, StopHow::Clean));
    let before = report.failed_before().iter().map(|name| format!("{name}: failed"));
    let rows = rows.map(|row| format!("{}: {}", row.name, row.how));
    let pending = report.pending_loads().iter().map(|name: &Name| format!("{name}: still loads"));
    before.chain(rows).chain(pending).collect::<Vec<_>>().join(", ")
}

impl StopRow {
    /// The report of the supervisor that the service is, when it was not clean.
    pub fn nested(&self) -> Option<&ShutdownReport> {
        let StopHow::Error(Exit::Failed(error)) = &self.how else { return None };
        match error.downcast_ref()? {
            NestedFailure::ShutDown { report } => Some(report),
            _ => None,
        }
    }
}

/// Aborts what is inside when the run is dropped where it stands, and leaves the wait for its end to the
/// task of the run: until then nothing begins anew, and what does not end has leaked.
struct Inside {
    supervisor: Supervisor,
    run: Arc<Incarnation>,
}

impl Drop for Inside {
    fn drop(&mut self) {
        // After a shutdown there is nobody left to hear it.
        self.supervisor.abort_now();
        let shared = Arc::clone(&self.supervisor.shared);
        if !shared.report.initialized() {
            self.run.leave(Box::pin(async move {
                shared.report.wait().await;
            }));
        }
    }
}

impl Inside {
    async fn shut_down(&self) -> Result<(), BoxError> {
        let report = self.supervisor.shutdown().await?;
        if report.is_clean() { Ok(()) } else { Err(NestedFailure::ShutDown { report }.into()) }
    }
}

#[async_trait]
impl Service for Nested {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        let built = (self.build)().map_err(|error| NestedFailure::Build(Arc::new(error)))?;
        if let Some(around) = cx.supervisor().shared.upgrade() {
            around.enclose(&built.shared, cx.run.link.place().service);
        }
        let inside = Inside { supervisor: built, run: Arc::clone(&cx.run) };
        let Some(started) = cx.running_until(inside.supervisor.start_all()).await else {
            return inside.shut_down().await;
        };
        let failed = started.failed().next().map(|(_, error)| error.clone());
        if let Some(error) = failed {
            // What it began is taken back; that it had to be says the error of the start.
            let _ = inside.shut_down().await;
            return Err(NestedFailure::Start(Arc::new(error)).into());
        }
        cx.ready(inside.supervisor.downgrade());
        let stopping = pin!(cx.stopping());
        let over = pin!(inside.supervisor.shutting_down());
        select(stopping, over).await;
        inside.shut_down().await
    }
}

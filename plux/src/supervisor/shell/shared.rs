//! What handles, children and the dispatcher share: the children with what is published of them, and
//! the way to the dispatcher.
//!
//! Trap: what is replaced under a child's lock may own values of the user's, with destructors; it is
//! dropped after the lock.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::{SetOnce, mpsc, oneshot};
use tokio::time::Instant;

use crate::error::{HandleError, SharedError};
use crate::graph::Graph;
use crate::health::Health;
use crate::incarnation::{Incarnation, Link, Place};
use crate::listener::Hub;
use crate::name::Name;
use crate::origin::Origin;
use crate::reason::{Phase, Stopped};
use crate::service::Service;
use crate::spec::SpecRef;
use crate::state::ServiceState;
use crate::supervisor::core::{Answer, Index, Input};
use crate::supervisor::few::Few;
use crate::supervisor::report::ShutdownReport;
use crate::supervisor::source::ServiceSource;
use crate::task::catch;

/// What handles, children and the dispatcher share.
pub(crate) struct Shared {
    pub(crate) children: Box<[Arc<Child>]>,
    pub(crate) by_name: FxHashMap<Name, Index>,
    pub(crate) graph: Arc<Graph>,
    pub(crate) sources: Vec<Arc<dyn ServiceSource>>,
    pub(crate) hub: Hub,
    pub(crate) mailbox: Mailbox,
    pub(crate) join_timeout: Duration,
    /// The longest a shutdown may take before everything left is reported as leaked.
    pub(crate) shutdown_bound: Option<Duration>,
    /// The same when everything is aborted at once.
    pub(crate) abort_bound: Duration,
    pub(crate) owner: Weak<Owner>,
    pub(crate) epoch: Instant,
    pub(crate) shutting_down: SetOnce<()>,
    pub(crate) report: SetOnce<ShutdownReport>,
    /// Begins the dispatcher. Taken by the first call, which is inside a runtime; building need not
    /// be.
    pub(crate) idle: Mutex<Option<Begin>>,
}

type Begin = Box<dyn FnOnce(Arc<Shared>) + Send>;

impl Shared {
    pub(crate) fn index(&self, name: &str) -> Option<Index> {
        self.by_name.get(name).copied()
    }

    /// Name and place of registration.
    pub(crate) fn describe(&self, index: Index) -> (Name, Origin) {
        let child = &self.children[index as usize];
        (child.spec.name().clone(), child.spec.origin())
    }

    /// Hands `input` to the dispatcher; `false` when that has ended.
    ///
    /// # Panics
    /// When it is the first one, outside a tokio runtime; the next may still be inside one.
    pub(crate) fn send(self: &Arc<Self>, input: Input<Caller>) -> bool {
        let mut idle = self.idle.lock();
        if idle.is_some() {
            // Panics outside a runtime, before anything is taken that could not be given back.
            drop(tokio::runtime::Handle::current());
        }
        let begin = idle.take();
        drop(idle);
        if let Some(begin) = begin {
            begin(Arc::clone(self));
        }
        self.mailbox.send(input).is_ok()
    }
}

/// What every owning handle holds: the end of the last one begins a shutdown.
pub(crate) struct Owner {
    pub(crate) mailbox: Mailbox,
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Without a dispatcher nothing runs that could be stopped.
        let _ = self.mailbox.send(Input::Shutdown);
    }
}

/// Where an answer goes.
pub(crate) type Caller = oneshot::Sender<Answer>;

/// The way to the dispatcher.
pub(crate) type Mailbox = mpsc::UnboundedSender<Input<Caller>>;

/// One supervised service.
pub(crate) struct Child {
    pub(crate) index: Index,
    /// Before `source`, whose manager has it too: so a factory's destructor is the manager's to run.
    pub(crate) spec: SpecRef,
    pub(crate) source: Arc<dyn ServiceSource>,
    pub(crate) shared: Weak<Shared>,
    pub(crate) mailbox: Mailbox,
    /// What its plugin's load yielded; kept across runs.
    pub(super) service: OnceLock<Arc<dyn Service>>,
    cell: Mutex<Cell>,
}

/// What others see. Held for a copy, never longer.
struct Cell {
    state: ServiceState,
    incarnation: u32,
    run: Option<Arc<Incarnation>>,
    /// What its runs failed with. A destructor is user code, so the last clone is not for the
    /// dispatcher to drop: the service's own task does.
    errors: Few<SharedError>,
}

impl Child {
    pub(crate) fn new(
        index: Index,
        spec: SpecRef,
        source: Arc<dyn ServiceSource>,
        shared: Weak<Shared>,
        mailbox: Mailbox,
    ) -> Self {
        let state = ServiceState::Stopped(Stopped::NeverStarted);
        let cell = Mutex::new(Cell { state, incarnation: 0, run: None, errors: Few::NONE });
        Self { index, spec, source, shared, mailbox, service: OnceLock::new(), cell }
    }

    /// Where it stands, the number of its newest run, and that if it has not ended.
    pub(crate) fn state(&self) -> (ServiceState, u32, Option<Arc<Incarnation>>) {
        let cell = self.cell.lock();
        (cell.state.clone(), cell.incarnation, cell.run.clone())
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
        self.run().filter(|run| !run.is_over()).ok_or_else(|| HandleError::NotReady {
            name: self.spec.name().clone(),
            origin: self.spec.origin(),
        })
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

    /// How far its attempt has come.
    pub(super) fn reached(&self) -> Phase {
        match self.service.get() {
            Some(_) => Phase::Run,
            None => self.source.reached(self.spec.name()),
        }
    }

    /// How long ago the last beat of its run was, if that is watched.
    pub(super) fn silent(&self) -> Duration {
        self.run().and_then(|run| run.silent()).unwrap_or_default()
    }

    /// Keeps the run that is about to begin. Only the dispatcher calls it.
    pub(super) fn hold(&self, run: Arc<Incarnation>) {
        self.cell.lock().run = Some(run);
    }

    /// Keeps what a run failed with until nobody else has it.
    pub(super) fn keep(&self, error: SharedError) {
        self.cell.lock().errors.push(error);
    }

    /// Drops the errors that nobody else has any more.
    pub(super) fn sweep(&self) {
        let unused = |error: &mut SharedError| Arc::strong_count(error) == 1;
        let unused = self.cell.lock().errors.extract(unused);
        for error in unused {
            // It was told what it had to tell.
            let _ = catch(move || drop(error));
        }
    }

    pub(super) fn send(&self, input: Input<Caller>) {
        // Without a dispatcher nobody is left to hear it.
        let _ = self.mailbox.send(input);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.cell.get_mut().state = ServiceState::Stopped(Stopped::NeverStarted);
        self.sweep();
    }
}

impl Link for Child {
    fn name(&self) -> &Name {
        self.spec.name()
    }

    fn origin(&self) -> Origin {
        self.spec.origin()
    }

    fn place(&self) -> Place {
        Place { supervisor: self.shared.as_ptr() as usize, service: self.index }
    }

    fn ready(&self, incarnation: u32, unhealthy: Option<Arc<str>>) {
        self.send(Input::Ready { service: self.index, incarnation, unhealthy });
    }

    fn health(&self, incarnation: u32, health: Health) {
        self.send(Input::Health { service: self.index, incarnation, health });
    }

    fn dependency(&self, name: &str) -> Result<Arc<Incarnation>, HandleError> {
        let stranger = || HandleError::NotADependency {
            name: self.spec.name().clone(),
            origin: self.spec.origin(),
            dependency: name.to_owned(),
        };
        let shared = self.shared.upgrade().ok_or_else(stranger)?;
        let (namespace, name) = match name.split_once(':') {
            Some((namespace, name)) => (namespace, name),
            None => (self.spec.namespace().as_str(), name),
        };
        let on = shared.index(name).ok_or_else(stranger)?;
        let dependency = &shared.children[on as usize];
        let declared = shared.graph.dependencies(self.index).iter().any(|&(other, _)| other == on);
        if !declared || dependency.spec.namespace().as_str() != namespace {
            return Err(stranger());
        }
        dependency.published()
    }
}

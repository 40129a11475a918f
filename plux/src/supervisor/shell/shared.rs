//! What handles, children and the dispatcher share: the children with what is published of them, and
//! the way to the dispatcher.
//!
//! Trap: what is replaced under a child's lock may own values of the user's, with destructors; it is
//! dropped after the lock. So may a child: whoever keeps one beside the roster may be the last to.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::{SetOnce, oneshot, watch};
use tokio::time::Instant;

use crate::error::{BuildProblem, HandleError, Near};
use crate::event::EventKind;
use crate::given::let_go;
use crate::health::Health;
use crate::incarnation::{Incarnation, Link};
use crate::listener::Hub;
use crate::name::Name;
use crate::origin::Origin;
use crate::place::Place;
use crate::reason::{Phase, Stopped};
use crate::service::Service;
use crate::spec::SpecRef;
use crate::state::ServiceState;
use crate::supervisor::core::{Ending, Index, Input};
use crate::supervisor::found::Found;
use crate::supervisor::report::ShutdownReport;
use crate::supervisor::roster::Roster;
use crate::supervisor::source::ServiceSource;
use crate::task::catch;

use super::cell::Cell;
use super::post::Post;
use super::told::Told;

/// What handles, children and the dispatcher share.
pub(crate) struct Shared {
    /// Only the dispatcher writes, which has one of its own. Held for a look, never longer, and no user code
    /// runs under it.
    pub(crate) roster: RwLock<Arc<Roster<Arc<Child>>>>,
    pub(crate) hub: Hub,
    pub(crate) mailbox: Mailbox,
    pub(crate) join_timeout: Duration,
    /// The longest a shutdown may take before everything left is reported as leaked.
    pub(crate) shutdown_bound: watch::Sender<Option<Duration>>,
    /// The same when everything is aborted at once.
    pub(crate) abort_bound: Duration,
    pub(crate) owner: Weak<Owner>,
    /// The supervisors inside, each with the service that it is, or is a part of.
    pub(crate) inside: Mutex<Vec<(Weak<Shared>, Index)>>,
    pub(crate) epoch: Instant,
    pub(crate) shutting_down: SetOnce<()>,
    pub(crate) report: SetOnce<ShutdownReport>,
    /// Begins the dispatcher. Taken by the first call, which is inside a runtime; building need not
    /// be.
    pub(crate) idle: Mutex<Option<Begin>>,
}

type Begin = Box<dyn FnOnce(Arc<Shared>) + Send>;

impl Shared {
    /// The one at that place, if there is one.
    pub(crate) fn child(&self, place: Index) -> Option<Arc<Child>> {
        self.roster.read().get(place).cloned()
    }

    /// Makes known that `inner` ends with the run of a service of this one.
    pub(crate) fn enclose(&self, inner: &Arc<Self>, service: Index) {
        let mut inside = self.inside.lock();
        inside.retain(|(inner, _)| inner.strong_count() > 0);
        inside.push((Arc::downgrade(inner), service));
    }

    /// Which of the services it is, or has it inside.
    pub(crate) fn whose(&self, place: Place) -> Option<Index> {
        if std::ptr::from_ref(self) as usize == place.supervisor {
            return Some(place.service);
        }
        // Whoever looks may be the last to have it, and its end is nothing for under a lock.
        let inside = self.inside.lock().clone();
        let has_it = |inner: &Weak<Self>| inner.upgrade()?.whose(place);
        inside.iter().find_map(|(inner, service)| has_it(inner).map(|_| *service))
    }

    /// Hands `mail` to the dispatcher; `false` when that has ended.
    ///
    /// # Panics
    /// When it is the first one, outside a tokio runtime; the next may still be inside one.
    pub(crate) fn send(self: &Arc<Self>, mail: Mail) -> bool {
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
        match self.mailbox.send(mail) {
            Ok(()) => true,
            Err(unheard) => {
                let_go("what was not added", unheard);
                false
            }
        }
    }
}

/// What every owning handle holds: the end of the last one begins a shutdown.
pub(crate) struct Owner {
    pub(crate) mailbox: Mailbox,
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Without a dispatcher nothing runs that could be stopped.
        let _ = self.mailbox.send(Mail::Input(Input::Shutdown));
    }
}

/// A service by its place, and which one is meant: another may have the place by now.
#[derive(Clone)]
pub(crate) struct Meant {
    pub(crate) place: Index,
    pub(crate) name: Name,
    pub(crate) child: Weak<Child>,
}

impl Meant {
    pub(crate) fn new(child: &Arc<Child>) -> Self {
        Self { place: child.index, name: child.spec.name().clone(), child: Arc::downgrade(child) }
    }

    /// Where it stands; one that is gone as if it had never been started.
    pub(crate) fn stands(&self) -> ServiceState {
        let gone = ServiceState::Stopped(Stopped::NeverStarted);
        self.child.upgrade().map_or(gone, |child| child.stands())
    }
}

/// Where an answer goes, and whom the call is about.
pub(crate) struct Caller {
    pub(crate) place: Index,
    pub(crate) child: Weak<Child>,
    /// The service that waits for the answer, or has one inside that does.
    pub(crate) asks: Option<Index>,
    pub(crate) answer: oneshot::Sender<Told>,
}

impl Caller {
    /// One that calls about a service, and what it will hear.
    pub(crate) fn new(about: &Meant, asks: Option<Index>) -> (Self, oneshot::Receiver<Told>) {
        let (answer, told) = oneshot::channel();
        (Self { place: about.place, child: about.child.clone(), asks, answer }, told)
    }
}

/// What the dispatcher is sent.
pub(crate) enum Mail {
    Input(Input<Caller>),
    /// A service that waits for the end of another, or for its being up, is to end itself: it is answered
    /// if it waits in vain.
    InVain {
        caller: Caller,
        up: bool,
    },
    Add(Box<Addition>),
}

/// What a manager has, to be added; or what is wrong with it already.
pub(crate) struct Addition {
    pub(crate) found: Vec<Found>,
    pub(crate) problems: Vec<BuildProblem>,
    pub(crate) source: Arc<dyn ServiceSource>,
    pub(crate) answer: oneshot::Sender<Told>,
}

/// The way to the dispatcher.
pub(crate) type Mailbox = Arc<Post<Mail>>;

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
    pub(super) cell: Cell<Arc<Incarnation>>,
}

impl Child {
    pub(crate) fn new(
        index: Index,
        spec: SpecRef,
        source: Arc<dyn ServiceSource>,
        shared: Weak<Shared>,
        mailbox: Mailbox,
    ) -> Self {
        let cell = Cell::new(ServiceState::Stopped(Stopped::NeverStarted));
        Self { index, spec, source, shared, mailbox, service: OnceLock::new(), cell }
    }

    /// Where it stands, the number of its newest run, and that if it has not ended.
    pub(crate) fn state(&self) -> (ServiceState, u32, Option<Arc<Incarnation>>) {
        self.cell.get()
    }

    /// Where it stands.
    pub(crate) fn stands(&self) -> ServiceState {
        self.cell.state()
    }

    /// The present run, if there is one.
    pub(crate) fn run(&self) -> Option<Arc<Incarnation>> {
        self.cell.run()
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

    /// Drops errors that nobody else has any more: all of them, or when there are many.
    pub(super) fn sweep(&self, all: bool) {
        for error in self.cell.unused(all) {
            // It was told what it had to tell.
            let _ = catch(move || drop(error));
        }
    }

    /// Tells the dispatcher, which decides from here on.
    pub(super) fn send(&self, input: Input<Caller>) {
        self.cell.hand_back();
        // Without a dispatcher nobody is left to hear it.
        let _ = self.mailbox.send(Mail::Input(input));
    }

    /// The same, for who has nothing to do with the service any more: whoever hears of its end may remove it, and
    /// what its manager has is gone then. What is lent stays so until it is taken back, as nobody is left to turn it.
    pub(super) fn send_last(self: Arc<Self>, input: Input<Caller>) {
        let mailbox = Arc::clone(&self.mailbox);
        drop(self);
        let _ = mailbox.send(Mail::Input(input));
    }

    /// Begins the run after one that has ended, if that is for the service's own task to do.
    pub(super) fn turn(self: &Arc<Self>, ending: &Ending) -> Option<Arc<Incarnation>> {
        if !self.cell.is_lent() {
            return None;
        }
        let shared = self.shared.upgrade()?;
        let now = Instant::now().duration_since(shared.epoch);
        let link = || Arc::clone(self) as Arc<dyn Link>;
        let begin = |number| Arc::new(Incarnation::new(link(), number, false));
        let tell = |state: &ServiceState, incarnation| self.post(&shared.hub, state, incarnation);
        let (next, announces) = self.cell.turn(ending, now, begin, tell)?;
        shared.hub.attend();
        if announces {
            // The loan goes on. Without a dispatcher nobody is left to hear it.
            let _ = self.mailbox.send(Mail::Input(Input::Turns { service: self.index }));
        }
        Some(next)
    }

    /// Whether a run that this task has begun by itself is ready by that; otherwise the dispatcher is told.
    fn turned_ready(&self, incarnation: u32) -> bool {
        if !self.cell.is_starting() {
            return false;
        }
        let Some(shared) = self.shared.upgrade() else { return false };
        let now = Instant::now().duration_since(shared.epoch);
        let tell = |state: &ServiceState, number| self.post(&shared.hub, state, number);
        let here = self.cell.ready(incarnation, now, tell);
        shared.hub.attend();
        here
    }

    fn post(&self, hub: &Hub, state: &ServiceState, incarnation: u32) {
        let state = state.clone();
        hub.post(|| (self.spec.id(), EventKind::Service { state, incarnation }));
    }
}

/// The run, if a handle can be taken from it.
pub(crate) fn published(run: Option<Arc<Incarnation>>) -> Option<Arc<Incarnation>> {
    run.filter(|run| !run.is_over())
}

impl Drop for Child {
    fn drop(&mut self) {
        self.cell.publish(ServiceState::Stopped(Stopped::NeverStarted), 0);
        self.sweep(true);
        let_go("a service", self.service.take());
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
        if !self.turned_ready(incarnation) {
            self.send(Input::Ready { service: self.index, incarnation, unhealthy });
        }
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
        let roster = shared.roster.read();
        // In the place of one that was removed another may stand.
        let is_here = roster.get(self.index).is_some_and(|child| std::ptr::eq(&**child, self));
        if !is_here {
            let (name, near) = (self.spec.name().to_string(), Near::default());
            return Err(HandleError::Unknown { name, near });
        }
        let (on, dependency) = roster.find(name).ok_or_else(stranger)?;
        let edges = roster.graph().dependencies(self.index);
        let declared = edges.iter().any(|&(other, _)| other == on);
        if !declared || dependency.spec.namespace().as_str() != namespace {
            return Err(stranger());
        }
        let run = dependency.run();
        let (name, origin) = (dependency.spec.name().clone(), dependency.spec.origin());
        drop(roster);
        published(run).ok_or(HandleError::NotReady { name, origin })
    }
}

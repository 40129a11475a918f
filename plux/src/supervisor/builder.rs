//! What a supervisor is made of, and the refusal of what can not work.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;
use tokio::sync::{SetOnce, watch};
use tokio::time::Instant;

use crate::error::{BuildError, BuildProblem};
use crate::extension::ExtensionPoint;
use crate::graph::Graph;
use crate::group::Group;
use crate::listener::{Hub, Listener};
use crate::manager::PluginManager;
use crate::near::near;
use crate::options::ServiceOptions;
use crate::restart::{GiveUp, Intensity};
use crate::service::Service;

use super::bound::{abort_bound, index, shutdown_bound};
use super::calls::Supervisor;
use super::core::{self, Core, Index, Limits};
use super::found::{Found, Settings, shared, tie};
use super::roster::Roster;
use super::shell::{Caller, Child, Dispatcher, Mailbox, Owner, Post, Shared};
use super::source::ServiceSource;

/// Configures a [`Supervisor`].
///
/// The host has the last word on a service: what is set here for it by [name](Self::service) goes
/// before what its attribute sets, that before what is set here for all, and that before the default.
/// What a [dependency](crate::Dependency::reaction) says about a reaction goes before all of that.
/// All defaults stand in one table in the project's `docs/semantics.md`.
#[must_use]
pub struct SupervisorBuilder {
    sources: Vec<Arc<dyn ServiceSource>>,
    listeners: Vec<Box<dyn Listener>>,
    services: BTreeMap<String, ServiceOptions>,
    groups: Vec<Group>,
    max_concurrent_restarts: Option<NonZeroUsize>,
    /// For all services.
    pub(super) defaults: ServiceOptions,
    join_timeout: Duration,
    shutdown_timeout: Option<Duration>,
}

impl Default for SupervisorBuilder {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            listeners: Vec::new(),
            services: BTreeMap::new(),
            groups: Vec::new(),
            max_concurrent_restarts: None,
            defaults: ServiceOptions::NONE,
            join_timeout: Duration::from_secs(1),
            shutdown_timeout: None,
        }
    }
}

impl Supervisor {
    /// Begins a configuration.
    pub fn builder() -> SupervisorBuilder {
        SupervisorBuilder::default()
    }
}

impl SupervisorBuilder {
    /// Adds the services of a manager. Their names must be unique across all managers. The shutdown
    /// closes the manager: loads that are pending then end, and none begins any more.
    ///
    /// The supervisor lets go of its managers in the order in which they were added, and what a
    /// manager's plugins acquired goes with it; so a manager whose services require another's is
    /// added before that one.
    pub fn manager<P>(mut self, manager: PluginManager<P>) -> Self
    where
        P: ExtensionPoint + ?Sized + 'static,
        P::Output: Service,
    {
        self.sources.push(Arc::new(manager));
        self
    }

    /// Adds a listener for the services' events; it is called in a task of its own.
    pub fn listener(mut self, listener: impl Listener) -> Self {
        self.listeners.push(Box::new(listener));
        self
    }

    /// Sets options of one service, whatever its attribute says. What an earlier call has set for it
    /// and this one leaves open stays.
    ///
    /// ```
    /// use std::time::Duration;
    /// use plux::{BoxError, FnService, GracePeriod, PluginManager, ServiceContext, ServiceOptions, Supervisor};
    ///
    /// #[plux::service(grace_period = "2s")]
    /// async fn clock(cx: ServiceContext) -> Result<(), BoxError> {
    ///     cx.ready(());
    ///     cx.stopping().await;
    ///     Ok(())
    /// }
    ///
    /// # fn main() -> Result<(), BoxError> {
    /// let minute = GracePeriod::Bounded(Duration::from_secs(60));
    /// let supervisor = Supervisor::builder()
    ///     .manager(PluginManager::<dyn FnService>::builder(()).build())
    ///     .service("clock", ServiceOptions::NONE.with_grace_period(minute))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn service(mut self, name: impl Into<String>, options: ServiceOptions) -> Self {
        let set = self.services.entry(name.into()).or_default();
        *set = options.or(*set);
        self
    }

    /// Has services restarted together, or share a budget of restarts.
    pub fn group(mut self, group: Group) -> Self {
        self.groups.push(group);
        self
    }

    /// Lets so many services be on their way back at once that are restarted by themselves, or because
    /// of what they require; no cap unless set. One holds its place until it is ready or has ended. A
    /// start by hand needs none, nor does what somebody who is starting requires.
    pub fn max_concurrent_restarts(mut self, restarts: NonZeroUsize) -> Self {
        self.max_concurrent_restarts = Some(restarts);
        self
    }

    /// The time from an abort until a service that has not ended counts as leaked; 1 s unless set.
    pub fn join_timeout(mut self, time: Duration) -> Self {
        self.join_timeout = time;
        self
    }

    /// The time for a whole shutdown, at whose end all that is left is aborted; none unless set.
    pub fn shutdown_timeout(mut self, time: Duration) -> Self {
        self.shutdown_timeout = Some(time);
        self
    }

    /// Checks the configuration and makes the supervisor. Runs no plugin code and starts nothing.
    ///
    /// # Errors
    /// [`BuildError`] with every problem found.
    pub fn build(self) -> Result<Supervisor, BuildError> {
        let mut problems = Vec::new();
        let found = self.find(&mut problems);
        self.check_names(&found, &mut problems);
        let settings = Settings {
            services: self.services,
            defaults: self.defaults,
            groups: places(&self.groups),
            join_timeout: self.join_timeout,
            shutdown_timeout: self.shutdown_timeout,
        };
        let limits: Vec<Limits> = found.iter().map(|found| settings.limits(&found.spec)).collect();
        for (found, limits) in found.iter().zip(&limits) {
            limits.check(&found.spec, settings.shutdown_timeout.is_some(), &mut problems);
        }
        let groups = groups(&self.groups, &found, &mut problems);
        if settings.join_timeout.is_zero() {
            problems.push(BuildProblem::ZeroJoinTimeout);
        }
        if !problems.is_empty() {
            return Err(BuildError { problems });
        }
        let specs: Vec<_> = found.iter().map(|found| Some(&found.spec)).collect();
        let (graph, reactions) = tie(&specs);
        let graph = Arc::new(graph);
        let (join, whole) = (settings.join_timeout, settings.shutdown_timeout);
        let grace_period = |place: Index| Some(limits[place as usize].grace_period);
        let bound = shutdown_bound(&graph, grace_period, join, whole);
        let seed = RandomState::new().hash_one(0);
        let core = Core::new(Arc::clone(&graph), reactions, shared(limits), join, whole)
            .with_seed(seed)
            .with_gave_up(|caller: &Caller| caller.answer.is_closed())
            .with_groups(groups)
            .with_slots(self.max_concurrent_restarts.map(NonZeroUsize::get));
        let hub = Hub::new(self.listeners);
        Ok(assemble(&found, graph, self.sources, hub, core, settings, bound))
    }

    /// Everything the managers have, in name order.
    fn find(&self, problems: &mut Vec<BuildProblem>) -> Vec<Found> {
        let mut found: Vec<Found> =
            self.sources.iter().flat_map(|source| Found::of(source, problems)).collect();
        found.sort_by(|one, other| one.spec.name().cmp(other.spec.name()));
        for pair in found.windows(2) {
            if pair[0].spec.name() == pair[1].spec.name() {
                problems.push(BuildProblem::DuplicateName {
                    name: pair[0].spec.name().clone(),
                    origins: Box::new((pair[0].spec.origin(), pair[1].spec.origin())),
                });
            }
        }
        found
    }

    /// Options that are set for nobody.
    fn check_names(&self, found: &[Found], problems: &mut Vec<BuildProblem>) {
        let names = || found.iter().map(|found| found.spec.name());
        for name in self.services.keys() {
            if found.binary_search_by(|found| found.spec.name().as_str().cmp(name)).is_err() {
                let near = near(name, names());
                problems.push(BuildProblem::UnknownService { name: name.clone(), near });
            }
        }
    }
}

fn assemble(
    found: &[Found],
    graph: Arc<Graph>,
    sources: Vec<Arc<dyn ServiceSource>>,
    hub: Hub,
    core: Core<Caller>,
    settings: Settings,
    shutdown_bound: Option<Duration>,
) -> Supervisor {
    let (post, inbox) = Post::new();
    let mailbox: Mailbox = Arc::new(post);
    let owner = Arc::new(Owner { mailbox: mailbox.clone() });
    let join_timeout = settings.join_timeout;
    let shared = Arc::new_cyclic(|shared| {
        let children = found.iter().enumerate().map(|(place, Found { spec, source })| {
            let (shared, mailbox) = (shared.clone(), mailbox.clone());
            let child = Child::new(index(place), spec.clone(), Arc::clone(source), shared, mailbox);
            (spec.name().clone(), Arc::new(child))
        });
        Shared {
            roster: RwLock::new(Arc::new(Roster::new(children, graph, sources))),
            hub,
            mailbox: mailbox.clone(),
            join_timeout,
            shutdown_bound: watch::Sender::new(shutdown_bound),
            abort_bound: abort_bound(join_timeout),
            owner: Arc::downgrade(&owner),
            inside: Mutex::default(),
            epoch: Instant::now(),
            shutting_down: SetOnce::new(),
            report: SetOnce::new(),
            idle: Mutex::new(Some(Box::new(move |shared| {
                Dispatcher::new(shared, core, settings, inbox).begin();
            }))),
        }
    });
    Supervisor { shared, _owner: owner }
}

/// The place of each member's group, by the member's name.
fn places(groups: &[Group]) -> FxHashMap<String, usize> {
    let of = |(place, group): (usize, &Group)| {
        let members = group.members.iter();
        members.map(move |member| (member.clone(), place)).collect::<Vec<_>>()
    };
    groups.iter().enumerate().flat_map(of).collect()
}

/// The groups, as the core has them.
fn groups(groups: &[Group], found: &[Found], problems: &mut Vec<BuildProblem>) -> Vec<core::Group> {
    let names = || found.iter().map(|found| found.spec.name());
    let mut grouped: FxHashMap<Index, &str> = FxHashMap::default();
    let mut made = Vec::with_capacity(groups.len());
    for Group { name, members, one_for_all, intensity, give_up } in groups {
        let mut places = Vec::with_capacity(members.len());
        for member in members {
            let place = found.binary_search_by(|found| found.spec.name().as_str().cmp(member));
            let Ok(place) = place else {
                let (group, near) = (name.clone(), near(member, names()));
                problems.push(BuildProblem::UnknownMember { name: member.clone(), group, near });
                continue;
            };
            if let Some(other) = grouped.insert(index(place), name.as_str()) {
                let spec = &found[place].spec;
                problems.push(BuildProblem::TwoGroups {
                    name: spec.name().clone(),
                    origin: spec.origin(),
                    groups: (other.to_owned(), name.clone()),
                });
            }
            places.push(index(place));
        }
        if intensity.is_some_and(Intensity::lacks_period) {
            problems.push(BuildProblem::ZeroPeriod { group: name.clone() });
        }
        if intensity.is_some() && *give_up == GiveUp::CoolDown(Duration::ZERO) {
            problems.push(BuildProblem::ZeroCoolDown { group: name.clone() });
        }
        if intensity.is_none() && !*one_for_all {
            problems.push(BuildProblem::IdleGroup { group: name.clone() });
        }
        made.push(core::Group {
            name: name.as_str().into(),
            members: places,
            one_for_all: *one_for_all,
            intensity: *intensity,
            give_up: *give_up,
        });
    }
    made
}

impl std::fmt::Debug for SupervisorBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let limits = Limits::of(self.defaults);
        f.debug_struct("SupervisorBuilder")
            .field("managers", &self.sources.len())
            .field("services", &self.services)
            .field("grace_period", &limits.grace_period)
            .field("start_timeout", &limits.start_timeout)
            .field("restart", &limits.restart)
            .field("backoff", &format_args!("{}", limits.backoff))
            .field("stable_after", &limits.stable_after)
            .field("intensity", &format_args!("{}", limits.intensity))
            .field("give_up", &limits.give_up)
            .field("reaction", &limits.reaction)
            .field("groups", &self.groups.len())
            .field("max_concurrent_restarts", &self.max_concurrent_restarts)
            .field("watchdog", &limits.watchdog)
            .field("on_unhealthy", &limits.on_unhealthy)
            .field("join_timeout", &self.join_timeout)
            .field("shutdown_timeout", &self.shutdown_timeout)
            .finish_non_exhaustive()
    }
}

//! A service that does what a test tells it to.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use parking_lot::{Condvar, Mutex};
use plux::{
    BoxError, Dependency, DependencyKind, Disabled, Fatal, GracePeriod, Name, Namespace, Origin,
    PluginSpec, Reaction, Service, ServiceContext, ServiceOptions, SpecRef, StartTimeout,
};
use tokio::sync::Notify;

use super::Log;

/// The namespace of the probes.
#[plux::extension_point(namespace = "test", output = Arc<dyn Service>)]
pub(crate) trait Scripted {}

/// What a run may be told to do.
#[derive(Clone)]
pub(crate) enum Do {
    /// Be ready, and publish [`Published`].
    Ready,
    Complete,
    Fail(&'static str),
    /// Fail, and say that another run would not help.
    FailForGood(&'static str),
    Panic(&'static str),
    Take(Duration),
    /// Anything else.
    Call(Arc<dyn Fn(ServiceContext) -> BoxFuture<'static, ()> + Send + Sync>),
}

impl Do {
    pub(crate) fn call<F>(call: impl Fn(ServiceContext) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::Call(Arc::new(move |cx| Box::pin(call(cx))))
    }
}

/// What a run does once it was told to stop.
#[derive(Clone, Copy)]
pub(crate) enum OnStop {
    Return,
    Fail(&'static str),
    Panic(&'static str),
    Take(Duration),
    /// It goes on, and takes orders as before.
    Ignore,
    /// It blocks its thread until [`Probe::unblock`].
    Block,
}

/// What its plugin does when it is made and loaded.
#[derive(Clone, Copy)]
pub(crate) enum Load {
    Return,
    Fail(&'static str),
    Panic(&'static str),
    Disabled(&'static str),
    Take(Duration),
    Hang,
    /// It blocks its thread until [`Probe::unblock`].
    Block,
    FailToMake(&'static str),
}

/// What a probe publishes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) incarnation: u32,
}

/// One scripted service. Clones are the same, so `probe.clone().begin([])` changes what every later
/// run does. An order is carried out to its end: the stop signal is looked at between orders.
#[derive(Clone)]
pub(crate) struct Probe {
    name: &'static str,
    dependencies: Vec<Dependency>,
    options: ServiceOptions,
    state: Arc<State>,
}

struct State {
    script: Mutex<Script>,
    orders: Mutex<VecDeque<Do>>,
    ordered: Notify,
    live: AtomicUsize,
    most_live: AtomicUsize,
    blocked: Mutex<bool>,
    unblocked: Condvar,
}

#[derive(Clone)]
struct Script {
    load: Load,
    begin: Vec<Do>,
    on_stop: OnStop,
    in_destructor: Option<&'static str>,
}

impl Probe {
    /// One that is ready at once and stops when told.
    pub(crate) fn new(name: &'static str) -> Self {
        let script = Script {
            load: Load::Return,
            begin: vec![Do::Ready],
            on_stop: OnStop::Return,
            in_destructor: None,
        };
        let state = State {
            script: Mutex::new(script),
            orders: Mutex::default(),
            ordered: Notify::new(),
            live: AtomicUsize::new(0),
            most_live: AtomicUsize::new(0),
            blocked: Mutex::new(true),
            unblocked: Condvar::new(),
        };
        let (dependencies, options) = (Vec::new(), ServiceOptions::NONE);
        Self { name, dependencies, options, state: Arc::new(state) }
    }

    pub(crate) fn requires(self, name: &'static str) -> Self {
        self.depends(DependencyKind::Requires, name)
    }

    /// Requires it, and says on the edge what its end does.
    pub(crate) fn requires_to(self, reaction: Reaction, name: &'static str) -> Self {
        let edge = Dependency::literal(DependencyKind::Requires, None, name);
        self.edge(edge.with_reaction(reaction))
    }

    pub(crate) fn wants(self, name: &'static str) -> Self {
        self.depends(DependencyKind::Wants, name)
    }

    pub(crate) fn after(self, name: &'static str) -> Self {
        self.depends(DependencyKind::After, name)
    }

    fn depends(self, kind: DependencyKind, name: &'static str) -> Self {
        self.edge(Dependency::literal(kind, None, name))
    }

    pub(crate) fn edge(mut self, edge: Dependency) -> Self {
        self.dependencies.push(edge);
        self
    }

    pub(crate) fn grace_period(mut self, period: GracePeriod) -> Self {
        self.options = self.options.with_grace_period(period);
        self
    }

    pub(crate) fn start_timeout(mut self, time: Duration) -> Self {
        self.options = self.options.with_start_timeout(StartTimeout::Bounded(time));
        self
    }

    pub(crate) fn unlimited_start(mut self) -> Self {
        self.options = self.options.with_start_timeout(StartTimeout::Unlimited);
        self
    }

    pub(crate) fn options(mut self, set: impl FnOnce(ServiceOptions) -> ServiceOptions) -> Self {
        self.options = set(self.options);
        self
    }

    /// What its plugin does from now on.
    pub(crate) fn load(self, load: Load) -> Self {
        self.state.script.lock().load = load;
        self
    }

    /// What its runs do first, from now on; nothing is a service that is never ready by itself.
    pub(crate) fn begin(self, orders: impl IntoIterator<Item = Do>) -> Self {
        self.state.script.lock().begin = orders.into_iter().collect();
        self
    }

    /// What its runs do when told to stop, from now on.
    pub(crate) fn on_stop(self, on_stop: OnStop) -> Self {
        self.state.script.lock().on_stop = on_stop;
        self
    }

    /// Has the destructor of every run panic, from now on.
    pub(crate) fn panic_in_destructor(self, message: &'static str) -> Self {
        self.state.script.lock().in_destructor = Some(message);
        self
    }

    /// Tells the present run, or else the next one, to do this.
    pub(crate) fn order(&self, order: Do) {
        self.state.orders.lock().push_back(order);
        self.state.ordered.notify_one();
    }

    /// Lets go what [`Probe::block`] and [`OnStop::Block`] block, now and later.
    pub(crate) fn unblock(&self) {
        *self.state.blocked.lock() = false;
        self.state.unblocked.notify_all();
    }

    /// Blocks the thread until [`Probe::unblock`].
    pub(crate) fn block(&self) {
        let mut blocked = self.state.blocked.lock();
        while *blocked {
            self.state.unblocked.wait(&mut blocked);
        }
    }

    /// How many runs are alive now.
    pub(crate) fn live(&self) -> usize {
        self.state.live.load(Ordering::SeqCst)
    }

    /// How many runs were alive at the same time, at most.
    pub(crate) fn most_live(&self) -> usize {
        self.state.most_live.load(Ordering::SeqCst)
    }

    /// Where it says that it was registered: a place of its own.
    pub(crate) fn origin(&self) -> Origin {
        Origin::new("probes", "1.0.0", "probes", self.name, 7)
    }

    pub(crate) fn spec(&self, log: &Log) -> SpecRef {
        let (probe, log) = (self.clone(), log.clone());
        let make = move || -> Result<Arc<dyn Scripted>, BoxError> {
            log.add(format!("{} made", probe.name));
            match probe.state.script.lock().load {
                Load::FailToMake(message) => Err(message.into()),
                _ => Ok(Arc::new(Player { probe: probe.clone(), log: log.clone() })),
            }
        };
        let name = Name::literal(self.name);
        let spec = PluginSpec::new::<dyn Scripted>(Namespace::literal("test"), name, make);
        let spec = self.dependencies.iter().cloned().fold(spec, PluginSpec::with_dependency);
        spec.with_service(self.options).with_origin(self.origin()).into()
    }
}

/// The plugin, and what its load yields.
#[derive(Clone)]
struct Player {
    probe: Probe,
    log: Log,
}

#[plux::async_trait]
impl Scripted for Player {
    async fn load(&self, _: &()) -> Result<Arc<dyn Service>, BoxError> {
        self.say("loads");
        let load = self.probe.state.script.lock().load;
        match load {
            Load::Fail(message) => return Err(message.into()),
            Load::Panic(message) => panic!("{message}"),
            Load::Disabled(reason) => return Err(Disabled::because(reason).into()),
            Load::Take(time) => tokio::time::sleep(time).await,
            Load::Hang => std::future::pending().await,
            Load::Block => self.probe.block(),
            Load::Return | Load::FailToMake(_) => {}
        }
        Ok(Arc::new(self.clone()))
    }
}

#[plux::async_trait]
impl Service for Player {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        let script = self.probe.state.script.lock().clone();
        let _alive = Alive::new(self.clone(), script.in_destructor);
        self.say("begins");
        for order in script.begin {
            if let Some(exit) = self.obey(&cx, order).await {
                return exit;
            }
        }
        let mut stopping = false;
        loop {
            let reason = tokio::select! {
                biased;
                reason = cx.stopping(), if !stopping => reason,
                order = self.next_order() => match self.obey(&cx, order).await {
                    Some(exit) => return exit,
                    None => continue,
                },
            };
            stopping = true;
            self.say(&format!("stopping {reason}"));
            let on_stop = self.probe.state.script.lock().on_stop;
            match on_stop {
                OnStop::Return => return Ok(()),
                OnStop::Fail(message) => return Err(message.into()),
                OnStop::Panic(message) => panic!("{message}"),
                OnStop::Take(time) => {
                    tokio::time::sleep(time).await;
                    return Ok(());
                }
                OnStop::Ignore => {}
                OnStop::Block => {
                    self.probe.block();
                    return Ok(());
                }
            }
        }
    }
}

impl Player {
    fn say(&self, what: &str) {
        self.log.add(format!("{} {what}", self.probe.name));
    }

    async fn next_order(&self) -> Do {
        loop {
            let order = self.probe.state.orders.lock().pop_front();
            match order {
                Some(order) => return order,
                None => self.probe.state.ordered.notified().await,
            }
        }
    }

    /// The exit, when the order is one.
    async fn obey(&self, cx: &ServiceContext, order: Do) -> Option<Result<(), BoxError>> {
        match order {
            Do::Ready => {
                self.say("ready");
                cx.ready(Published { incarnation: cx.incarnation() });
            }
            Do::Complete => return Some(Ok(())),
            Do::Fail(message) => return Some(Err(message.into())),
            Do::FailForGood(message) => return Some(Err(Fatal::because(message).into())),
            Do::Panic(message) => panic!("{message}"),
            Do::Take(time) => tokio::time::sleep(time).await,
            Do::Call(call) => call(cx.clone()).await,
        }
        None
    }
}

/// Counts a run while it is there, and says when it no longer is.
struct Alive {
    player: Player,
    in_destructor: Option<&'static str>,
}

impl Alive {
    fn new(player: Player, in_destructor: Option<&'static str>) -> Self {
        let state = &player.probe.state;
        let live = state.live.fetch_add(1, Ordering::SeqCst) + 1;
        state.most_live.fetch_max(live, Ordering::SeqCst);
        Self { player, in_destructor }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.player.probe.state.live.fetch_sub(1, Ordering::SeqCst);
        self.player.say("ended");
        if let Some(message) = self.in_destructor
            && !std::thread::panicking()
        {
            panic!("{message}");
        }
    }
}

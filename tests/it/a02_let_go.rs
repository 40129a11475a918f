//! What goes with a service that is removed: what its manager's plugins acquired, in a task of plux's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt;
use parking_lot::{Condvar, Mutex};
use plux::{
    AddError, BoxError, Dependency, DependencyKind, ListFinder, Name, Namespace, PluginManager,
    PluginSpec, Service, ServiceContext, Supervisor,
};
use tokio::time::timeout;

use crate::kit::{
    Kit, Load, Log, OnStop, Probe, Published, SECOND, Scripted, manager, settle, spawn,
};

/// What was dropped, and what a destructor does before.
#[derive(Clone, Default)]
struct Grave {
    dropped: Arc<Mutex<Vec<String>>>,
    blocks: Arc<Mutex<bool>>,
    opened: Arc<Condvar>,
    panics: bool,
}

impl Grave {
    fn has(&self, names: &[&str]) -> bool {
        *self.dropped.lock() == names
    }

    fn open(&self) {
        *self.blocks.lock() = false;
        self.opened.notify_all();
    }
}

/// What a load acquires.
struct Held {
    name: String,
    grave: Grave,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut blocks = self.grave.blocks.lock();
        while *blocks {
            self.grave.opened.wait(&mut blocks);
        }
        self.grave.dropped.lock().push(self.name.clone());
        assert!(!self.grave.panics || std::thread::panicking(), "the destructor of {}", self.name);
    }
}

#[plux::async_trait]
impl Service for Held {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        cx.ready(Published { incarnation: cx.incarnation() });
        cx.stopping().await;
        Ok(())
    }
}

#[plux::extension_point(namespace = "held", context = Grave, output = Held)]
trait Holder {}

struct Opens(String);

#[plux::async_trait]
impl Holder for Opens {
    async fn load(&self, grave: &Grave) -> Result<Held, BoxError> {
        Ok(Held { name: self.0.clone(), grave: grave.clone() })
    }
}

/// A manager of services that hold something; each with the one it requires, if it does.
fn holders<'a>(
    grave: &Grave,
    services: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
) -> PluginManager<dyn Holder> {
    let spec = |(name, requires): (&str, Option<&str>)| {
        let own = name.to_owned();
        let make =
            move || -> Result<Arc<dyn Holder>, BoxError> { Ok(Arc::new(Opens(own.clone()))) };
        let name = Name::new(name).unwrap();
        let spec = PluginSpec::new::<dyn Holder>(Namespace::literal("held"), name, make);
        let edge = |on: &str| Dependency {
            kind: DependencyKind::Requires,
            namespace: None,
            name: Name::new(on).unwrap(),
            reaction: None,
        };
        requires.map(edge).into_iter().fold(spec, PluginSpec::with_dependency)
    };
    let finder = ListFinder::new(services.into_iter().map(spec));
    PluginManager::builder(grave.clone()).finder(finder).build()
}

/// Has run, and is over.
async fn ran(supervisor: &Supervisor, name: &str) {
    supervisor.start(name).await.unwrap();
    supervisor.stop(name).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a02_what_came_with_the_add_is_dropped_when_its_last_service_is_removed() {
    let (grave, kit) = (Grave::default(), Kit::new([]));
    let supervisor = &kit.supervisor;
    supervisor.add(holders(&grave, [("a", None), ("b", None)])).await.unwrap();
    ran(supervisor, "a").await;
    ran(supervisor, "b").await;
    supervisor.remove("a").await.unwrap();
    // The manager is there as long as one of its services is.
    assert!(grave.has(&[]));
    supervisor.remove("b").await.unwrap();
    assert!(grave.has(&["b", "a"]) || grave.has(&["a", "b"]), "{:?}", grave.dropped.lock());
}

#[tokio::test(start_paused = true)]
async fn a02_a_manager_that_somebody_else_has_keeps_what_was_loaded_and_can_be_added_again() {
    let (grave, kit) = (Grave::default(), Kit::new([]));
    let supervisor = &kit.supervisor;
    let manager = holders(&grave, [("a", None)]);
    for _ in 0..2 {
        supervisor.add(manager.clone()).await.unwrap();
        ran(supervisor, "a").await;
        supervisor.remove("a").await.unwrap();
        assert!(grave.has(&[]));
    }
    drop(manager);
    assert!(grave.has(&["a"]));
}

#[tokio::test(start_paused = true)]
async fn a02_a_handle_keeps_what_was_loaded() {
    let (grave, kit) = (Grave::default(), Kit::new([]));
    let supervisor = &kit.supervisor;
    supervisor.add(holders(&grave, [("a", None)])).await.unwrap();
    supervisor.start("a").await.unwrap();
    let handle = supervisor.handle::<Published>("a").unwrap();
    supervisor.stop("a").await.unwrap();
    supervisor.remove("a").await.unwrap();
    assert!(grave.has(&[]) && handle.get().is_err());
    drop(handle);
    assert!(grave.has(&["a"]));
}

#[tokio::test(start_paused = true)]
async fn a02_the_managers_of_the_builder_go_with_their_last_service_too() {
    let grave = Grave::default();
    let manager = holders(&grave, [("a", None)]);
    let supervisor = Supervisor::builder().manager(manager).build().unwrap();
    ran(&supervisor, "a").await;
    supervisor.remove("a").await.unwrap();
    assert!(grave.has(&["a"]));
}

#[tokio::test(start_paused = true)]
async fn a02_x06_a_destructor_that_panics_reaches_nobody() {
    let grave = Grave { panics: true, ..Grave::default() };
    let kit = Kit::new([&Probe::new("other")]);
    let supervisor = &kit.supervisor;
    supervisor.add(holders(&grave, [("a", None)])).await.unwrap();
    ran(supervisor, "a").await;
    supervisor.remove("a").await.unwrap();
    assert!(grave.has(&["a"]));
    supervisor.start("other").await.unwrap();
    assert!(supervisor.shutdown().await.unwrap().is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a02_c02_a_destructor_that_blocks_its_thread_holds_up_no_other_call() {
    let grave = Grave { blocks: Arc::new(Mutex::new(true)), ..Grave::default() };
    let kit = Kit::new([&Probe::new("other")]);
    kit.supervisor.add(holders(&grave, [("a", None)])).await.unwrap();
    ran(&kit.supervisor, "a").await;
    let supervisor = kit.supervisor.clone();
    let removal = spawn(async move { supervisor.remove("a").await });
    let others = async {
        while kit.supervisor.status("a").is_some() {
            tokio::task::yield_now().await;
        }
        kit.supervisor.start("other").await.unwrap();
        kit.add([&Probe::new("a")]).await.unwrap();
        kit.supervisor.start("a").await.unwrap();
    };
    let answered = timeout(10 * SECOND, others).await;
    assert!(!removal.is_finished());
    grave.open();
    answered.expect("nobody waits for it");
    removal.await.unwrap().unwrap();
    assert!(grave.has(&["a"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a02_x04_a_destructor_that_blocks_its_thread_holds_up_no_shutdown() {
    let grave = Grave { blocks: Arc::new(Mutex::new(true)), ..Grave::default() };
    let kit = Kit::with([], |builder| builder.join_timeout(Duration::from_millis(30)));
    kit.supervisor.add(holders(&grave, [("a", None)])).await.unwrap();
    ran(&kit.supervisor, "a").await;
    assert!(kit.supervisor.remove("a").now_or_never().is_none());
    let report = timeout(10 * SECOND, kit.supervisor.shutdown()).await;
    grave.open();
    assert!(report.expect("it is bounded").is_ok());
}

#[tokio::test(start_paused = true)]
async fn a02_c06_it_is_dropped_when_nobody_waits_for_the_removal() {
    let (grave, kit) = (Grave::default(), Kit::new([]));
    kit.supervisor.add(holders(&grave, [("a", None)])).await.unwrap();
    ran(&kit.supervisor, "a").await;
    assert!(kit.supervisor.remove("a").now_or_never().is_none());
    settle().await;
    assert!(grave.has(&["a"]));
}

#[tokio::test(start_paused = true)]
async fn a02_a_manager_that_is_refused_is_dropped_before_the_answer() {
    let grave = Grave { panics: true, ..Grave::default() };
    let kit = Kit::new([&Probe::new("a")]);
    let loaded = async |names: &[&'static str]| {
        let manager = holders(&grave, names.iter().map(|name| (*name, None)));
        assert!(manager.load_all().await.is_ok());
        manager
    };
    let refused = kit.supervisor.add(loaded(&["a"]).await).await;
    assert!(matches!(refused, Err(AddError::Refused { .. })) && grave.has(&["a"]));
    kit.supervisor.shutdown().await.unwrap();
    let refused = kit.supervisor.add(loaded(&["b"]).await).await;
    assert!(matches!(refused, Err(AddError::Shutdown)) && grave.has(&["a", "b"]));
}

#[tokio::test(start_paused = true)]
async fn a02_a_load_that_is_pending_ends_when_its_service_is_removed() {
    let kit = Kit::new([]);
    kit.add([&Probe::new("a").load(Load::Hang).on_stop(OnStop::Return)]).await.unwrap();
    let start = kit.starting("a").await;
    assert_eq!(kit.log.of("a"), ["made", "loads"]);
    kit.supervisor.stop("a").await.unwrap();
    assert!(start.await.unwrap().is_err());
    kit.supervisor.remove("a").await.unwrap();
    let report = timeout(SECOND, kit.supervisor.shutdown()).await.unwrap().unwrap();
    assert!(report.is_clean(), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a02_d01_what_is_added_may_require_what_another_manager_of_its_namespace_has() {
    let (grave, kit) = (Grave::default(), Kit::new([]));
    let supervisor = &kit.supervisor;
    supervisor.add(holders(&grave, [("store", None)])).await.unwrap();
    let tenants = holders(&grave, [("tenant", Some("store")), ("guest", Some("tenant"))]);
    supervisor.add(tenants.clone()).await.unwrap();
    supervisor.start("guest").await.unwrap();
    assert!(tenants.get("guest").is_some());
    assert_eq!(tenants.state("tenant").unwrap().to_string(), "loaded");
    let stopped = supervisor.stop("store").await.unwrap();
    assert_eq!(stopped.stopped().collect::<Vec<_>>(), ["guest", "tenant", "store"]);
}

/// An error whose destructor panics, and counts how often it did.
#[derive(Debug)]
struct Cursed(Arc<AtomicUsize>);

impl std::fmt::Display for Cursed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cursed")
    }
}

impl std::error::Error for Cursed {}

impl Drop for Cursed {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        assert!(std::thread::panicking(), "the destructor of an error");
    }
}

/// Fails with it when it is told to stop.
#[derive(Clone)]
struct Curses(Arc<AtomicUsize>);

#[plux::async_trait]
impl Scripted for Curses {
    async fn load(&self, _: &()) -> Result<Arc<dyn Service>, BoxError> {
        Ok(Arc::new(self.clone()))
    }
}

#[plux::async_trait]
impl Service for Curses {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        cx.ready(());
        cx.stopping().await;
        Err(Cursed(Arc::clone(&self.0)).into())
    }
}

#[tokio::test(start_paused = true)]
async fn a02_c02_an_answer_that_nobody_hears_is_not_dropped_in_the_supervisors_loop() {
    let base = Probe::new("base").on_stop(OnStop::Take(SECOND));
    let services = manager([&base], &Log::default());
    let supervisor = Supervisor::builder().manager(services).build().unwrap();
    let dropped = Arc::new(AtomicUsize::new(0));
    let curses = Curses(Arc::clone(&dropped));
    let make = move || -> Result<Arc<dyn Scripted>, BoxError> { Ok(Arc::new(curses.clone())) };
    let spec =
        PluginSpec::new::<dyn Scripted>(Namespace::literal("test"), Name::literal("top"), make)
            .with_dependency(Dependency::literal(DependencyKind::Requires, None, "base"));
    let top = PluginManager::<dyn Scripted>::builder(()).finder(ListFinder::new([spec])).build();
    supervisor.add(top).await.unwrap();
    supervisor.start("top").await.unwrap();
    supervisor.request_stop("base").unwrap();
    settle().await;
    // Its error is in the answer that is still to come, and nowhere else.
    supervisor.remove("top").await.unwrap();
    assert_eq!(dropped.load(Ordering::SeqCst), 0);
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    supervisor.start("base").await.unwrap();
    assert!(supervisor.shutdown().await.unwrap().is_clean());
}

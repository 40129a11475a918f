//! What loads are given, what they yield, how long that lives, and how a manager ends.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plux::{
    BoxError, Dependency, DependencyKind, FailureCause, ListFinder, LoadError, Name, Namespace,
    Phase, PluginManager, PluginSpec,
};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::scripted::{PATIENCE, Plugin, Script, idle, manager, spawn, state};

/// Registered by attributes: the contract's types are those of the trait.
mod typed {
    use plux::BoxError;

    #[derive(Debug, Default)]
    pub(super) struct World {
        pub(super) seed: u64,
    }

    #[plux::extension_point(namespace = "it.typed", context = World, output = Vec<u64>)]
    pub(super) trait Typed {
        fn factor(&self) -> u64;
    }

    #[derive(Default)]
    struct Twice;

    #[plux::plugin(name = "twice")]
    impl Typed for Twice {
        fn factor(&self) -> u64 {
            2
        }

        async fn should_load(&self, world: &World) -> Result<bool, BoxError> {
            Ok(world.seed > 0)
        }

        async fn load(&self, world: &World) -> Result<Vec<u64>, BoxError> {
            tokio::task::yield_now().await;
            Ok(vec![self.factor() * world.seed])
        }
    }

    struct Times(u64);

    impl Typed for Times {
        fn factor(&self) -> u64 {
            self.0
        }

        fn load<'a: 'c, 'b: 'c, 'c>(
            &'a self,
            world: &'b World,
        ) -> std::pin::Pin<Box<dyn Future<Output = Result<Vec<u64>, BoxError>> + Send + 'c>>
        {
            Box::pin(async { Ok(vec![self.factor() * world.seed]) })
        }
    }

    #[plux::plugin(extension = dyn Typed, name = "thrice")]
    fn thrice() -> Times {
        Times(3)
    }
}

#[tokio::test]
async fn p25_context_and_output_are_typed_and_the_output_is_kept() {
    let manager = PluginManager::<dyn typed::Typed>::builder(typed::World { seed: 7 }).build();
    assert_eq!(manager.context().seed, 7);
    let twice = manager.load("twice").await.unwrap();
    assert_eq!((twice.plugin().factor(), twice.output().as_slice()), (2, [14].as_slice()));
    assert!(manager.load_all().await.is_ok());
    let thrice = manager.get("thrice").unwrap();
    assert_eq!(thrice.output(), &[21]);
    assert!(std::ptr::eq(manager.get("twice").unwrap().output(), twice.output()));
    assert_eq!(thrice.spec().name(), thrice.name());

    let none = PluginManager::<dyn typed::Typed>::builder(typed::World { seed: 0 }).build();
    assert!(matches!(none.load("twice").await, Err(LoadError::Disabled { .. })));
}

/// What was dropped, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn note(&self, text: impl Into<String>, bangs: bool) -> Note {
        Note { text: text.into(), log: self.clone(), bangs }
    }
}

/// Writes itself down when it is dropped; if it is told to, it then panics.
struct Note {
    text: String,
    log: Log,
    bangs: bool,
}

impl Drop for Note {
    fn drop(&mut self) {
        self.log.0.lock().unwrap().push(self.text.clone());
        assert!(!self.bangs, "{} panics", self.text);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Loads,
    Fails,
    Hangs,
}

#[plux::extension_point(namespace = "it.kept", context = Note, output = Note)]
trait Keeper {}

struct Kept {
    name: &'static str,
    plugin: Note,
    bangs: bool,
    way: Way,
}

#[plux::async_trait]
impl Keeper for Kept {
    async fn load(&self, _: &Note) -> Result<Note, BoxError> {
        let log = &self.plugin.log;
        let _guard =
            (self.way == Way::Hangs).then(|| log.note(format!("{} future", self.name), self.bangs));
        match self.way {
            Way::Loads => Ok(log.note(format!("{} output", self.name), self.bangs)),
            Way::Fails => Err("no luck".into()),
            Way::Hangs => pending().await,
        }
    }
}

/// A spec by name, what it requires, whether its destructors panic, and how its load goes.
fn kept(log: &Log, name: &'static str, requires: &[&str], bangs: bool, way: Way) -> PluginSpec {
    let log = log.clone();
    let factory = move || {
        let plugin = log.note(format!("{name} plugin"), bangs);
        Ok(Arc::new(Kept { name, plugin, bangs, way }) as Arc<dyn Keeper>)
    };
    let spec = PluginSpec::new(Namespace::literal("it.kept"), Name::literal(name), factory);
    requires.iter().fold(spec, |spec, name| {
        let name = Name::new(name).unwrap();
        let kind = DependencyKind::Requires;
        spec.with_dependency(Dependency { kind, namespace: None, name, reaction: None })
    })
}

fn keeper(log: &Log, specs: Vec<PluginSpec>) -> PluginManager<dyn Keeper> {
    PluginManager::builder(log.note("context", false)).finder(ListFinder::new(specs)).build()
}

#[tokio::test]
async fn p25_what_loads_acquired_is_dropped_with_the_manager_dependents_first() {
    let log = Log::default();
    // The order of names is neither that of the graph nor its reverse.
    let manager = keeper(
        &log,
        vec![
            kept(&log, "b", &["c"], false, Way::Loads),
            kept(&log, "c", &["a"], false, Way::Loads),
            kept(&log, "a", &[], false, Way::Loads),
            kept(&log, "failed", &["a"], false, Way::Fails),
        ],
    );
    let report = manager.load_all().await;
    assert_eq!(report.loaded().len(), 3);
    let other = manager.clone();
    drop((report, manager));
    assert!(log.take().is_empty(), "another handle keeps it all");
    drop(other);
    let dropped = log.take();
    let place = |text: &str| dropped.iter().position(|it| it == text).unwrap();
    assert_eq!(dropped.len(), 8, "{dropped:?}");
    for (first, then) in [
        ("b output", "b plugin"),
        ("b plugin", "c output"),
        ("c output", "c plugin"),
        ("c plugin", "a output"),
        ("a output", "a plugin"),
        ("failed plugin", "a output"),
        ("a plugin", "context"),
    ] {
        assert!(place(first) < place(then), "{dropped:?}");
    }
}

#[tokio::test]
async fn p25_a_destructor_that_panics_keeps_nothing_from_being_dropped() {
    let log = Log::default();
    let manager = keeper(
        &log,
        vec![
            kept(&log, "a", &[], true, Way::Loads),
            kept(&log, "b", &["a"], true, Way::Loads),
            kept(&log, "c", &["b"], true, Way::Fails),
        ],
    );
    assert_eq!(manager.load_all().await.loaded().len(), 2);
    drop(manager);
    let dropped = log.take();
    assert_eq!(dropped, ["c plugin", "b output", "b plugin", "a output", "a plugin", "context"]);
}

#[tokio::test]
async fn p25_a_handle_keeps_its_plugin_beyond_the_manager() {
    let log = Log::default();
    let manager = keeper(
        &log,
        vec![kept(&log, "a", &[], false, Way::Loads), kept(&log, "b", &[], false, Way::Loads)],
    );
    let a = manager.load("a").await.unwrap();
    let report = manager.load_all().await;
    drop((report, manager));
    assert_eq!(log.take(), ["b output", "b plugin", "context"]);
    assert_eq!(a.output().text, "a output");
    drop(a);
    assert_eq!(log.take(), ["a output", "a plugin"]);
}

#[tokio::test]
async fn p25_a_plugin_that_failed_is_kept_and_its_future_is_not() {
    let log = Log::default();
    let manager = keeper(&log, vec![kept(&log, "a", &[], false, Way::Fails)]);
    assert!(manager.load("a").await.is_err());
    assert!(manager.load("a").await.is_err());
    assert!(log.take().is_empty());
    drop(manager);
    assert_eq!(log.take(), ["a plugin", "context"]);
}

#[tokio::test(start_paused = true)]
async fn p16_the_end_of_the_last_handle_ends_what_is_pending() {
    let log = Log::default();
    let manager = keeper(
        &log,
        vec![
            kept(&log, "a", &[], false, Way::Loads),
            kept(&log, "hung", &["a"], false, Way::Hangs),
            kept(&log, "user", &["hung"], false, Way::Loads),
        ],
    );
    let (all, one) = (manager.clone(), manager.clone());
    let all = spawn(async move { drop(all.load_all().await) });
    let one = spawn(async move { drop(one.load("user").await) });
    idle().await;
    all.abort();
    idle().await;
    drop(manager);
    idle().await;
    assert!(log.take().is_empty(), "a caller still waits, and holds a handle");
    one.abort();
    idle().await;
    assert_eq!(
        log.take(),
        ["hung future", "hung plugin", "a output", "a plugin", "context"],
        "and no plugin began"
    );
}

#[tokio::test(start_paused = true)]
async fn p25_the_context_goes_last_also_when_the_last_handle_ends_a_load() {
    let log = Log::default();
    let manager = keeper(&log, vec![kept(&log, "hung", &[], false, Way::Hangs)]);
    assert!(tokio::time::timeout(Duration::from_millis(1), manager.load("hung")).await.is_err());
    drop(manager);
    idle().await;
    assert_eq!(log.take(), ["hung future", "hung plugin", "context"]);
}

#[tokio::test(start_paused = true)]
async fn p16_after_the_end_of_the_last_handle_nothing_begins() {
    let plugins = [Plugin::new("a"), Plugin::new("b").requires("a")];
    let runs = plugins.each_ref().map(Plugin::runs);
    let manager = manager(plugins);
    let (one, all) = (manager.load("a"), manager.load_all());
    let both = async { tokio::join!(one, all) };
    assert!(tokio::time::timeout(Duration::ZERO, both).await.is_err(), "begun, and given up");
    drop(manager);
    idle().await;
    assert_eq!(runs.map(|runs| runs.all()), [[0; 3]; 2]);
}

#[tokio::test(start_paused = true)]
async fn p25_destructors_that_panic_while_the_last_handle_goes_are_caught() {
    let log = Log::default();
    let manager = keeper(
        &log,
        vec![kept(&log, "a", &[], true, Way::Loads), kept(&log, "hung", &["a"], true, Way::Hangs)],
    );
    assert!(tokio::time::timeout(Duration::from_millis(1), manager.load_all()).await.is_err());
    drop(manager);
    idle().await;
    assert_eq!(log.take(), ["hung future", "hung plugin", "a output", "a plugin", "context"]);
}

#[tokio::test(start_paused = true)]
async fn p16_what_is_pending_is_ended_wherever_it_hangs() {
    let (sent, mut dropped) = mpsc::unbounded_channel::<()>();
    let sender = sent.clone();
    let manager = manager([
        Plugin::new("ask").should_load(move || {
            let sent = sender.clone();
            async move {
                let never: Result<bool, BoxError> = pending().await;
                drop(sent);
                never
            }
        }),
        Plugin::new("load").hangs(),
        Plugin::new("waits").requires("load"),
    ]);
    drop(sent);
    let all = manager.clone();
    let all = spawn(async move { all.load_all().await });
    idle().await;
    assert_eq!(state(&manager, "ask"), "initialized");
    all.abort();
    drop(manager);
    drop(all);
    tokio::time::timeout(Duration::from_secs(1), dropped.recv()).await.unwrap();
}

/// Services: the load of one hangs, that of the other fails.
mod closed {
    use std::future::pending;
    use std::sync::Arc;

    use plux::{BoxError, Service};

    #[plux::extension_point(namespace = "it.closed", output = Arc<dyn Service>)]
    pub(super) trait Closed {}

    #[derive(Default)]
    struct Hung;

    #[plux::plugin(name = "hung")]
    impl Closed for Hung {
        async fn load(&self, (): &()) -> Result<Arc<dyn Service>, BoxError> {
            pending().await
        }
    }

    #[derive(Default)]
    struct Other;

    #[plux::plugin(name = "other")]
    impl Closed for Other {
        async fn load(&self, (): &()) -> Result<Arc<dyn Service>, BoxError> {
            Err("it ran".into())
        }
    }
}

#[tokio::test(start_paused = true)]
async fn p16_a_manager_that_a_supervisor_has_closed_ends_its_loads_and_begins_none() {
    let manager = PluginManager::<dyn closed::Closed>::builder(()).build();
    let supervisor = plux::Supervisor::builder().manager(manager.clone()).build().unwrap();
    let call = manager.clone();
    let call = spawn(async move { call.load("hung").await.map(drop) });
    idle().await;
    let report = supervisor.shutdown().await;
    assert!(report.is_ok());
    let ended = call.await.unwrap().unwrap_err();
    let later = manager.load("other").await.unwrap_err();
    for (error, expected) in [(ended, Phase::Load), (later, Phase::Resolve)] {
        let LoadError::Failed(failure) = &error else { panic!("{error}") };
        assert!(matches!(failure.cause, FailureCause::Aborted), "{failure}");
        assert_eq!(failure.phase, expected);
    }
    let report = manager.load_all().await;
    assert_eq!((report.loaded().len(), report.failed().len()), (0, 2), "{report}");
}

/// Waits for a load that another thread runs.
fn until_loading(manager: &PluginManager<dyn Script>, name: &str) {
    let begun = Instant::now();
    while state(manager, name) != "loading" {
        assert!(begun.elapsed() < PATIENCE, "{}", state(manager, name));
        std::thread::yield_now();
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn p14_a_runtime_that_ends_during_a_load_leaves_a_table_to_go_on_with() {
    let hang = Mutex::new(true);
    let plugin = Plugin::new("a").yields(move || {
        let hang = std::mem::take(&mut *hang.lock().unwrap());
        async move { if hang { pending().await } else { Ok(()) } }
    });
    let runs = plugin.runs();
    let manager = manager([plugin, Plugin::new("b").requires("a")]);
    let first = runtime();
    let all = manager.clone();
    let lost = first.spawn(async move { drop(all.load_all().await) });
    until_loading(&manager, "a");
    first.shutdown_timeout(PATIENCE);
    let second = runtime();
    assert!(second.block_on(lost).unwrap_err().is_cancelled());
    assert!(state(&manager, "a").contains("the runtime it ran on was ended"));
    assert_eq!(state(&manager, "b"), "resolved");
    assert!(second.block_on(manager.load("b")).is_ok());
    assert_eq!(manager.loaded().len(), 2);
    assert_eq!(runs.loads(), 2);
}

#[test]
fn p14_a_caller_on_another_runtime_learns_that_the_load_was_cut_short() {
    let manager = manager([Plugin::new("a").hangs()]);
    let (first, second) = (runtime(), runtime());
    let all = manager.clone();
    drop(first.spawn(async move { drop(all.load_all().await) }));
    until_loading(&manager, "a");
    let (polled, was_polled) = std::sync::mpsc::channel();
    let one = manager.clone();
    let one = second.spawn(async move {
        let mut load = std::pin::pin!(one.load("a"));
        std::future::poll_fn(|cx| {
            let poll = load.as_mut().poll(cx);
            polled.send(()).unwrap();
            poll
        })
        .await
        .map(drop)
    });
    was_polled.recv().unwrap();
    first.shutdown_timeout(PATIENCE);
    let one = async { tokio::time::timeout(PATIENCE, one).await };
    let error = second.block_on(one).unwrap().unwrap().unwrap_err();
    let LoadError::Failed(failure) = &error else { panic!("{error}") };
    assert!(matches!(failure.cause, FailureCause::Aborted));
    assert_eq!(failure.phase, Phase::Load);
}

#[test]
fn p14_loading_outside_a_runtime_panics_and_breaks_nothing() {
    let manager = manager([Plugin::new("a").requires("b"), Plugin::new("b")]);
    for name in ["a", "b"] {
        let mut load = std::pin::pin!(manager.load(name));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let poll = std::panic::AssertUnwindSafe(|| load.as_mut().poll(&mut cx).is_ready());
        assert!(std::panic::catch_unwind(poll).is_err());
        assert_eq!(state(&manager, name), "resolved");
    }
    assert!(runtime().block_on(manager.load("a")).is_ok());
    let mut load = std::pin::pin!(manager.load("a"));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(load.as_mut().poll(&mut cx).is_ready(), "what is loaded needs no runtime");
}

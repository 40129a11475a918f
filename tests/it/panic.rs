//! Plugins, finders and listeners that panic.
//!
//! Trap: the panic hook is the process's, and a test must not depend on whether another has
//! installed it; each one here does.

use std::future::Future;
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};

use plux::{
    BoxError, Event, EventKind, FailureCause, ListFinder, Listener, LoadError, Name, Panic, Phase,
    PluginManager, PluginSpec, install_panic_hook,
};
use tracing_subscriber::fmt::MakeWriter;

use crate::scripted::{NAMESPACE, Output, Plugin, Script, finder, idle, manager, state};

/// The panic that made the plugin `name` fail, and the phase.
async fn panic_of(manager: &PluginManager<dyn Script>, name: &str) -> (Phase, Panic) {
    match manager.load(name).await.unwrap_err() {
        LoadError::Failed(failure) => match &failure.cause {
            FailureCause::Panic(panic) => (failure.phase, panic.clone()),
            other => panic!("{other}"),
        },
        other => panic!("{other}"),
    }
}

/// `file:line` of the line that calls it, counted on by so many lines.
#[track_caller]
fn here(on: u32) -> String {
    let place = std::panic::Location::caller();
    format!("{}:{}:", place.file(), place.line() + on)
}

/// Panics when it is dropped; as a future it is ready at once.
struct Thorny(&'static str);

impl Future for Thorny {
    type Output = Result<Output, BoxError>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(Box::new(Thorny("the value"))))
    }
}

impl Drop for Thorny {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

/// A plugin whose futures are its own: nothing of async-trait stands between them and the manager.
#[derive(Clone, Copy)]
enum Bare {
    PanicsBeforeItsFuture,
    YieldsThorns,
}

impl Script for Bare {
    fn load<'a: 'c, 'b: 'c, 'c>(
        &'a self,
        (): &'b (),
    ) -> Pin<Box<dyn Future<Output = Result<Output, BoxError>> + Send + 'c>> {
        match self {
            Self::PanicsBeforeItsFuture => panic!("no future"),
            Self::YieldsThorns => Box::pin(Thorny("the future")),
        }
    }
}

#[tokio::test]
async fn p24_a_panic_in_any_step_is_the_plugins_failure_with_message_and_place() {
    install_panic_hook();
    let mut places = Vec::new();
    places.push(here(1));
    let init = Plugin::new("init").factory(|| panic!("in the factory"));
    places.push(here(1));
    let ask = Plugin::new("ask").should_load(|| async { panic!("in {}", "should_load") });
    places.push(here(1));
    let load = Plugin::new("load").yields(|| async { bang("in load") });
    places.push(here(3));
    let late = Plugin::new("late").yields(|| async {
        tokio::task::yield_now().await;
        bang("after a while")
    });
    let manager = manager([init, ask, load, late, Plugin::new("plain")]);
    let report = manager.load_all().await;
    assert_eq!((report.loaded().len(), report.failed().len()), (1, 4), "{report}");
    let expected = [
        ("init", Phase::Init, "in the factory"),
        ("ask", Phase::ShouldLoad, "in should_load"),
        ("load", Phase::Load, "in load"),
        ("late", Phase::Load, "after a while"),
    ];
    for ((name, phase, message), place) in expected.into_iter().zip(places) {
        let (found, panic) = panic_of(&manager, name).await;
        assert_eq!((found, panic.message.as_str()), (phase, message));
        let found = panic.place.unwrap();
        assert!(found.starts_with(&place), "{name}: {found}, not {place}");
        assert!(state(&manager, name).contains(&format!("panicked at {found}: {message}")));
    }
}

/// Panics where it is called.
#[track_caller]
fn bang(message: &str) -> Result<(), BoxError> {
    panic!("{message}")
}

#[tokio::test]
async fn p24_a_panic_while_the_future_is_made_or_dropped_is_a_failure_and_nothing_worse() {
    let bare = |name: &'static str, plugin: Bare| {
        let make = move || Ok(Arc::new(plugin) as Arc<dyn Script>);
        PluginSpec::new(NAMESPACE, Name::literal(name), make)
    };
    let manager = PluginManager::<dyn Script>::builder(())
        .finder(ListFinder::new([
            bare("making", Bare::PanicsBeforeItsFuture),
            bare("dropping", Bare::YieldsThorns),
            Plugin::new("other").requires("dropping").spec(),
            Plugin::new("plain").spec(),
        ]))
        .build();
    let report = manager.load_all().await;
    assert_eq!((report.loaded().len(), report.failed().len()), (1, 2), "{report}");
    assert_eq!(state(&manager, "other"), "skipped because of scripted:dropping");
    for (name, message) in [("making", "no future"), ("dropping", "the future")] {
        let (phase, panic) = panic_of(&manager, name).await;
        assert_eq!((phase, panic.message.as_str()), (Phase::Load, message));
    }
}

#[tokio::test]
async fn p24_a_payload_that_is_no_string_and_one_that_panics_itself_are_caught() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("the payload");
        }
    }
    let manager = manager([
        Plugin::new("number").factory(|| panic_any(7)),
        Plugin::new("bomb").factory(|| panic_any(Bomb)),
        Plugin::new("plain"),
    ]);
    for name in ["number", "bomb"] {
        let (_, panic) = panic_of(&manager, name).await;
        assert_eq!(panic.message, "a payload that is no string");
    }
    assert!(manager.load("plain").await.is_ok());
}

#[tokio::test]
async fn p24_the_place_is_that_of_the_panic_and_not_of_one_before() {
    install_panic_hook();
    let manager = manager([
        Plugin::new("a").factory(|| {
            let caught = std::panic::catch_unwind(|| panic!("caught by the plugin itself"));
            assert!(caught.is_err());
            Err("no luck".into())
        }),
        Plugin::new("b").factory(|| std::panic::resume_unwind(Box::new("resumed"))),
    ]);
    assert!(manager.load("a").await.is_err());
    let (_, panic) = panic_of(&manager, "b").await;
    assert_eq!((panic.message.as_str(), panic.place), ("resumed", None));
}

#[tokio::test]
async fn p24_a_plugin_that_panicked_can_be_tried_again() {
    let first = Mutex::new(true);
    let plugin = Plugin::new("a").factory(move || {
        let mut first = first.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        assert!(!std::mem::take(&mut *first), "only the first time");
        Ok(())
    });
    let manager = manager([plugin]);
    assert!(manager.load("a").await.is_err());
    assert!(manager.load("a").await.is_ok());
}

/// Hears names and facts, and panics at every second one.
struct Nervous {
    heard: Arc<Mutex<Vec<String>>>,
    done: Mutex<Option<tokio::sync::oneshot::Sender<()>>>,
}

impl Listener for Nervous {
    fn on_event(&self, event: &Event) {
        let word = match &event.kind {
            EventKind::Resolved(_) => "resolved",
            EventKind::Initialized => "initialized",
            EventKind::LoadStarted => "load started",
            EventKind::Loaded => "loaded",
            other => panic!("{other:?}"),
        };
        self.heard.lock().unwrap().push(format!("{} {}", event.number, word));
        if word == "loaded"
            && let Some(done) = self.done.lock().unwrap().take()
        {
            done.send(()).unwrap();
        }
        assert!(!event.number.is_multiple_of(2), "a nervous listener");
    }
}

#[tokio::test]
async fn p24_a_listener_that_panics_hears_on_and_disturbs_nothing() {
    let heard = [0, 1].map(|_| Arc::new(Mutex::new(Vec::new())));
    let (sent, done) = tokio::sync::oneshot::channel();
    let mut sent = Some(sent);
    let mut builder = PluginManager::<dyn Script>::builder(()).finder(finder([Plugin::new("a")]));
    for (at, heard) in heard.iter().enumerate() {
        let done = Mutex::new(if at == 1 { sent.take() } else { None });
        builder = builder.listener(Nervous { heard: Arc::clone(heard), done });
    }
    let manager = builder.build();
    assert!(manager.load_all().await.is_ok());
    done.await.unwrap();
    for heard in heard {
        assert_eq!(
            *heard.lock().unwrap(),
            ["1 resolved", "2 initialized", "3 load started", "4 loaded"]
        );
    }
}

/// What was written to `tracing` on this thread.
#[derive(Clone, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn subscriber<W>(writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let subscriber = tracing_subscriber::fmt().with_ansi(false);
    subscriber.with_max_level(tracing::Level::ERROR).with_writer(writer).finish()
}

impl Written {
    /// The lines from now on, until the guard is dropped.
    pub(crate) fn listen() -> (Self, tracing::subscriber::DefaultGuard) {
        // While there is one subscriber alone, tracing asks that of the thread which comes first to a
        // line whether anybody wants it, and keeps a no for all threads.
        static OTHERS: OnceLock<[tracing::Dispatch; 2]> = OnceLock::new();
        OTHERS.get_or_init(|| [(), ()].map(|()| subscriber(std::io::sink).into()));
        let written = Self::default();
        let writer = written.clone();
        let guard = tracing::subscriber::set_default(subscriber(move || writer.clone()));
        (written, guard)
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.0.lock().unwrap()).lines().map(str::to_owned).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn p24_a_panic_that_is_nobodys_failure_costs_one_error_line() {
    struct Loud;
    impl Listener for Loud {
        fn on_event(&self, event: &Event) {
            assert!(!matches!(event.kind, EventKind::Loaded), "too loud");
        }
    }
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a bomb");
        }
    }
    let (written, _guard) = Written::listen();
    let finder = finder([Plugin::new("a").yields(|| async { Ok(Bomb) })]);
    let manager = PluginManager::<dyn Script>::builder(()).finder(finder).listener(Loud).build();
    assert!(manager.load_all().await.is_ok());
    idle().await;
    let [line] = written.lines().try_into().unwrap();
    assert!(line.contains("ERROR") && line.contains("a listener panicked"), "{line}");
    assert!(line.contains("too loud") && line.contains("id=scripted:a"), "{line}");
    drop(manager);
    let [_, line] = written.lines().try_into().unwrap();
    assert!(line.contains("ERROR") && line.contains("its destructor panicked"), "{line}");
    assert!(line.contains("a bomb") && line.contains("id=scripted:a"), "{line}");
}

#[tokio::test]
async fn p24_a_panic_wakes_those_who_wait_for_the_same_plugin() {
    let manager = manager([Plugin::new("a").yields(|| async {
        tokio::task::yield_now().await;
        bang("at last")
    })]);
    let (first, second) = tokio::join!(panic_of(&manager, "a"), panic_of(&manager, "a"));
    assert_eq!(first, second);
}

//! The scenarios of Python plux's tests of its manager, resolver and listeners, as they hold here.
//!
//! From `tests/test_manager.py`: `test_load_all`, `test_list_names`, `test_exists`,
//! `test_load_all_load_is_only_called_once`, `test_load_all_container_has_errors`,
//! `test_load_all_propagate_exception`, `test_lifecycle_listener`; from
//! `tests/runtime/test_resolve.py`: `test_resolve_error`; from `tests/test_listener.py`:
//! `test_on_after_before_with_error`; from `tests/test_function_plugin.py`: the load condition that
//! changes. The other scenarios have tests elsewhere; docs/from-python.md lists them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;
use plux::{
    BoxError, Event, EventKind, FailureCause, Found, ListFinder, Listener, LoadError, Name,
    Namespace, PluginFinder, PluginManager, PluginSpec, PluginState, SpecRef,
};

use crate::scripted::{Heard, NAMESPACE, Plugin, Script, failure, finder, idle, manager, state};

const NAMES: [&str; 5] =
    ["init_errors", "load_errors", "shouldalsoload", "shouldload", "shouldnotload"];

/// An error of a plugin's own.
#[derive(Debug, PartialEq)]
struct Controlled(&'static str);

impl fmt::Display for Controlled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Controlled {}

/// One plugin of each kind, and a second good one.
fn five() -> [Plugin; 5] {
    [
        Plugin::new("shouldload"),
        Plugin::new("shouldnotload").disabled(),
        Plugin::new("load_errors")
            .yields(|| async { Err::<(), BoxError>(Controlled("load fails").into()) }),
        Plugin::new("init_errors").factory(|| Err(Controlled("init fails").into())),
        Plugin::new("shouldalsoload"),
    ]
}

/// Finds what it was given, whatever namespace it is asked for.
struct All(Vec<SpecRef>);

impl PluginFinder for All {
    fn find(&self, _: &Namespace) -> Result<Found, BoxError> {
        Ok(self.0.clone().into())
    }
}

/// The five beside a plugin of another namespace that has the name of one of them.
fn with_foreign() -> All {
    let foreign = PluginSpec::new::<dyn Script>(
        Namespace::literal("scripted-others"),
        Name::literal("shouldload"),
        || panic!("the factory of another namespace was run"),
    );
    let five = five().map(|plugin| plugin.spec().into());
    All(five.into_iter().chain([foreign.into()]).collect())
}

#[tokio::test]
async fn p14_p18_after_a_load_of_all_every_state_says_its_own_end() {
    let manager = manager(five());
    for name in NAMES {
        assert_eq!(state(&manager, name), "resolved");
        assert!(manager.get(name).is_none());
    }
    let report = manager.load_all().await;
    let loaded: Vec<_> = report.loaded().iter().map(|it| it.name().as_str()).collect();
    assert_eq!(loaded, ["shouldalsoload", "shouldload"]);
    for name in NAMES {
        let cause = match manager.state(name).unwrap() {
            PluginState::Loaded => "none".to_owned(),
            PluginState::Disabled(_) => "disabled".to_owned(),
            PluginState::Failed(failure) => format!("{}: {}", failure.phase, failure.cause),
            other => panic!("{name} is {other}"),
        };
        let expected = match name {
            "init_errors" => "init: init fails",
            "load_errors" => "load: load fails",
            "shouldnotload" => "disabled",
            _ => "none",
        };
        assert_eq!(cause, expected, "{name}");
        assert_eq!(manager.get(name).is_some(), expected == "none", "{name}");
    }
}

#[tokio::test]
async fn p07_what_will_not_load_is_listed_before_and_after_it_did_not() {
    let manager = manager(five());
    for _ in 0..2 {
        assert_eq!(manager.names().unwrap(), NAMES);
        for name in NAMES {
            assert!(manager.contains(name).unwrap(), "{name}");
        }
        assert!(!manager.contains("foobar").unwrap());
        assert!(manager.state("foobar").is_none() && manager.get("foobar").is_none());
        let _ = manager.load_all().await;
    }
}

#[tokio::test(start_paused = true)]
async fn p04_p07_the_same_name_in_another_namespace_is_neither_taken_nor_heard_of() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let manager = PluginManager::<dyn Script>::builder(())
        .finder(with_foreign())
        .listener(Ids(Arc::clone(&heard)))
        .build();
    assert_eq!(manager.names().unwrap(), NAMES);
    assert!(manager.load("shouldload").await.is_ok());
    assert_eq!(manager.load_all().await.loaded().len(), 2);
    idle().await;
    assert!(heard.lock().iter().all(|id| id.starts_with("scripted:")), "{:?}", heard.lock());
}

/// Keeps whom it heard of.
struct Ids(Arc<Mutex<Vec<String>>>);

impl Listener for Ids {
    fn on_event(&self, event: &Event) {
        self.0.lock().push(event.id.to_string());
    }
}

/// What the loads of [`Counted`] are given: where each of them notes what it saw.
struct Ask {
    foo: &'static str,
    seen: Mutex<Vec<(&'static str, &'static str)>>,
}

#[plux::extension_point(namespace = "python.counted", context = Arc<Ask>)]
trait Counted {}

struct Counts(&'static str);

#[plux::async_trait]
impl Counted for Counts {
    async fn load(&self, ask: &Arc<Ask>) -> Result<(), BoxError> {
        ask.seen.lock().push((self.0, ask.foo));
        Ok(())
    }
}

#[tokio::test]
async fn p15_p18_p25_all_loaded_twice_are_the_same_and_were_given_the_context_once() {
    let specs = ["shouldload", "shouldalsoload"].map(|name| {
        let (namespace, id) = (Namespace::literal("python.counted"), Name::new(name).unwrap());
        PluginSpec::new::<dyn Counted>(namespace, id, move || Ok(Arc::new(Counts(name))))
    });
    let ask = Arc::new(Ask { foo: "bar", seen: Mutex::default() });
    let manager = PluginManager::<dyn Counted>::builder(Arc::clone(&ask))
        .finder(ListFinder::new(specs))
        .build();
    let [first, second] = [manager.load_all().await, manager.load_all().await];
    assert_eq!((first.loaded().len(), second.loaded().len()), (2, 2));
    for (one, other) in first.loaded().iter().zip(second.loaded()) {
        assert_eq!(one.name(), other.name());
        assert!(std::ptr::addr_eq(one.plugin(), other.plugin()), "{one:?} is another plugin");
    }
    let mut seen = ask.seen.lock().clone();
    seen.sort_unstable();
    assert_eq!(seen, [("shouldalsoload", "bar"), ("shouldload", "bar")]);
}

#[tokio::test]
async fn p17_p18_strict_the_error_of_the_plugin_keeps_its_type() {
    let [_, _, load_errors, init_errors, _] = five();
    for (plugin, expected) in [(load_errors, "load fails"), (init_errors, "init fails")] {
        let failure = failure(manager([plugin]).try_load_all().await.unwrap_err());
        let FailureCause::Error(error) = &failure.cause else { panic!("{failure}") };
        assert_eq!(error.downcast_ref(), Some(&Controlled(expected)));
    }
}

#[tokio::test(start_paused = true)]
async fn p26_of_five_kinds_each_step_is_heard_as_often_as_it_was_taken() {
    let heard = Heard::default();
    let manager = PluginManager::<dyn Script>::builder(())
        .finder(finder(five()))
        .listener(heard.clone())
        .build();
    let _ = manager.load_all().await;
    idle().await;
    let lines: Vec<_> = NAMES.iter().flat_map(|name| heard.of(name)).collect();
    let count = |what: &str| lines.iter().filter(|line| line.starts_with(what)).count();
    let steps =
        ["initialized", "init failed", "load started", "loaded", "failed in load", "disabled"];
    assert_eq!(steps.map(count), [4, 1, 3, 2, 1, 1], "{lines:?}");
}

/// Panics at `Loaded` of one plugin.
struct Objects(Arc<AtomicUsize>);

impl Listener for Objects {
    fn on_event(&self, event: &Event) {
        if matches!(event.kind, EventKind::Loaded) && event.id.name == "b" {
            self.0.fetch_add(1, Ordering::SeqCst);
            panic!("b is not to be loaded");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn p24_p26_a_listener_that_panics_at_loaded_does_not_undo_the_load() {
    let objected = Arc::new(AtomicUsize::new(0));
    let plugins = ["a", "b"].map(Plugin::new);
    let runs = plugins.each_ref().map(Plugin::runs);
    let manager = PluginManager::<dyn Script>::builder(())
        .finder(finder(plugins))
        .listener(Objects(Arc::clone(&objected)))
        .build();
    let report = manager.load_all().await;
    assert_eq!(report.loaded().len(), 2, "{report}");
    idle().await;
    assert_eq!(objected.load(Ordering::SeqCst), 1);
    assert!(manager.load("b").await.is_ok());
    assert_eq!(state(&manager, "b"), "loaded");
    assert_eq!(runs.map(|runs| runs.all()), [[1, 1, 1], [1, 1, 1]]);
}

#[plux::extension_point(namespace = "python.unresolved")]
trait Unresolved {}

#[tokio::test(start_paused = true)]
async fn p09_p26_what_can_not_be_resolved_is_heard_with_its_reason_and_the_rest_loads() {
    let bad =
        PluginSpec::new::<dyn Unresolved>(NAMESPACE, Name::literal("cannot-be-loaded"), || {
            panic!("the factory of another contract was run")
        });
    let heard = Heard::default();
    let manager = PluginManager::<dyn Script>::builder(())
        .finder(ListFinder::new([bad, Plugin::new("simple").spec()]))
        .listener(heard.clone())
        .build();
    // It is not lost: it is listed, and asking for it says what is wrong with it.
    assert_eq!(manager.names().unwrap(), ["cannot-be-loaded", "simple"]);
    let report = manager.load_all().await;
    assert_eq!((report.loaded().len(), report.failed().len()), (1, 1), "{report}");
    idle().await;
    let [line] = &heard.of("cannot-be-loaded")[..] else {
        panic!("{:?}", heard.of("cannot-be-loaded"))
    };
    assert!(line.starts_with("resolve failed: ") && line.contains("Unresolved"), "{line}");
    assert!(matches!(manager.load("cannot-be-loaded").await, Err(LoadError::Failed(_))));
}

#[tokio::test]
async fn p13_what_one_manager_has_decided_the_next_asks_anew() {
    let condition = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&condition);
    let varies = Plugin::new("plugin_5").should_load(move || {
        let answer = asked.load(Ordering::SeqCst);
        async move { Ok(answer) }
    });
    let list = finder([varies, Plugin::new("plugin_6").disabled()]);
    let made = || PluginManager::<dyn Script>::builder(()).finder(list.clone()).build();

    let first = made();
    assert!(first.load_all().await.loaded().is_empty());
    for name in ["plugin_5", "plugin_6"] {
        let error = first.load(name).await.unwrap_err();
        let LoadError::Disabled { id, .. } = &error else { panic!("{error}") };
        assert_eq!(id.to_string(), format!("scripted:{name}"));
        assert!(
            error.to_string().contains("is disabled: its should_load answered false"),
            "{error}"
        );
    }
    condition.store(true, Ordering::SeqCst);
    assert!(first.load("plugin_5").await.is_err(), "what is decided stays");

    let second = made();
    assert_eq!(second.load_all().await.loaded().len(), 1);
    assert!(second.load("plugin_5").await.is_ok());
    assert!(matches!(second.load("plugin_6").await, Err(LoadError::Disabled { .. })));
}

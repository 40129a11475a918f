//! What a manager knows of its plugins before any of them runs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use plux::{
    BoxError, FindError, Found, ListFinder, LoadError, Namespace, PluginFinder, PluginManager,
    PluginSpec, PluginState, SpecRef,
};

use crate::scripted::{Plugin, Script, finder, manager};

/// Registered by attributes, in an order that is not that of the names.
mod registered {
    #[plux::extension_point(namespace = "it.registered")]
    pub(super) trait Registered {}

    #[derive(Default)]
    struct Middle;
    #[plux::plugin(name = "m")]
    impl Registered for Middle {}

    #[derive(Default)]
    struct Last;
    #[plux::plugin(name = "z")]
    impl Registered for Last {}

    #[derive(Default)]
    struct First;
    #[plux::plugin(name = "a")]
    impl Registered for First {}

    #[derive(Default)]
    struct Upper;
    #[plux::plugin(name = "Z")]
    impl Registered for Upper {}
}

/// Asks another finder, counts, and fails as often as it is told to.
struct Counting<F> {
    calls: Arc<AtomicUsize>,
    failures: usize,
    inner: F,
}

impl<F: PluginFinder> PluginFinder for Counting<F> {
    fn find(&self, namespace: &Namespace) -> Result<Found, BoxError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        if call < self.failures {
            assert_ne!(call, 1, "the second call panics");
            return Err(format!("no answer to call {call}").into());
        }
        self.inner.find(namespace)
    }

    fn name(&self) -> &'static str {
        "counting"
    }
}

fn counting(failures: usize) -> (PluginManager<dyn Script>, Arc<AtomicUsize>) {
    let calls = Arc::<AtomicUsize>::default();
    let inner = finder([Plugin::new("b"), Plugin::new("a")]);
    let counting = Counting { calls: Arc::clone(&calls), failures, inner };
    (PluginManager::builder(()).finder(counting).build(), calls)
}

#[tokio::test]
async fn p05_the_order_is_that_of_the_names_and_not_of_the_linker() {
    let manager = PluginManager::<dyn registered::Registered>::builder(()).build();
    assert_eq!(manager.names().unwrap(), ["Z", "a", "m", "z"]);
    let specs = manager.specs().unwrap();
    assert_eq!(
        specs.iter().map(|spec| spec.name().as_str()).collect::<Vec<_>>(),
        ["Z", "a", "m", "z"]
    );
    let report = manager.load_all().await;
    assert_eq!(
        report.loaded().iter().map(|it| it.name().as_str()).collect::<Vec<_>>(),
        ["Z", "a", "m", "z"]
    );
}

#[test]
fn p05_the_order_is_that_of_the_names_and_not_of_the_list() {
    for order in [["c", "a", "b"], ["b", "c", "a"], ["a", "b", "c"], ["c", "b", "a"]] {
        let manager = manager(order.map(Plugin::new));
        assert_eq!(manager.names().unwrap(), ["a", "b", "c"], "{order:?}");
        let specs = manager.specs().unwrap();
        assert!(specs.is_sorted_by_key(|spec| spec.name().clone()), "{order:?}");
    }
}

#[test]
fn p07_a_finder_is_asked_when_the_first_answer_is_needed_and_once() {
    let (manager, calls) = counting(0);
    let other = manager.clone();
    assert_eq!(manager.namespace(), &"scripted");
    assert_eq!(calls.load(Ordering::SeqCst), 0, "building asks nothing");
    assert!(manager.contains("a").unwrap());
    assert!(!other.contains("c").unwrap());
    assert_eq!(other.names().unwrap(), ["a", "b"]);
    assert!(matches!(manager.state("a"), Some(PluginState::Resolved)));
    assert!(manager.loaded().is_empty());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn p07_every_first_question_asks_the_finder() {
    let questions: [fn(&PluginManager<dyn Script>); 6] = [
        |manager| drop(manager.names()),
        |manager| drop(manager.specs()),
        |manager| drop(manager.contains("a")),
        |manager| drop(manager.state("a")),
        |manager| drop(manager.get("a")),
        |manager| drop(manager.loaded()),
    ];
    for (at, question) in questions.into_iter().enumerate() {
        let (manager, calls) = counting(0);
        question(&manager);
        assert_eq!(calls.load(Ordering::SeqCst), 1, "question {at}");
    }
}

/// Waits a moment for another call to come while it runs, and counts.
struct Crowded {
    calls: Mutex<usize>,
    another: Condvar,
}

struct Shared(Arc<Crowded>);

impl PluginFinder for Shared {
    fn find(&self, namespace: &Namespace) -> Result<Found, BoxError> {
        let Crowded { calls, another } = self.0.as_ref();
        let mut calls = calls.lock().unwrap();
        *calls += 1;
        another.notify_all();
        let wait = Duration::from_millis(100);
        drop(another.wait_timeout_while(calls, wait, |calls| *calls < 2).unwrap());
        finder([Plugin::new("a")]).find(namespace)
    }
}

#[test]
fn p07_a_first_use_by_many_at_once_asks_the_finder_once() {
    const MANY: usize = 8;
    let crowded = Arc::new(Crowded { calls: Mutex::new(0), another: Condvar::new() });
    let manager =
        PluginManager::<dyn Script>::builder(()).finder(Shared(Arc::clone(&crowded))).build();
    let start = Barrier::new(MANY);
    thread::scope(|scope| {
        for _ in 0..MANY {
            scope.spawn(|| {
                start.wait();
                assert_eq!(manager.names().unwrap(), ["a"]);
            });
        }
    });
    assert_eq!(*crowded.calls.lock().unwrap(), 1);
}

#[tokio::test]
async fn p07_a_finder_that_failed_or_panicked_is_asked_again() {
    let (manager, calls) = counting(3);
    let error = manager.names().unwrap_err();
    assert_eq!(error.to_string(), "finder counting failed: no answer to call 0");
    assert!(matches!(error, FindError::Failed { finder: "counting", .. }));

    let error = manager.load("a").await.unwrap_err();
    let LoadError::Find(FindError::Panicked { finder: "counting", panic }) = &error else {
        panic!("{error}");
    };
    assert!(panic.message.contains("the second call panics"), "{panic}");

    let report = manager.load_all().await;
    assert!(!report.is_ok());
    let error = report.find_error().unwrap().to_string();
    assert_eq!(error, "finder counting failed: no answer to call 2");
    assert_eq!(report.to_string(), format!("no plugins: {error}"));

    assert!(manager.load("a").await.is_ok());
    let report = manager.load_all().await;
    assert!(report.is_ok() && report.find_error().is_none());
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}

#[test]
fn p07_a_finder_that_asks_its_own_manager_gets_an_error_and_no_deadlock() {
    struct Circular(Arc<OnceLock<PluginManager<dyn Script>>>);
    impl PluginFinder for Circular {
        fn find(&self, _: &Namespace) -> Result<Found, BoxError> {
            Ok(self.0.get().unwrap().specs()?.into())
        }
    }
    let slot = Arc::new(OnceLock::new());
    let manager = PluginManager::builder(()).finder(Circular(Arc::clone(&slot))).build();
    assert!(slot.set(manager.clone()).is_ok());
    for _ in 0..2 {
        let error = manager.names().unwrap_err().to_string();
        assert!(error.contains("Circular") && error.contains("its own manager"), "{error}");
    }
}

#[test]
fn p07_without_an_answer_of_the_finder_nothing_is_known() {
    let (manager, calls) = counting(usize::MAX);
    assert!(manager.contains("a").is_err());
    assert_eq!(calls.swap(2, Ordering::SeqCst), 1);
    assert!(manager.state("a").is_none());
    assert!(manager.get("a").is_none());
    assert!(manager.loaded().is_empty());
    assert!(manager.specs().is_err());
}

#[test]
fn p07_asking_about_plugins_runs_none_of_their_code() {
    let plugins = ["a", "b"].map(Plugin::new);
    let runs = plugins.each_ref().map(Plugin::runs);
    let manager = manager(plugins);
    assert_eq!(manager.names().unwrap(), ["a", "b"]);
    assert_eq!(manager.specs().unwrap().len(), 2);
    assert!(manager.contains("a").unwrap());
    assert!(matches!(manager.state("b"), Some(PluginState::Resolved)));
    assert!(manager.get("a").is_none());
    drop(manager);
    for runs in runs {
        assert_eq!(runs.all(), [0, 0, 0]);
    }
}

#[test]
fn p07_a_finder_may_find_plugins_of_other_namespaces() {
    let other = PluginSpec::new::<dyn Script>(
        Namespace::literal("other"),
        plux::Name::literal("a"),
        || Err("not of this namespace".into()),
    );
    struct All(Vec<SpecRef>);
    impl PluginFinder for All {
        fn find(&self, _: &Namespace) -> Result<Found, BoxError> {
            Ok(self.0.clone().into())
        }
    }
    let all = All(vec![other.into(), Plugin::new("b").spec().into()]);
    let manager = PluginManager::<dyn Script>::builder(()).finder(all).build();
    assert_eq!(manager.names().unwrap(), ["b"]);
    assert!(
        ListFinder::new(Vec::<PluginSpec>::new())
            .find(manager.namespace())
            .unwrap()
            .specs
            .is_empty()
    );
}

#[tokio::test]
async fn p08_an_unknown_name_is_told_with_those_that_are_near() {
    let manager = manager(["dynamo", "dynamodb", "s3"].map(Plugin::new));
    let error = manager.load("dynamodbb").await.unwrap_err();
    let LoadError::Unknown { namespace, name, near, empty } = &error else { panic!("{error}") };
    assert_eq!((namespace.as_str(), name.as_str(), *empty), ("scripted", "dynamodbb", false));
    assert_eq!(near.0, ["dynamodb", "dynamo"]);
    assert_eq!(
        error.to_string(),
        "no plugin `dynamodbb` in namespace `scripted`; did you mean `dynamodb`, `dynamo`"
    );
    let error = manager.load("kinesis").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no plugin `kinesis` in namespace `scripted`; is its crate named with plux::link!?"
    );
}

#[tokio::test]
async fn p08_in_an_empty_namespace_the_linker_is_explained() {
    let error = manager([]).load("s3").await.unwrap_err();
    assert!(matches!(error, LoadError::Unknown { empty: true, .. }));
    assert!(error.to_string().contains("plux::link!"), "{error}");
}

#[tokio::test]
async fn p04_two_plugins_of_one_name_are_both_refused_and_the_others_load() {
    let plugins = [Plugin::new("twice"), Plugin::new("one"), Plugin::new("twice")];
    let runs = plugins.each_ref().map(Plugin::runs);
    let origins = plugins.each_ref().map(Plugin::origin);
    let manager = manager(plugins.into_iter().chain([Plugin::new("user").requires("twice")]));
    let report = manager.load_all().await;
    assert_eq!(report.loaded().len(), 1);
    let [(id, LoadError::Find(FindError::Duplicate { origins: both, .. }))] = report.failed()
    else {
        panic!("{report}");
    };
    assert_eq!(id.name, "twice");
    assert_eq!(**both, (origins[0], origins[2]));
    let [(user, because)] = report.skipped() else { panic!("{report}") };
    assert_eq!((user.name.as_str(), because.name.as_str()), ("user", "twice"));
    assert!(matches!(manager.load("twice").await, Err(LoadError::Find(_))));
    assert!(matches!(manager.state("twice"), Some(PluginState::Failed(_))));
    assert_eq!(runs.map(|runs| runs.loads()), [0, 1, 0]);
}

#[tokio::test]
async fn p04_p05_several_of_one_name_are_told_of_by_their_places_whatever_the_list_says() {
    let first = Plugin::new("twice");
    let second = Plugin::new("twice");
    let third = Plugin::new("twice");
    let origins = [first.origin(), second.origin()];
    let specs = [first, second, third].map(|plugin| SpecRef::from(plugin.spec()));
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2]] {
        let finder = ListFinder::new(order.map(|at| specs[at].clone()));
        let manager = PluginManager::<dyn Script>::builder(()).finder(finder).build();
        let text = format!(
            "scripted:twice is registered twice: at {} and at {}; rename one",
            origins[0], origins[1]
        );
        assert_eq!(manager.load("twice").await.unwrap_err().to_string(), text, "{order:?}");
        let report = manager.load_all().await;
        assert_eq!(report.failed()[0].1.to_string(), text, "{order:?}");
        assert_eq!(manager.specs().unwrap()[0].origin(), origins[0], "{order:?}");
    }
}

#[test]
fn p07_p24_a_finder_whose_name_panics_is_asked_all_the_same() {
    struct Nameless;
    impl PluginFinder for Nameless {
        fn find(&self, _: &Namespace) -> Result<Found, BoxError> {
            Err("no answer".into())
        }

        fn name(&self) -> &'static str {
            panic!("no name")
        }
    }
    let manager = PluginManager::<dyn Script>::builder(()).finder(Nameless).build();
    let error = manager.names().unwrap_err();
    assert_eq!(error.to_string(), "finder without a name failed: no answer");
}

//! Filters of one's own: both stages, what they see, what they may do, and their panics.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use plux::{
    Disabled, Event, EventKind, ExtensionPoint, FailureCause, FilterRule, ListFinder, Listener,
    LoadError, LoadFailure, Name, Namespace, Phase, PluginFilter, PluginManager, PluginSpec,
    install_panic_hook,
};

use crate::scripted::{Plugin, Script, finder, idle, spawn, state};

type Verdict = Result<(), Disabled>;

/// A filter whose stages a test writes; both let pass unless they are given.
struct Asks {
    init: Box<dyn Fn(&PluginSpec) -> Verdict + Send + Sync>,
    load: Box<dyn Fn(&PluginSpec) -> Verdict + Send + Sync>,
}

impl Asks {
    fn init(ask: impl Fn(&PluginSpec) -> Verdict + Send + Sync + 'static) -> Self {
        Self { init: Box::new(ask), load: Box::new(|_| Ok(())) }
    }

    fn load(ask: impl Fn(&PluginSpec) -> Verdict + Send + Sync + 'static) -> Self {
        Self { init: Box::new(|_| Ok(())), load: Box::new(ask) }
    }
}

impl<P: ExtensionPoint + ?Sized> PluginFilter<P> for Asks {
    fn before_init(&self, spec: &PluginSpec) -> Verdict {
        (self.init)(spec)
    }

    fn before_load(&self, spec: &PluginSpec, _: &P) -> Verdict {
        (self.load)(spec)
    }
}

/// Lets everything pass, with nothing written.
struct Nothing;

impl<P: ExtensionPoint + ?Sized> PluginFilter<P> for Nothing {}

fn filtered(
    filters: impl IntoIterator<Item = Asks>,
    plugins: impl IntoIterator<Item = Plugin>,
) -> PluginManager<dyn Script> {
    let builder = PluginManager::builder(()).finder(finder(plugins));
    filters.into_iter().fold(builder, |builder, filter| builder.filter(filter)).build()
}

fn failure(error: LoadError) -> Arc<LoadFailure> {
    match error {
        LoadError::Failed(failure) => failure,
        other => panic!("{other}"),
    }
}

/// `file:line` of the line that calls it, counted on by so many lines.
#[track_caller]
fn here(on: u32) -> String {
    let place = std::panic::Location::caller();
    format!("{}:{}:", place.file(), place.line() + on)
}

mod labelled {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A plugin with something to see.
    #[plux::extension_point(namespace = "it.labelled")]
    pub(super) trait Labelled {
        fn label(&self) -> &'static str;
    }

    pub(super) struct Label(pub(super) &'static str, pub(super) Arc<AtomicUsize>);

    #[plux::async_trait]
    impl Labelled for Label {
        fn label(&self) -> &'static str {
            self.0
        }
    }

    impl Drop for Label {
        fn drop(&mut self) {
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
}

use labelled::{Label, Labelled};

/// Refuses what is labelled so.
struct Refuses(&'static str);

impl PluginFilter<dyn Labelled> for Refuses {
    fn before_load(&self, spec: &PluginSpec, plugin: &dyn Labelled) -> Verdict {
        if plugin.label() == self.0 {
            return Err(Disabled::because(format!("{} is {}", spec.name(), self.0)));
        }
        Ok(())
    }
}

#[tokio::test]
async fn p11_the_second_stage_sees_the_plugin_and_drops_nothing_by_refusing_it() {
    const NAMESPACE: Namespace = Namespace::literal("it.labelled");
    let (made, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let specs = [("a", "sour"), ("b", "sweet")].map(|(name, label)| {
        let (made, dropped) = (Arc::clone(&made), Arc::clone(&dropped));
        PluginSpec::new::<dyn Labelled>(NAMESPACE, Name::literal(name), move || {
            made.fetch_add(1, Ordering::SeqCst);
            Ok(Arc::new(Label(label, Arc::clone(&dropped))))
        })
    });
    let manager = PluginManager::<dyn Labelled>::builder(())
        .finder(ListFinder::new(specs))
        .filter(Refuses("sour"))
        .build();
    let report = manager.load_all().await;
    assert_eq!((report.loaded().len(), report.disabled().len()), (1, 1), "{report}");
    let refused = async || match manager.load("a").await.unwrap_err() {
        LoadError::Disabled { reason, .. } => reason,
        other => panic!("{other}"),
    };
    assert_eq!(&*refused().await, "a is sour");
    assert!(Arc::ptr_eq(&refused().await, &refused().await));
    assert_eq!((made.load(Ordering::SeqCst), dropped.load(Ordering::SeqCst)), (2, 0));
    drop(report);
    drop(manager);
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn p11_p13_the_second_stage_is_asked_between_factory_and_should_load() {
    let (seen, at) = (Arc::new(Mutex::new(Vec::new())), Arc::new(OnceLock::new()));
    let plugin = Plugin::new("a");
    let runs = plugin.runs();
    let (sees, own, of) = (Arc::clone(&seen), Arc::clone(&at), Arc::clone(&runs));
    let filter = Asks::load(move |spec| {
        let manager: &PluginManager<dyn Script> = own.get().unwrap();
        sees.lock().push((state(manager, spec.name().as_str()), of.all()));
        Err(Disabled::because("not today"))
    });
    let manager = filtered([filter], [plugin]);
    at.set(manager.clone()).unwrap();
    for _ in 0..3 {
        let error = manager.load("a").await.unwrap_err();
        assert!(matches!(&error, LoadError::Disabled { reason, .. } if &**reason == "not today"));
    }
    assert_eq!(*seen.lock(), [("initialized".to_owned(), [1, 0, 0])]);
    assert_eq!(runs.all(), [1, 0, 0]);
}

#[tokio::test]
async fn p10_p11_filters_are_asked_in_order_and_the_first_refusal_counts() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let filter = |number: usize, refuses: &'static str| {
        let (init, load) = (Arc::clone(&log), Arc::clone(&log));
        let verdict = move |stage: &str, spec: &PluginSpec| match spec.name().as_str() == refuses {
            true => Err(Disabled::because(format!("{stage} {number}"))),
            false => Ok(()),
        };
        Asks {
            init: Box::new(move |spec| {
                init.lock().push(format!("{} init {number}", spec.name()));
                verdict("init", spec)
            }),
            load: Box::new(move |spec| {
                load.lock().push(format!("{} load {number}", spec.name()));
                verdict("load", spec)
            }),
        }
    };
    let manager =
        filtered([filter(0, "x"), filter(1, "b"), filter(2, "b")], ["a", "b"].map(Plugin::new));
    assert!(log.lock().is_empty());
    assert!(manager.load("b").await.unwrap_err().to_string().ends_with("is disabled: init 1"));
    assert_eq!(log.lock().drain(..).collect::<Vec<_>>(), ["b init 0", "b init 1"]);
    manager.load("a").await.unwrap();
    let whole = ["init 0", "init 1", "init 2", "load 0", "load 1", "load 2"];
    assert_eq!(*log.lock(), whole.map(|line| format!("a {line}")));
}

#[tokio::test]
async fn p10_p11_a_filter_that_overrides_nothing_lets_everything_pass() {
    let manager = PluginManager::<dyn Script>::builder(())
        .finder(finder(["a", "b"].map(Plugin::new)))
        .filter(Nothing)
        .build();
    assert_eq!(manager.load_all().await.loaded().len(), 2);
}

#[tokio::test]
async fn p10_p11_filters_are_asked_in_each_attempt_and_a_refusal_keeps_the_plugin() {
    for stage in [Phase::BeforeInit, Phase::BeforeLoad] {
        let asked = AtomicUsize::new(0);
        let second = move |_: &PluginSpec| match asked.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(()),
            _ => Err(Disabled::because("not again")),
        };
        let filter = match stage {
            Phase::BeforeInit => Asks::init(second),
            _ => Asks::load(second),
        };
        let plugin = Plugin::new("a").fails();
        let runs = plugin.runs();
        let manager = filtered([filter], [plugin]);
        assert!(matches!(manager.load("a").await, Err(LoadError::Failed(_))));
        for _ in 0..2 {
            assert!(matches!(manager.load("a").await, Err(LoadError::Disabled { .. })), "{stage}");
        }
        assert_eq!(runs.all(), [1, 1, 1], "{stage}");
    }
}

#[tokio::test]
async fn p24_a_panic_of_a_filter_is_the_failure_of_the_plugin_it_was_asked_about() {
    install_panic_hook();
    for (stage, word) in [(Phase::BeforeInit, "before_init"), (Phase::BeforeLoad, "before_load")] {
        let first = AtomicUsize::new(0);
        let place = here(3);
        let panics = move |spec: &PluginSpec| {
            if spec.name() == "a" && first.fetch_add(1, Ordering::SeqCst) == 0 {
                panic!("a filter that is not well");
            }
            Ok(())
        };
        let filter = match stage {
            Phase::BeforeInit => Asks::init(panics),
            _ => Asks::load(panics),
        };
        let made = usize::from(stage == Phase::BeforeLoad);
        let plugins = [Plugin::new("a"), Plugin::new("needs").requires("a"), Plugin::new("plain")];
        let runs = plugins[0].runs();
        let manager = filtered([filter], plugins);
        let report = manager.load_all().await;
        assert_eq!((report.loaded().len(), report.failed().len()), (1, 1), "{report}");
        assert_eq!(state(&manager, "needs"), "skipped because of scripted:a");
        assert_eq!(runs.all(), [made, 0, 0], "{word}");
        let (_, error) = &report.failed()[0];
        let failure = failure(error.clone());
        let FailureCause::Panic(panic) = &failure.cause else { panic!("{failure}") };
        assert_eq!((failure.phase, panic.message.as_str()), (stage, "a filter that is not well"));
        assert!(panic.place.as_ref().is_some_and(|found| found.starts_with(&place)), "{panic}");
        assert!(failure.to_string().contains(&format!("failed in {word}: panicked at {place}")));

        // A try more asks it again; what was made is kept.
        manager.load("needs").await.unwrap();
        assert_eq!(runs.all(), [1, 1, 1], "{word}");
    }
}

#[tokio::test]
async fn p24_filters_after_one_that_panicked_are_not_asked() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let later = Asks::init(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    let manager = filtered([Asks::init(|_| panic!("no")), later], [Plugin::new("a")]);
    assert!(matches!(manager.load("a").await, Err(LoadError::Failed(_))));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn c02_a_filter_may_ask_its_manager_and_change_the_process_wide_list() {
    let at: Arc<OnceLock<PluginManager<dyn Script>>> = Arc::default();
    let guards = Arc::new(Mutex::new(Vec::new()));
    let asks = |word: &'static str| {
        let (at, guards) = (Arc::clone(&at), Arc::clone(&guards));
        move |spec: &PluginSpec| {
            let manager = at.get().unwrap();
            assert_eq!(manager.names().unwrap(), ["a", "b"]);
            assert_eq!(manager.specs().unwrap().len(), 2);
            assert_eq!(state(manager, spec.name().as_str()), word);
            assert!(manager.get(spec.name().as_str()).is_none());
            let rule = FilterRule::builder().name("of-no-plugin").build().unwrap();
            drop(rule.clone().install());
            guards.lock().push(rule.install());
            Ok(())
        }
    };
    let _guard = FilterRule::builder().name("of-no-plugin").build().unwrap().install();
    let filters = [Asks::init(asks("resolved")), Asks::load(asks("initialized"))];
    let manager = filtered(filters, ["a", "b"].map(Plugin::new));
    at.set(manager.clone()).unwrap();
    let report = manager.load_all().await;
    assert_eq!(report.loaded().len(), 2, "{report}");
    assert_eq!(guards.lock().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn p16_a_manager_that_is_gone_asks_no_filter() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let asks = Arc::clone(&asked);
    let filter = Asks::init(move |spec| {
        asks.lock().push(spec.name().to_string());
        Ok(())
    });
    let hung = Plugin::new("hung").hangs();
    let manager = filtered([filter], [hung, Plugin::new("next").after("hung")]);
    let all = manager.clone();
    let all = spawn(async move { all.load_all().await });
    idle().await;
    all.abort();
    drop(manager);
    idle().await;
    assert_eq!(*asked.lock(), ["hung"]);
}

#[tokio::test]
async fn p10_p11_who_refuses_before_init_is_not_asked_before_load() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let filter = Asks {
        init: Box::new(|_| Err(Disabled::because("no"))),
        load: Box::new(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }),
    };
    let manager = filtered([filter], [Plugin::new("a")]);
    assert!(manager.load("a").await.is_err());
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

/// Hears the facts of one manager.
struct Hears(Arc<Mutex<Vec<String>>>);

impl Listener for Hears {
    fn on_event(&self, event: &Event) {
        let word = match &event.kind {
            EventKind::Resolved(_) => "resolved".to_owned(),
            EventKind::Initialized => "initialized".to_owned(),
            EventKind::Disabled(reason) => format!("disabled: {reason}"),
            other => format!("{other:?}"),
        };
        self.0.lock().push(format!("{} {word}", event.id.name));
    }
}

#[tokio::test(start_paused = true)]
async fn p10_p11_a_refusal_is_heard_as_disabled_after_what_had_happened() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let refuses = |name: &'static str| {
        move |spec: &PluginSpec| match spec.name() == name {
            true => Err(Disabled::because("no")),
            false => Ok(()),
        }
    };
    let manager = PluginManager::<dyn Script>::builder(())
        .finder(finder(["a", "b"].map(Plugin::new)))
        .filter(Asks { init: Box::new(refuses("a")), load: Box::new(refuses("b")) })
        .listener(Hears(Arc::clone(&heard)))
        .build();
    for name in ["a", "b", "a", "b"] {
        assert!(manager.load(name).await.is_err());
    }
    idle().await;
    assert_eq!(*heard.lock(), ["a disabled: no", "b resolved", "b initialized", "b disabled: no"]);
}

#[tokio::test]
async fn p10_a_thousand_callers_at_once_ask_a_filter_once() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let filter = Asks::init(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Err(Disabled::because("no"))
    });
    let manager = filtered([filter], [Plugin::new("a")]);
    let loads = (0..1000).map(|_| manager.load("a"));
    let outcomes = futures::future::join_all(loads).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(LoadError::Disabled { .. }))));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

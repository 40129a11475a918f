//! Finders that fail for one entry, and finders in a chain.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use futures::FutureExt;
use plux::{
    BoxError, Chain, EntryError, EventKind, FailureCause, FindError, Found, LoadError, Name,
    NameError, Namespace, Origin, Phase, PluginFinder, PluginManager, PluginState, Supervisor,
};

use crate::kit::{Events, Log, Probe, Scripted};
use crate::panic::Written;
use crate::scripted::{Plugin, Script, finder, idle};

const MANIFEST: Origin = Origin::new("manifest", "1.2.3", "", "plugins.toml", 7);

fn denied() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "may not be read")
}

/// Finds what it is given.
struct Gives<F>(F);

impl<F: Fn() -> Result<Found, BoxError> + Send + Sync + 'static> PluginFinder for Gives<F> {
    fn find(&self, _: &Namespace) -> Result<Found, BoxError> {
        (self.0)()
    }

    fn name(&self) -> &'static str {
        "gives"
    }
}

/// Finds nothing and fails for these entries.
fn failing(entries: &'static [&'static str]) -> impl PluginFinder {
    let error = |entry: &&str| EntryError::new(*entry, denied()).with_origin(MANIFEST);
    Gives(move || Ok(Found { specs: Vec::new(), errors: entries.iter().map(error).collect() }))
}

fn manager(finder: impl PluginFinder) -> PluginManager<dyn Script> {
    PluginManager::builder(()).finder(finder).build()
}

#[track_caller]
fn entry_error(error: &LoadError) -> &EntryError {
    match error {
        LoadError::Find(FindError::Entry(error)) => error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn p06_an_entry_that_fails_is_the_error_of_its_name_and_the_others_load() {
    let plugins = [Plugin::new("a"), Plugin::new("c")];
    let manager = manager(Chain::new().with(finder(plugins)).with(failing(&["b"])));
    assert_eq!(manager.names().unwrap(), ["a", "b", "c"]);
    for _ in 0..2 {
        let error = manager.load("b").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "`b` (found at plugins.toml:7 (manifest 1.2.3)) can not be resolved: may not be read"
        );
        let error = entry_error(&error);
        assert_eq!((error.entry.as_str(), error.origin), ("b", MANIFEST));
        let source = error.source.downcast_ref::<io::Error>().unwrap();
        assert_eq!(source.kind(), io::ErrorKind::PermissionDenied);
    }
    let Some(PluginState::Failed(failure)) = manager.state("b") else { panic!("it is failed") };
    assert_eq!((failure.phase, failure.origin), (Phase::Resolve, MANIFEST));
    assert!(matches!(failure.cause, FailureCause::Find(FindError::Entry(_))), "{failure}");

    let report = manager.load_all().await;
    assert_eq!(report.loaded().len(), 2);
    assert!(!report.is_ok());
    let [(id, error)] = report.failed() else { panic!("{report}") };
    assert_eq!((id.to_string().as_str(), entry_error(error).origin), ("scripted:b", MANIFEST));
    assert!(report.to_string().contains("failed: `b` (found at plugins.toml:7"), "{report}");
    assert!(report.unresolved().is_empty() && manager.unresolved().unwrap().is_empty());
    assert!(manager.get("b").is_none());
}

#[tokio::test]
async fn p06_an_entry_without_a_name_is_reported_and_everything_else_loads() {
    let entries = ["line 9", "", "a line with an ü"];
    let no_name = |entry: &&str| EntryError::new(*entry, Name::new(entry).unwrap_err());
    let broken = Gives(move || {
        Ok(Found { errors: entries.iter().map(no_name).collect(), ..<_>::default() })
    });
    let manager = manager(Chain::new().with(broken).with(finder([Plugin::new("a")])));
    assert_eq!(manager.names().unwrap(), ["a"]);
    let report = manager.load_all().await;
    assert_eq!(report.loaded().len(), 1);
    assert!(report.failed().is_empty() && !report.is_ok(), "{report}");
    let unresolved = manager.unresolved().unwrap();
    let names = |errors: &[EntryError]| Vec::from_iter(errors.iter().map(|it| it.entry.clone()));
    assert_eq!(names(&unresolved), ["", "a line with an ü", "line 9"]);
    assert_eq!(names(report.unresolved()), names(&unresolved));
    assert!(unresolved.iter().all(|error| error.source.is::<NameError>()));
    assert!(unresolved[0].origin.file.ends_with("p06_finders.rs"), "{}", unresolved[0]);
    assert!(report.to_string().contains("\n  `line 9` (found at "), "{report}");
    assert!(!report.to_string().contains("( )"), "an origin without a package: {report}");
    let error = manager.load("line 9").await.unwrap_err();
    assert!(matches!(error, LoadError::Unknown { .. }), "{error}");
}

#[tokio::test]
async fn p06_an_entry_without_a_name_costs_one_error_line() {
    let (written, _guard) = Written::listen();
    let manager = manager(failing(&["line 9", "b"]));
    for _ in 0..2 {
        assert!(!manager.load_all().await.is_ok());
    }
    let [line] = written.lines().try_into().unwrap();
    assert!(line.contains("ERROR") && line.contains("`line 9` (found at plugins.toml:7"), "{line}");
    assert!(line.contains("namespace=scripted"), "{line}");
}

#[tokio::test]
async fn p06_strict_an_entry_that_fails_is_an_error_before_anything_begins() {
    for entries in [&["b"], &["line 9"]] {
        let plugin = Plugin::new("a");
        let runs = plugin.runs();
        let manager = manager(Chain::new().with(finder([plugin])).with(failing(entries)));
        let error = manager.try_load_all().await.unwrap_err();
        assert_eq!(entry_error(&error).entry, entries[0]);
        assert_eq!(runs.all(), [0; 3]);
        assert!(manager.load("a").await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn p06_listeners_hear_of_an_entry_that_failed_once_for_each_load_of_all() {
    let events = Events::default();
    let chain = Chain::new().with(finder([Plugin::new("a")])).with(failing(&["b", "line 9"]));
    let manager =
        PluginManager::<dyn Script>::builder(()).finder(chain).listener(events.clone()).build();
    for round in 1..=2 {
        assert_eq!(manager.load_all().await.loaded().len(), 1);
        idle().await;
        let heard = events.all().into_iter().filter(|event| event.id.name == "b");
        let kinds: Vec<_> = heard.map(|event| event.kind).collect();
        assert_eq!(kinds.len(), round);
        for kind in kinds {
            let EventKind::ResolveFailed(why) = kind else { panic!("{kind:?}") };
            assert!(why.contains("may not be read") && why.contains("plugins.toml:7"), "{why}");
        }
    }
}

#[tokio::test]
async fn p06_what_requires_an_entry_that_failed_is_skipped_and_what_wants_it_loads() {
    let plugins = [Plugin::new("hard").requires("b"), Plugin::new("soft").wants("b")];
    let manager = manager(Chain::new().with(finder(plugins)).with(failing(&["b"])));
    let report = manager.load_all().await;
    assert_eq!(report.loaded().iter().map(|it| it.name().as_str()).collect::<Vec<_>>(), ["soft"]);
    let [(hard, because)] = report.skipped() else { panic!("{report}") };
    assert_eq!((hard.name.as_str(), because.name.as_str()), ("hard", "b"));
}

#[tokio::test(start_paused = true)]
async fn p06_a_service_that_could_not_be_resolved_says_so_when_it_is_started() {
    let log = Log::default();
    let good = Probe::new("good").spec(&log);
    let chain = Chain::new().with(plux::ListFinder::new([good])).with(failing(&["bad", "line 9"]));
    let manager = PluginManager::<dyn Scripted>::builder(()).finder(chain).build();
    let supervisor = Supervisor::builder().manager(manager).build().unwrap();
    assert!(supervisor.start("good").await.is_ok());
    let error = supervisor.start("bad").await.unwrap_err().to_string();
    assert!(error.contains("may not be read") && error.contains("plugins.toml:7"), "{error}");
    supervisor.shutdown().await.unwrap();
}

#[tokio::test]
async fn p06_a_chain_finds_what_all_of_its_finders_find() {
    let inner = Chain::new().with(finder([Plugin::new("c")])).with(Chain::new());
    let chain = Chain::new().with(finder([Plugin::new("b")])).with(inner);
    let manager = manager(chain.with(finder([Plugin::new("a")])));
    assert_eq!(manager.names().unwrap(), ["a", "b", "c"]);
    assert!(manager.load_all().await.is_ok());
}

#[tokio::test]
async fn p06_p04_an_id_in_two_finders_of_a_chain_is_an_error_with_both_places() {
    let (one, other) = (Plugin::new("twice"), Plugin::new("twice"));
    let (runs, origins) = ([one.runs(), other.runs()], (one.origin(), other.origin()));
    let chain = Chain::new().with(finder([one])).with(finder([Plugin::new("a"), other]));
    let manager = manager(chain);
    let error = manager.load("twice").await.unwrap_err();
    let LoadError::Find(FindError::Duplicate { origins: both, .. }) = &error else {
        panic!("{error}");
    };
    assert!(**both == origins || **both == (origins.1, origins.0), "{error}");
    assert!(manager.load("a").await.is_ok());
    assert_eq!(runs.map(|runs| runs.all()), [[0; 3]; 2]);
}

#[tokio::test]
async fn p06_p04_an_entry_that_failed_takes_its_name_and_its_error_is_not_lost() {
    let chain = Chain::new().with(finder([Plugin::new("b")])).with(failing(&["b"]));
    let manager = manager(chain);
    let error = manager.load("b").await.unwrap_err();
    let LoadError::Find(FindError::Duplicate { origins, .. }) = &error else { panic!("{error}") };
    assert!(origins.0 == MANIFEST || origins.1 == MANIFEST, "{error}");
    let unresolved = manager.unresolved().unwrap();
    assert_eq!((unresolved.len(), unresolved[0].entry.as_str()), (1, "b"));
}

#[tokio::test]
async fn p06_p07_a_chain_with_a_finder_that_failed_fails_and_is_asked_again() {
    let calls = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&calls);
    let late = Gives(move || match counted.fetch_add(1, Ordering::SeqCst) {
        0 => Err(denied().into()),
        1 => panic!("no luck"),
        _ => Ok(Found::default()),
    });
    let manager = manager(Chain::new().with(finder([Plugin::new("a")])).with(late));
    let report = manager.load_all().await;
    let error = report.find_error().unwrap();
    let text = error.to_string();
    assert!(text.ends_with("Chain failed: finder gives failed: may not be read"), "{text}");
    let FindError::Failed { source, .. } = error else { panic!("{error:?}") };
    let Some(FindError::Failed { finder: "gives", source }) = source.downcast_ref() else {
        panic!("{source:?}");
    };
    assert!(source.is::<io::Error>(), "{source:?}");
    assert!(report.loaded().is_empty());

    let text = manager.names().unwrap_err().to_string();
    assert!(
        text.contains("Chain failed: finder gives panicked") && text.contains("no luck"),
        "{text}"
    );
    assert_eq!(manager.names().unwrap(), ["a"]);
    assert!(manager.load_all().await.is_ok());
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[test]
fn p06_p07_a_finder_of_a_chain_that_asks_the_manager_gets_an_error_and_no_deadlock() {
    let slot = Arc::<OnceLock<PluginManager<dyn Script>>>::default();
    let own = Arc::clone(&slot);
    let circular = Gives(move || Ok(own.get().unwrap().specs()?.into()));
    let manager = manager(Chain::new().with(circular));
    assert!(slot.set(manager.clone()).is_ok());
    let error = manager.names().unwrap_err().to_string();
    assert!(error.contains("gives failed") && error.contains("its own manager"), "{error}");
}

#[test]
fn p06_p07_asking_for_what_is_not_resolved_asks_the_finder_once() {
    let calls = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&calls);
    let manager = manager(Gives(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(Found { specs: Vec::new(), errors: vec![EntryError::new("line 9", denied())] })
    }));
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    for _ in 0..2 {
        assert_eq!(manager.unresolved().unwrap().len(), 1);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert!(manager.load("a").now_or_never().is_some(), "an unknown name is told at once");
}

#[test]
fn p06_a_chain_prints_whom_it_asks() {
    let chain = Chain::new().with(failing(&[])).with(plux::RegistryFinder);
    let text = format!("{chain:?}");
    assert!(text.contains("gives") && text.contains("RegistryFinder"), "{text}");
}

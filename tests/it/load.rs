//! Loading one plugin: its states, its one attempt, and what comes after a failure.

use std::error::Error as _;
use std::fmt;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use plux::{
    BoxError, Disabled, FailureCause, LoadError, LoadFailure, Phase, PluginManager, PluginState,
};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep, timeout};

use crate::scripted::{PATIENCE, Plugin, Script, finder, idle, manager, spawn, state};

/// An error with a source, as errors of real plugins have.
#[derive(Debug)]
struct Refused(std::num::ParseIntError);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn refused() -> BoxError {
    Box::new(Refused("x".parse::<u8>().unwrap_err()))
}

fn failure(error: LoadError) -> Arc<LoadFailure> {
    match error {
        LoadError::Failed(failure) => failure,
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn p14_each_state_can_be_seen_while_its_phase_hangs() {
    let go = Arc::new(Semaphore::new(0));
    let (ask, load) = (Arc::clone(&go), Arc::clone(&go));
    let plugin = Plugin::new("a")
        .should_load(move || {
            let go = Arc::clone(&ask);
            async move {
                go.acquire().await?.forget();
                Ok(true)
            }
        })
        .yields(move || {
            let go = Arc::clone(&load);
            async move {
                go.acquire().await?.forget();
                Ok(())
            }
        });
    let runs = plugin.runs();
    let manager = manager([plugin]);
    assert!(matches!(manager.state("a"), Some(PluginState::Resolved)));
    let all = manager.clone();
    let loading = spawn(async move { all.load("a").await });
    idle().await;
    assert!(matches!(manager.state("a"), Some(PluginState::Initialized)));
    assert_eq!(runs.all(), [1, 1, 0]);
    assert!(manager.get("a").is_none());
    go.add_permits(1);
    idle().await;
    assert!(matches!(manager.state("a"), Some(PluginState::Loading)));
    assert_eq!(runs.all(), [1, 1, 1]);
    assert!(manager.get("a").is_none());
    go.add_permits(1);
    idle().await;
    assert!(matches!(manager.state("a"), Some(PluginState::Loaded)));
    assert!(manager.get("a").is_some());
    assert_eq!(loading.await.unwrap().unwrap().name(), &"a");
}

#[tokio::test]
async fn p14_a_plugin_whose_factory_runs_is_resolved() {
    let slot = Arc::new(OnceLock::<PluginManager<dyn Script>>::new());
    let seen = Arc::new(Mutex::new(String::new()));
    let (own, sees) = (Arc::clone(&slot), Arc::clone(&seen));
    let plugin = Plugin::new("a").factory(move || {
        *sees.lock().unwrap() = state(own.get().unwrap(), "a");
        Ok(())
    });
    let manager = manager([plugin]);
    slot.set(manager.clone()).unwrap();
    manager.load("a").await.unwrap();
    assert_eq!(*seen.lock().unwrap(), "resolved");
}

#[tokio::test]
async fn p14_a_failed_plugin_says_in_which_phase_and_why() {
    let (init, ask, load) = (Plugin::new("init"), Plugin::new("ask"), Plugin::new("load"));
    let origins = [&init, &ask, &load].map(Plugin::origin);
    let manager = manager([
        init.factory(|| Err("no luck".into())),
        ask.should_load(|| async { Err("no luck".into()) }),
        load.fails(),
    ]);
    let expected = [("init", Phase::Init), ("ask", Phase::ShouldLoad), ("load", Phase::Load)];
    for ((name, phase), origin) in expected.into_iter().zip(origins) {
        let failure = failure(manager.load(name).await.unwrap_err());
        assert_eq!(
            (failure.id.name.as_str(), failure.phase, failure.origin),
            (name, phase, origin)
        );
        assert!(
            matches!(&failure.cause, FailureCause::Error(error) if error.to_string() == "no luck")
        );
        let place = format!("{}:{}", origin.file, origin.line);
        let text = failure.to_string();
        assert!(text.contains(&place) && text.contains("no luck"), "{text}");
        let Some(PluginState::Failed(kept)) = manager.state(name) else { panic!("{name}") };
        assert!(Arc::ptr_eq(&kept, &failure));
        assert!(manager.get(name).is_none());
    }
    assert!(manager.loaded().is_empty());
}

#[tokio::test]
async fn p14_a_disabled_plugin_is_in_a_state_of_its_own_with_the_reason() {
    let reason = || Err::<(), BoxError>(Disabled::because("no key").into());
    let manager = manager([
        Plugin::new("asked").disabled(),
        Plugin::new("loaded").yields(move || async move { reason() }),
        Plugin::new("early").should_load(|| async { Err(Disabled::because("too early").into()) }),
    ]);
    for (name, expected) in
        [("asked", "its should_load answered false"), ("loaded", "no key"), ("early", "too early")]
    {
        let error = manager.load(name).await.unwrap_err();
        let LoadError::Disabled { id, reason, .. } = &error else { panic!("{error}") };
        assert_eq!((id.name.as_str(), reason.as_ref()), (name, expected));
        assert_eq!(state(&manager, name), format!("disabled: {expected}"));
        assert!(manager.get(name).is_none());
    }
}

#[tokio::test]
async fn p14_a_skipped_plugin_names_what_it_was_skipped_for() {
    let manager = manager([Plugin::new("a").requires("b"), Plugin::new("b").fails()]);
    let error = manager.load("a").await.unwrap_err();
    let LoadError::Skipped { id, because, .. } = &error else { panic!("{error}") };
    assert_eq!((id.name.as_str(), because.name.as_str()), ("a", "b"));
    assert_eq!(state(&manager, "a"), "skipped because of scripted:b");
}

#[tokio::test]
async fn p13_a_disabled_plugin_stays_so_and_none_of_its_code_runs_again() {
    let plugins = [
        Plugin::new("asked").disabled(),
        Plugin::new("loaded").yields(|| async { Err::<(), _>(Disabled::because("no key").into()) }),
    ];
    let runs = plugins.each_ref().map(Plugin::runs);
    let manager = manager(plugins);
    for name in ["asked", "loaded"] {
        let first = manager.load(name).await.unwrap_err().to_string();
        assert_eq!(manager.load(name).await.unwrap_err().to_string(), first);
        let report = manager.load_all().await;
        assert!(report.is_ok() && report.failed().is_empty());
        assert_eq!(report.disabled().len(), 2);
        assert_eq!(manager.load(name).await.unwrap_err().to_string(), first);
    }
    assert_eq!(runs.map(|runs| runs.all()), [[1, 1, 0], [1, 1, 1]]);
}

#[tokio::test]
async fn p15_loading_again_yields_the_same_instance() {
    let plugin = Plugin::new("a").yields(|| async { Ok(Mutex::new(1)) });
    let runs = plugin.runs();
    let manager = manager([plugin]);
    let first = manager.load("a").await.unwrap();
    let again = manager.clone().load("a").await.unwrap();
    let report = manager.load_all().await;
    let listed = &report.loaded()[0];
    for other in [&again, listed, &manager.get("a").unwrap(), &manager.loaded()[0]] {
        assert!(std::ptr::eq(first.plugin(), other.plugin()));
        assert!(std::ptr::eq(first.output(), other.output()));
    }
    assert_eq!(runs.all(), [1, 1, 1]);
}

#[tokio::test]
async fn p15_all_that_a_manager_gives_may_be_held_by_a_spawned_task() {
    let task = spawn(async {
        let builder = PluginManager::<dyn Script>::builder(());
        yield_now().await;
        let manager = builder.finder(finder([Plugin::new("a"), Plugin::new("b").fails()])).build();
        let (loaded, error) = (manager.load("a").await, manager.load("b").await);
        let (report, strict) = (manager.load_all().await, manager.try_load_all().await);
        yield_now().await;
        (manager, loaded.is_ok(), error.is_err(), report, strict.is_err())
    });
    let (manager, loaded, error, report, strict) = task.await.unwrap();
    assert!(loaded && error && strict);
    assert!(std::ptr::eq(report.loaded()[0].output(), manager.get("a").unwrap().output()));
}

async fn thousand(manager: &PluginManager<dyn Script>) -> Vec<Result<usize, LoadError>> {
    let mut callers = JoinSet::new();
    for _ in 0..1_000 {
        let manager = manager.clone();
        callers.spawn(async move {
            let loaded = manager.load("a").await?;
            Ok(loaded.output().downcast_ref::<Box<u32>>().map_or(0, |it| &raw const **it as usize))
        });
    }
    timeout(PATIENCE, callers.join_all()).await.expect("nobody waits in vain")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p15_a_thousand_callers_at_once_run_one_load() {
    for pending in [false, true] {
        let a = Plugin::new("a").requires("b").yields(move || async move {
            if pending {
                sleep(Duration::from_millis(5)).await;
            }
            Ok(Box::new(7_u32))
        });
        let b = Plugin::new("b");
        let runs = [a.runs(), b.runs()];
        let manager = manager([a, b]);
        let outcomes = thousand(&manager).await;
        let first = *outcomes[0].as_ref().unwrap();
        assert!(first != 0 && outcomes.iter().all(|outcome| *outcome.as_ref().unwrap() == first));
        assert_eq!(runs.each_ref().map(|runs| runs.all()), [[1, 1, 1]; 2]);
    }
}

#[tokio::test(start_paused = true)]
async fn p15_callers_at_once_share_a_failure_too() {
    for plugins in [
        vec![Plugin::new("a").fails()],
        vec![Plugin::new("a").factory(|| Err("no luck".into()))],
        vec![Plugin::new("a").requires("b"), Plugin::new("b").fails()],
        vec![Plugin::new("a").wants("b").fails(), Plugin::new("b").fails()],
        vec![Plugin::new("a").yields(|| async {
            sleep(Duration::from_millis(5)).await;
            Err::<(), _>("no luck".into())
        })],
    ] {
        let runs: Vec<_> = plugins.iter().map(Plugin::runs).collect();
        let manager = manager(plugins);
        for outcome in thousand(&manager).await {
            assert!(outcome.is_err());
        }
        for runs in runs {
            let [factory, _, load] = runs.all();
            assert!(factory <= 1 && load <= 1, "{:?}", runs.all());
        }
        assert!(manager.load("a").await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn p15_who_waited_for_an_attempt_gets_its_failure_whatever_is_tried_next() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&attempts);
    let plugin = Plugin::new("a").yields(move || {
        let attempt = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            match attempt {
                0 => sleep(Duration::from_millis(5)).await,
                _ => pending().await,
            }
            Err::<(), _>("no luck".into())
        }
    });
    let manager = manager([plugin]);
    let mut waits = Box::pin(manager.load("a"));
    let other = manager.clone();
    let tries = spawn(async move {
        other.load("a").await.unwrap_err();
        other.load("a").await
    });
    yield_now().await;
    assert!(futures::poll!(&mut waits).is_pending());
    sleep(Duration::from_millis(10)).await;
    // The next attempt hangs; who waited has not been polled since the first one ended.
    assert_eq!(attempts.load(Ordering::SeqCst), 2);
    let error = timeout(PATIENCE, waits).await.expect("it waits for another attempt").unwrap_err();
    assert!(error.to_string().contains("no luck"), "{error}");
    tries.abort();
}

#[tokio::test(start_paused = true)]
async fn p15_calls_of_every_kind_at_once_share_one_attempt() {
    let plugins = [Plugin::new("a").requires("b").fails(), Plugin::new("b")];
    let runs = plugins.each_ref().map(Plugin::runs);
    let manager = manager(plugins);
    let (first, one, second, other) =
        tokio::join!(manager.load_all(), manager.load("a"), manager.load_all(), manager.load("b"),);
    let one = failure(one.unwrap_err());
    for report in [first, second] {
        let [(_, LoadError::Failed(failure))] = report.failed() else { panic!("{report}") };
        assert!(Arc::ptr_eq(failure, &one));
    }
    assert!(other.is_ok());
    assert_eq!(runs.map(|runs| runs.all()), [[1, 1, 1]; 2]);
}

#[tokio::test(start_paused = true)]
async fn p16_a_caller_that_gives_up_changes_nothing() {
    let plugin = Plugin::new("a").requires("b").takes(10);
    let runs = plugin.runs();
    let manager = manager([plugin, Plugin::new("b").takes(10)]);
    // Given up before it was polled, while the requirement loads, and while it loads itself.
    drop(manager.load("a"));
    idle().await;
    assert_eq!(state(&manager, "b"), "resolved");
    assert!(timeout(Duration::from_millis(5), manager.load("a")).await.is_err());
    let all = manager.load_all();
    assert!(timeout(Duration::from_millis(10), all).await.is_err());
    assert_eq!(state(&manager, "a"), "loading");
    let begun = Instant::now();
    assert!(manager.load("a").await.is_ok());
    assert!(begun.elapsed() <= Duration::from_millis(6), "it went on: {:?}", begun.elapsed());
    assert_eq!(runs.all(), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn p16_a_load_whose_callers_have_all_gone_is_finished() {
    let manager = manager([Plugin::new("a").requires("b").takes(10), Plugin::new("b").takes(10)]);
    assert!(timeout(Duration::from_millis(1), manager.load("a")).await.is_err());
    sleep(Duration::from_millis(25)).await;
    assert!(manager.get("a").is_some() && manager.get("b").is_some());
}

#[tokio::test(start_paused = true)]
async fn p16_a_caller_that_was_aborted_takes_nobody_with_it() {
    let manager = manager([Plugin::new("a").takes(10)]);
    let (first, second) = (manager.clone(), manager.clone());
    let first = spawn(async move { first.load("a").await });
    let second = spawn(async move { second.load("a").await });
    idle().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert!(second.await.unwrap().is_ok());
}

#[tokio::test]
async fn p17_a_failed_init_runs_the_factory_again() {
    let tries = AtomicUsize::new(0);
    let plugin = Plugin::new("a").factory(move || match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Err(refused()),
        1 => Err("still not".into()),
        _ => Ok(()),
    });
    let runs = plugin.runs();
    let manager = manager([plugin]);
    let first = failure(manager.load("a").await.unwrap_err());
    let source = first.cause.source().unwrap();
    assert_eq!(first.phase, Phase::Init);
    assert!(source.is::<std::num::ParseIntError>(), "{source:?}");
    let second = failure(manager.load("a").await.unwrap_err());
    assert!(second.to_string().ends_with("still not"), "the last error is kept: {second}");
    assert!(state(&manager, "a").ends_with("still not"));
    assert_eq!(runs.all(), [2, 0, 0]);
    manager.load("a").await.unwrap();
    assert_eq!(state(&manager, "a"), "loaded");
    assert_eq!(runs.all(), [3, 1, 1]);
}

#[tokio::test]
async fn p17_a_failed_load_keeps_the_plugin_and_loads_it_again() {
    let (asked, tried) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let plugin = Plugin::new("a")
        .should_load(move || {
            let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
            async move { if first { Err(refused()) } else { Ok(true) } }
        })
        .yields(move || {
            let first = tried.fetch_add(1, Ordering::SeqCst) == 0;
            async move { if first { Err(refused()) } else { Ok(()) } }
        });
    let runs = plugin.runs();
    let manager = manager([plugin]);
    assert_eq!(failure(manager.load("a").await.unwrap_err()).phase, Phase::ShouldLoad);
    assert_eq!(failure(manager.load("a").await.unwrap_err()).phase, Phase::Load);
    assert!(manager.load_all().await.is_ok(), "load_all is a try as well");
    assert_eq!(runs.all(), [1, 3, 2]);
}

/// Asks its manager for the state of `a` when it is dropped, and then panics.
#[derive(Debug)]
struct Witness {
    seen: Arc<Mutex<Vec<String>>>,
    manager: Arc<OnceLock<PluginManager<dyn Script>>>,
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a witness")
    }
}

impl std::error::Error for Witness {}

impl Drop for Witness {
    fn drop(&mut self) {
        let manager = self.manager.get().unwrap();
        let here = manager.get("a").is_some();
        self.seen.lock().unwrap().push(format!("{} {here}", state(manager, "a")));
        panic!("a destructor");
    }
}

#[tokio::test]
async fn p17_success_clears_the_error() {
    let (seen, slot) = (Arc::<Mutex<Vec<_>>>::default(), Arc::new(OnceLock::new()));
    let (tries, witnesses, own) = (AtomicUsize::new(0), Arc::clone(&seen), Arc::clone(&slot));
    let plugin = Plugin::new("a").yields(move || {
        let failing = tries.fetch_add(1, Ordering::SeqCst) < 2;
        let witness = || Witness { seen: Arc::clone(&witnesses), manager: Arc::clone(&own) };
        let outcome: Result<(), BoxError> = if failing { Err(Box::new(witness())) } else { Ok(()) };
        async move { outcome }
    });
    let manager = manager([plugin]);
    slot.set(manager.clone()).unwrap();
    assert!(manager.load("a").await.is_err());
    assert!(seen.lock().unwrap().is_empty(), "the error of the last try is kept");
    assert!(manager.load("a").await.is_err());
    {
        let seen = seen.lock().unwrap();
        let [one] = seen.as_slice() else { panic!("{seen:?}") };
        assert!(one.ends_with("a witness false"), "replaced by the one of the last try: {one}");
    }
    assert!(manager.load("a").await.is_ok());
    assert_eq!(seen.lock().unwrap()[1..], ["loaded true"]);
    assert_eq!(state(&manager, "a"), "loaded");
}

#[tokio::test]
async fn p17_a_skipped_plugin_is_tried_again_with_what_it_requires() {
    let tries = AtomicUsize::new(0);
    let b = Plugin::new("b").yields(move || {
        let first = tries.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if first { Err(refused()) } else { Ok(()) } }
    });
    let manager = manager([Plugin::new("a").requires("b"), b]);
    assert!(matches!(manager.load("a").await, Err(LoadError::Skipped { .. })));
    assert!(manager.load("a").await.is_ok());
    assert_eq!([state(&manager, "a"), state(&manager, "b")], ["loaded", "loaded"]);
}

#[tokio::test(start_paused = true)]
async fn p17_a_dependent_waits_for_a_try_that_somebody_else_began() {
    let tries = AtomicUsize::new(0);
    let b = Plugin::new("b").yields(move || {
        let first = tries.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            sleep(Duration::from_millis(10)).await;
            if first { Err(refused()) } else { Ok(()) }
        }
    });
    let runs = b.runs();
    let manager =
        manager([Plugin::new("a").requires("b").after("c"), b, Plugin::new("c").takes(20)]);
    let (all, again) = tokio::join!(manager.load_all(), async {
        sleep(Duration::from_millis(15)).await;
        manager.load("b").await
    });
    assert!(again.is_ok());
    assert_eq!(all.loaded().len(), 3, "{all}");
    assert_eq!(runs.loads(), 2);
}

#[tokio::test(start_paused = true)]
async fn p28_status_is_answered_while_every_phase_hangs() {
    let hang = || pending::<Result<bool, BoxError>>();
    let manager = manager([
        Plugin::new("ask").should_load(hang),
        Plugin::new("done"),
        Plugin::new("load").hangs(),
        Plugin::new("next").requires("load"),
    ]);
    let all = manager.clone();
    let loading = spawn(async move { all.load_all().await });
    idle().await;
    let begun = Instant::now();
    let states = ["ask", "done", "load", "next"].map(|name| state(&manager, name));
    assert_eq!(states, ["initialized", "loaded", "loading", "resolved"]);
    assert_eq!(manager.names().unwrap().len(), 4);
    assert_eq!(manager.specs().unwrap().len(), 4);
    assert!(manager.contains("load").unwrap());
    assert!(manager.get("load").is_none() && manager.get("done").is_some());
    assert_eq!(manager.loaded().len(), 1);
    assert!(manager.load("done").await.is_ok(), "what is loaded is there at once");
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert!(!loading.is_finished());
}

#[tokio::test(start_paused = true)]
async fn p16_a_load_may_load_others() {
    let slot = Arc::new(OnceLock::<PluginManager<dyn Script>>::new());
    let own = Arc::clone(&slot);
    let a = Plugin::new("a").yields(move || {
        let manager = own.get().unwrap().clone();
        async move {
            manager.load("b").await?;
            Ok(manager.load("c").await.is_err())
        }
    });
    let manager = manager([a, Plugin::new("b").takes(5), Plugin::new("c").fails()]);
    slot.set(manager.clone()).unwrap();
    assert_eq!(manager.load_all().await.loaded().len(), 2);
    let loaded = manager.get("a").unwrap();
    assert_eq!(loaded.output().downcast_ref::<bool>(), Some(&true));
}

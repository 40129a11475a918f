//! Loading one plugin: its states, its one attempt, and what comes after a failure.

use std::error::Error as _;
use std::fmt;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use plux::{BoxError, Disabled, FailureCause, LoadError, Phase, PluginManager, PluginState};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use crate::scripted::{Plugin, Script, failure, idle, manager, spawn, state};

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
    let base = [Plugin::new("fails").fails(), Plugin::new("off").disabled()];
    let mid = [Plugin::new("b").requires("fails"), Plugin::new("d").requires("off")];
    let top = [Plugin::new("a").requires("b"), Plugin::new("c").requires("d")];
    let manager = manager(base.into_iter().chain(mid).chain(top));
    for (name, on, why) in [("a", "b", "no luck"), ("c", "d", "answered false")] {
        let error = manager.load(name).await.unwrap_err();
        let LoadError::Skipped { id, because, .. } = &error else { panic!("{error}") };
        assert_eq!((id.name.as_str(), because.name.as_str()), (name, on));
        assert_eq!(state(&manager, name), format!("skipped because of scripted:{on}"));
        // The reason at the end of the way is told with it.
        assert!(error.to_string().ends_with(why), "{error}");
        assert!(error.source().is_some());
    }
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
    assert_eq!(first.phase, Phase::Init);
    // The error itself is found on the way from what the caller gets, and what it came from after it.
    let error = LoadError::Failed(Arc::clone(&first));
    let mut way = std::iter::successors(error.source(), |&error| error.source());
    assert!(way.any(|error| error.is::<Refused>()));
    assert!(way.next().is_some_and(|source| source.is::<std::num::ParseIntError>()));
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

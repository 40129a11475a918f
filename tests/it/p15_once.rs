//! One attempt, however many ask: all get its outcome.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plux::{LoadError, PluginManager};
use tokio::task::{JoinSet, yield_now};
use tokio::time::{sleep, timeout};

use crate::scripted::{PATIENCE, Plugin, Script, failure, finder, manager, spawn};

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

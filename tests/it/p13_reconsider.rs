//! Asking a disabled plugin again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use plux::{Disabled, LoadError, Phase, PluginManager, PluginState};
use tokio::sync::Semaphore;

use crate::scripted::{Heard, Plugin, Script, failure, finder, idle, manager, spawn, state};

/// A plugin that wants to be loaded once `on` is set.
fn switched(on: &Arc<AtomicBool>) -> Plugin {
    let on = Arc::clone(on);
    Plugin::new("a").should_load(move || {
        let on = on.load(Ordering::SeqCst);
        async move { Ok(on) }
    })
}

#[tokio::test(start_paused = true)]
async fn p13_a_disabled_plugin_is_asked_again_when_it_is_reconsidered() {
    let on = Arc::new(AtomicBool::new(false));
    let a = switched(&on);
    let runs = a.runs();
    let heard = Heard::default();
    let manager = PluginManager::<dyn Script>::builder(())
        .finder(finder([a, Plugin::new("b").requires("a")]))
        .listener(heard.clone())
        .build();
    assert_eq!(manager.load_all().await.disabled().len(), 1);
    on.store(true, Ordering::SeqCst);
    assert!(matches!(manager.load("a").await, Err(LoadError::Disabled { .. })));
    assert_eq!(runs.all(), [1, 1, 0]);

    assert!(manager.reconsider("a").await.unwrap());
    assert!(matches!(manager.state("a"), Some(PluginState::Resolved)));
    assert_eq!(runs.all(), [1, 1, 0], "reconsidering runs nothing");
    // It is one thing to ask for once.
    assert!(!manager.reconsider("a").await.unwrap());
    assert!(manager.load_all().await.is_ok());
    // What was made of it was kept.
    assert_eq!(runs.all(), [1, 2, 1]);
    assert_eq!((state(&manager, "a"), state(&manager, "b")), ("loaded".into(), "loaded".into()));
    idle().await;
    let facts =
        ["resolved scripted-tests", "initialized", "disabled: its should_load answered false"];
    assert_eq!(heard.of("a")[..3], facts);
    assert_eq!(heard.of("a")[3..], ["resolved scripted-tests", "load started", "loaded"]);
}

#[tokio::test(start_paused = true)]
async fn p13_who_is_still_disabled_after_it_was_reconsidered_stays_so_with_the_new_reason() {
    let tries = AtomicUsize::new(0);
    let a = Plugin::new("a").yields(move || {
        let count = tries.fetch_add(1, Ordering::SeqCst) + 1;
        async move { Err::<(), _>(Disabled::because(format!("no key, {count}")).into()) }
    });
    let runs = a.runs();
    let manager = manager([a]);
    for count in 1..4 {
        for _ in 0..2 {
            let error = manager.load("a").await.err().unwrap();
            let LoadError::Disabled { reason, .. } = error else { panic!("{error}") };
            assert_eq!(*reason, *format!("no key, {count}"));
        }
        assert!(manager.reconsider("a").await.unwrap());
    }
    assert_eq!(runs.all(), [1, 3, 3]);
}

#[tokio::test(start_paused = true)]
async fn p13_what_is_not_disabled_is_left_as_it_is_by_reconsidering() {
    let fails = Plugin::new("fails").fails();
    let runs = fails.runs();
    let manager = manager([Plugin::new("plain"), fails, Plugin::new("new")]);
    manager.load("plain").await.unwrap();
    let before = failure(manager.load("fails").await.err().unwrap());
    for name in ["plain", "fails", "new"] {
        assert!(!manager.reconsider(name).await.unwrap(), "{name}");
    }
    assert_eq!(state(&manager, "plain"), "loaded");
    assert_eq!(state(&manager, "new"), "resolved");
    let Some(PluginState::Failed(after)) = manager.state("fails") else { panic!("not failed") };
    assert!(Arc::ptr_eq(&before, &after) && after.phase == Phase::Load);
    assert_eq!(runs.all(), [1, 1, 1]);
    let error = manager.reconsider("plane").await.unwrap_err();
    assert!(matches!(&error, LoadError::Unknown { near, .. } if near.0 == ["plain"]), "{error}");
}

#[tokio::test(start_paused = true)]
async fn p13_reconsidering_waits_for_the_attempt_under_way_and_counts_after_it() {
    let go = Arc::new(Semaphore::new(0));
    let asked = Arc::clone(&go);
    let a = Plugin::new("a").should_load(move || {
        let go = Arc::clone(&asked);
        async move {
            go.acquire().await?.forget();
            Ok(false)
        }
    });
    let runs = a.runs();
    let manager = manager([a]);
    let other = manager.clone();
    let load = spawn(async move { other.load("a").await.is_err() });
    idle().await;
    let mut again = Box::pin(manager.reconsider("a"));
    assert!(futures::poll!(&mut again).is_pending());
    go.add_permits(1);
    assert!(again.await.unwrap());
    assert!(load.await.unwrap());
    go.add_permits(1);
    assert!(matches!(manager.load("a").await, Err(LoadError::Disabled { .. })));
    assert_eq!(runs.all(), [1, 2, 0]);
}

#[tokio::test(start_paused = true)]
async fn p13_p15_a_call_that_had_begun_asks_again_what_was_reconsidered_meanwhile() {
    let on = Arc::new(AtomicBool::new(false));
    let a = switched(&on).after("z");
    let runs = a.runs();
    let manager = manager([a, Plugin::new("z").takes(10)]);
    let mut all = Box::pin(manager.load_all());
    assert!(futures::poll!(&mut all).is_pending());
    // It began later, does not wait for z, and ends while the other still does.
    assert!(matches!(manager.load("a").await, Err(LoadError::Disabled { .. })));
    on.store(true, Ordering::SeqCst);
    assert!(manager.reconsider("a").await.unwrap());
    let report = all.await;
    assert_eq!(report.loaded().len(), 2, "{report}");
    assert_eq!(runs.all(), [1, 2, 1]);
}

//! Loads that ask for loads while few may load at once, and while others try again.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use plux::{BoxError, Disabled, FailureCause, LoadError, PluginManager};
use tokio::time::{sleep, timeout};

use crate::asking::{Manager, Slot, beside, one_at_once, tried_again, with};
use crate::scripted::{Heard, PATIENCE, Plugin, failure, finder, manager, spawn, state};

#[tokio::test(start_paused = true)]
async fn p13_p29_a_load_that_reconsiders_its_own_plugin_is_an_error() {
    let slot = Slot::default();
    let manager = manager([with("a", &slot, |manager, _| async move {
        manager.reconsider("a").await?;
        Ok(())
    })]);
    slot.set(&manager);
    let error = timeout(PATIENCE, manager.load("a")).await.expect("it hangs").unwrap_err();
    let failed = failure(error);
    let FailureCause::Error(cause) = &failed.cause else { panic!("{failed:?}") };
    assert!(matches!(cause.downcast_ref(), Some(LoadError::WaitsForItself { .. })), "{cause}");
}

#[tokio::test(start_paused = true)]
async fn p23_p29_who_waits_for_a_place_keeps_nobody_from_the_plugin() {
    let slot = Slot::default();
    let (gate, r, z) = tried_again(&slot);
    let p = with("p", &slot, |manager, _| async move {
        let _ = manager.load("x").await;
        Ok(())
    });
    let manager = one_at_once([r, Plugin::new("x").requires("r"), z, p]);
    slot.set(&manager);
    let x = beside(&manager, "x");
    sleep(Duration::from_millis(1)).await;
    let z = beside(&manager, "z");
    sleep(Duration::from_millis(20)).await;
    // Now p has the only place and asks for x, which waits for r, and after that for a place.
    let p = beside(&manager, "p");
    sleep(Duration::from_millis(1)).await;
    gate.add_permits(10);
    assert!(timeout(PATIENCE, p).await.expect("p hangs").unwrap());
    assert!(!timeout(PATIENCE, x).await.expect("x hangs").unwrap());
    assert!(z.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn p23_all_that_a_load_asks_for_goes_in_its_place_also_of_another_manager() {
    let others: Vec<_> = (0..20).map(|at| Plugin::new(&format!("p{at:02}")).takes(10)).collect();
    let inner = one_at_once(others);
    let slot = Slot::default();
    let manager = one_at_once([with("a", &slot, move |_, _| {
        let inner = inner.clone();
        async move {
            let began = tokio::time::Instant::now();
            assert!(inner.load_all().await.is_ok());
            assert!(began.elapsed() < Duration::from_millis(15), "one after another");
            Ok(())
        }
    })]);
    slot.set(&manager);
    assert!(timeout(PATIENCE, manager.load("a")).await.expect("it hangs").is_ok());
}

#[tokio::test(start_paused = true)]
async fn p29_what_failed_for_a_call_and_is_tried_again_elsewhere_closes_no_way() {
    // p waits for x; x wanted w, which has failed. Tried again, w may wait for p.
    let slot = Slot::default();
    let w = with("w", &slot, |manager, calls| async move {
        if calls == 0 {
            return Err("the first time".into());
        }
        manager.load("p").await?;
        Ok(())
    });
    let p = with("p", &slot, |manager, _| async move {
        manager.load("x").await?;
        Ok(())
    });
    let manager = manager([w, Plugin::new("x").wants("w").takes(50), p]);
    slot.set(&manager);
    let first = beside(&manager, "p");
    sleep(Duration::from_millis(5)).await;
    let again = timeout(PATIENCE, manager.load("w")).await.expect("it hangs");
    assert!(again.is_ok(), "{again:?}");
    assert!(first.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn p29_the_end_of_one_wait_does_not_forget_the_other() {
    let slot = Slot::default();
    let a = with("a", &slot, |manager, _| async move {
        let (b, c) = tokio::join!(manager.load("b"), manager.load("c"));
        assert!(b.is_ok() && c.is_err());
        Ok(())
    });
    // When it asks for a, the wait of a for b is over, and that for c is not.
    let c = with("c", &slot, |manager, _| async move {
        sleep(Duration::from_millis(20)).await;
        manager.load("a").await?;
        Ok(())
    });
    let manager = manager([a, Plugin::new("b").takes(5), c]);
    slot.set(&manager);
    assert!(timeout(PATIENCE, manager.load("a")).await.expect("it hangs").is_ok());
}

/// A number that looks like any.
fn roll(seed: &AtomicUsize) -> usize {
    let at = seed.fetch_add(0x9E37_79B9, Ordering::Relaxed);
    (at ^ (at >> 7)).wrapping_mul(0x85EB_CA6B) >> 16
}

/// What a load does in the end.
fn ending(roll: usize) -> Result<(), BoxError> {
    match roll % 9 {
        0..=2 => Err("no".into()),
        3 => Err(Disabled::because("not now").into()),
        4 => std::panic::resume_unwind(Box::new("a panic")),
        _ => Ok(()),
    }
}

/// Plugins of which each requires or wants some before it, and whose loads ask for others.
fn asking(slot: &Slot, seed: &Arc<AtomicUsize>) -> Vec<Plugin> {
    let plugin = |at: usize| {
        let rolls = Arc::clone(seed);
        let mut plugin = with(&format!("p{at}"), slot, move |manager, _| {
            let roll = roll(&rolls);
            async move {
                for _ in 0..roll % 3 {
                    tokio::task::yield_now().await;
                }
                let name = format!("p{}", (roll >> 5) % 6);
                match (roll >> 9) % 6 {
                    0 => drop(futures::poll!(Box::pin(manager.load(&name)))),
                    1 | 2 => drop(manager.load(&name).await),
                    _ => {}
                }
                ending(roll >> 3)
            }
        });
        if at > 0 {
            plugin = plugin.requires(&format!("p{}", roll(seed) % at));
        }
        if at > 1 {
            plugin = plugin.wants(&format!("p{}", roll(seed) % at));
        }
        plugin
    };
    // Always tried again by a load of all: its last failure is the last thing that is heard.
    let last = with("last", slot, |_, calls| async move { Err(format!("try {calls}").into()) });
    (0..6).map(plugin).chain([last]).collect()
}

/// How far an attempt has come: what may be heard next depends on that.
#[derive(PartialEq)]
enum Far {
    No,
    Resolved,
    Initialized,
    Started,
    Loaded,
}

/// Attempt by attempt: no event may be heard before the end of the attempt before it.
#[track_caller]
fn one_after_another(events: &[String]) {
    let mut far = Far::No;
    for event in events {
        let first = event.split([':', ' ']).next().unwrap_or_default();
        far = match (far, first, event.as_str()) {
            (Far::No, "resolved", _) => Far::Resolved,
            (Far::No, "skipped", _) => Far::No,
            (Far::Resolved, "initialized", _) => Far::Initialized,
            (Far::Resolved | Far::Initialized, _, "load started") => Far::Started,
            (Far::Started, "loaded", _) => Far::Loaded,
            (Far::Started, "failed" | "disabled", _) => Far::No,
            _ => panic!("{event} in {events:#?}"),
        }
    }
}

/// Calls of one task, some of which are given up.
async fn calls(manager: Manager, seed: Arc<AtomicUsize>) {
    for _ in 0..4 {
        let roll = roll(&seed);
        let name = format!("p{}", roll % 6);
        match (roll >> 4) % 8 {
            0 | 1 => drop(manager.load_all().await),
            2 => drop(manager.try_load_all().await),
            3 => drop(manager.reconsider(&name).await),
            4 => drop(futures::poll!(Box::pin(manager.load(&name)))),
            _ => drop(manager.load(&name).await),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p13_p15_p16_p23_p26_p29_random_calls_on_many_threads_all_end() {
    let seed = Arc::new(AtomicUsize::new(7));
    for round in 0..120 {
        let (slot, heard) = (Slot::default(), Heard::default());
        let mut builder = PluginManager::builder(()).finder(finder(asking(&slot, &seed)));
        builder = builder.listener(heard.clone());
        let limit = NonZeroUsize::new(round % 3);
        if let Some(limit) = limit {
            builder = builder.max_concurrent(limit);
        }
        let manager = builder.build();
        slot.set(&manager);
        let tasks: Vec<_> =
            (0..8).map(|_| spawn(calls(manager.clone(), Arc::clone(&seed)))).collect();
        for task in tasks {
            if timeout(PATIENCE, task).await.is_err() {
                let stand = |at| state(&manager, &format!("p{at}"));
                let stand: Vec<_> = (0..6).map(stand).collect();
                panic!("round {round}, limit {limit:?}: {stand:?}");
            }
        }
        let last = failure(manager.load("last").await.unwrap_err()).cause.to_string();
        while !heard.of("last").iter().any(|event| event.ends_with(&last)) {
            tokio::task::yield_now().await;
        }
        for at in 0..6 {
            one_after_another(&heard.of(&format!("p{at}")));
        }
    }
}

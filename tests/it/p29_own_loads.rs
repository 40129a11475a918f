//! Loads that ask for loads: what would wait for itself is an error that spells the way.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use plux::{FailureCause, LoadError, LoadReport, PluginManager};
use tokio::time::{sleep, timeout};

use crate::asking::{Manager, Slot, with};
use crate::scripted::{PATIENCE, Plugin, Script, failure, finder, manager, spawn};

/// A plugin whose load asks for another.
fn asks(name: &str, slot: &Slot, other: &'static str) -> Plugin {
    with(name, slot, move |manager, _| async move {
        manager.load(other).await?;
        Ok(())
    })
}

/// The way in the error that a load has failed with: the innermost one.
#[track_caller]
fn way(error: LoadError) -> Vec<String> {
    let text = error.to_string();
    let mut error = error;
    let path = loop {
        let failed = match error {
            LoadError::WaitsForItself { path } => break path,
            error => failure(error),
        };
        let FailureCause::Error(cause) = &failed.cause else { panic!("{text}") };
        error = cause.downcast_ref::<LoadError>().expect("an error of another load").clone();
    };
    for (id, origin) in &path {
        let place = format!("{id} ({}:{})", origin.file, origin.line);
        assert!(text.contains(&place), "{place} is not in {text}");
    }
    path.iter().map(|(id, _)| id.to_string()).collect()
}

async fn load(manager: &Manager, name: &str) -> Result<(), LoadError> {
    timeout(PATIENCE, manager.load(name)).await.expect("it hangs").map(drop)
}

async fn load_all(manager: &Manager) -> LoadReport<dyn Script> {
    timeout(PATIENCE, manager.load_all()).await.expect("it hangs")
}

#[tokio::test(start_paused = true)]
async fn p29_a_load_that_asks_for_itself_is_an_error() {
    let slot = Slot::default();
    let manager = manager([asks("a", &slot, "a"), Plugin::new("b")]);
    slot.set(&manager);
    let error = load(&manager, "a").await.unwrap_err();
    assert_eq!(way(error), ["scripted:a"]);
    assert!(load(&manager, "b").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn p29_a_way_through_others_is_spelled() {
    let slot = Slot::default();
    let plugins = [asks("a", &slot, "b"), asks("b", &slot, "c"), asks("c", &slot, "a")];
    let manager = manager(plugins);
    slot.set(&manager);
    let error = load(&manager, "a").await.unwrap_err();
    assert_eq!(way(error), ["scripted:c", "scripted:a", "scripted:b"]);
}

#[tokio::test(start_paused = true)]
async fn p29_a_way_over_a_requirement_names_who_was_asked_for() {
    let slot = Slot::default();
    let manager = manager([
        asks("a", &slot, "c"),
        Plugin::new("b").requires("a"),
        Plugin::new("c").requires("b"),
    ]);
    slot.set(&manager);
    let error = load(&manager, "a").await.unwrap_err();
    assert_eq!(way(error), ["scripted:a", "scripted:c"]);
}

#[tokio::test(start_paused = true)]
async fn p29_loads_that_began_apart_and_then_ask_for_each_other_do_not_hang() {
    let slot = Slot::default();
    let late = |name: &str, other: &'static str| {
        with(name, &slot, move |manager, _| async move {
            sleep(Duration::from_millis(5)).await;
            manager.load(other).await?;
            Ok(())
        })
    };
    let manager = manager([late("a", "b"), late("b", "a"), Plugin::new("z")]);
    slot.set(&manager);
    let report = load_all(&manager).await;
    // The one that asked last was refused, and the other then failed with it.
    assert_eq!(report.failed().len(), 2, "{report}");
    for (_, error) in report.failed() {
        assert_eq!(way(error.clone()).len(), 2);
    }
    assert!(manager.get("z").is_some());
}

#[tokio::test(start_paused = true)]
async fn p29_who_catches_the_error_goes_on() {
    let slot = Slot::default();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let b = with("b", &slot, move |manager, _| {
        let kept = Arc::clone(&kept);
        async move {
            let error = manager.load("a").await.err().unwrap();
            assert!(matches!(&error, LoadError::WaitsForItself { .. }), "{error}");
            kept.lock().push(way(error));
            Ok(())
        }
    });
    let manager = manager([asks("a", &slot, "b"), b]);
    slot.set(&manager);
    load(&manager, "a").await.unwrap();
    assert_eq!(*seen.lock(), [["scripted:b", "scripted:a"]]);
    assert!(load_all(&manager).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn p29_a_way_through_two_managers_is_found() {
    let (one, two) = (Slot::default(), Slot::default());
    let first = manager([asks("a", &two, "b")]);
    let second = manager([asks("b", &one, "a")]);
    one.set(&first);
    two.set(&second);
    let error = load(&first, "a").await.unwrap_err();
    assert_eq!(way(error), ["scripted:b", "scripted:a"]);
}

#[tokio::test(start_paused = true)]
async fn p29_all_of_the_own_manager_is_refused_and_nothing_of_it_begins() {
    let slot = Slot::default();
    let other = Plugin::new("b");
    let runs = other.runs();
    let all = with("a", &slot, |manager, _| async move {
        let report = manager.load_all().await;
        let [(id, error)] = report.failed() else { panic!("{report}") };
        assert_eq!((id.to_string().as_str(), way(error.clone()).len()), ("scripted:a", 1));
        assert_eq!(way(manager.try_load_all().await.err().unwrap()), ["scripted:a"]);
        Ok(())
    });
    let manager = manager([all, other]);
    slot.set(&manager);
    load(&manager, "a").await.unwrap();
    assert_eq!(runs.all(), [0; 3]);
}

#[tokio::test(start_paused = true)]
async fn p29_all_of_another_manager_may_be_asked_for() {
    let slot = Slot::default();
    let other = manager([Plugin::new("b").takes(5), Plugin::new("c")]);
    slot.set(&other);
    let all = with("a", &slot, |manager, _| async move {
        assert!(manager.load_all().await.is_ok());
        Ok(())
    });
    assert!(load(&manager([all]), "a").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn p29_a_should_load_that_asks_for_its_own_plugin_is_an_error_too() {
    let slot = Slot::default();
    let own = slot.clone();
    let a = Plugin::new("a").should_load(move || {
        let manager = own.get();
        async move { Ok(manager.load("a").await.is_ok()) }
    });
    let manager = manager([a]);
    slot.set(&manager);
    let error = load(&manager, "a").await.unwrap_err();
    assert!(matches!(error, LoadError::Disabled { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn p29_what_is_loaded_or_disabled_is_had_without_waiting() {
    let slot = Slot::default();
    let manager = manager([
        asks("a", &slot, "b"),
        Plugin::new("b"),
        with("c", &slot, |manager, _| async move {
            manager.load("a").await?;
            assert!(manager.load("d").await.is_err());
            Ok(())
        }),
        Plugin::new("d").disabled(),
    ]);
    slot.set(&manager);
    for name in ["b", "a", "c"] {
        load(&manager, name).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn p29_an_end_of_a_wait_is_the_end_of_what_it_forbids() {
    let slot = Slot::default();
    let gives_up = with("a", &slot, |manager, _| async move {
        // Nobody waits any more when this is over.
        let _ = timeout(Duration::from_millis(5), manager.load("b")).await;
        sleep(Duration::from_millis(20)).await;
        Ok(())
    });
    let b = with("b", &slot, |manager, _| async move {
        sleep(Duration::from_millis(10)).await;
        manager.load("a").await?;
        Ok(())
    });
    let manager = manager([gives_up, b]);
    slot.set(&manager);
    assert!(load_all(&manager).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn p29_what_asks_from_a_task_of_its_own_ends_by_the_time_limit() {
    let slot = Slot::default();
    let a = with("a", &slot, |manager, _| async move {
        spawn(async move { manager.load("a").await.map(drop) }).await??;
        Ok(())
    });
    let manager: Manager =
        PluginManager::builder(()).finder(finder([a])).load_timeout(Duration::from_secs(1)).build();
    slot.set(&manager);
    let failed = failure(load(&manager, "a").await.unwrap_err());
    assert!(failed.to_string().contains("longer than 1s"), "{failed}");
}

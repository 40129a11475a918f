//! The end of a manager's work, asked for.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt;
use plux::{FailureCause, LoadError, Phase, PluginManager};
use tokio::time::timeout;

use crate::scripted::{
    Heard, PATIENCE, Plugin, Script, failure, finder, idle, manager, spawn, state,
};

/// The phase in which a load was cut short.
#[track_caller]
fn aborted(error: LoadError) -> Phase {
    let failure = failure(error);
    assert!(matches!(failure.cause, FailureCause::Aborted), "{failure}");
    failure.phase
}

#[tokio::test(start_paused = true)]
async fn p16_a_manager_that_is_closed_ends_its_loads_and_refuses_what_comes_after() {
    let other = Plugin::new("other");
    let runs = other.runs();
    let plugins = [Plugin::new("hung").hangs(), Plugin::new("loaded"), other];
    let manager = manager(plugins);
    manager.load("loaded").await.unwrap();
    let caller = manager.clone();
    let call = spawn(async move { caller.load("hung").await.map(drop) });
    idle().await;
    manager.close().await;
    assert_eq!(aborted(call.await.unwrap().unwrap_err()), Phase::Load);

    assert_eq!(aborted(manager.load("other").await.unwrap_err()), Phase::Resolve);
    assert_eq!(aborted(manager.try_load_all().await.unwrap_err()), Phase::Resolve);
    let report = manager.load_all().await;
    assert_eq!((report.loaded().len(), report.failed().len()), (1, 2), "{report}");
    assert_eq!(runs.all(), [0; 3]);
    // What is there is still to be had.
    assert!(manager.load("loaded").await.is_ok());
    assert_eq!(manager.names().unwrap().len(), 3);
    assert_eq!(state(&manager, "loaded"), "loaded");
    assert!(!manager.reconsider("other").await.unwrap());
    manager.close().await;
}

#[test]
fn p16_p26_who_has_closed_a_manager_has_had_everything_heard() {
    // It looks after each task whether it has come to its end.
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.event_interval(1).enable_time().start_paused(true).build().unwrap();
    let heard = Heard::default();
    let plugins = [Plugin::new("hung").hangs(), Plugin::new("fails").fails()];
    let manager = PluginManager::<dyn Script>::builder(())
        .finder(finder(plugins))
        .listener(heard.clone())
        .build();
    runtime.block_on(async {
        assert!(timeout(Duration::from_millis(1), manager.load_all()).await.is_err());
        manager.close().await;
        let end = |name| heard.of(name).pop().unwrap();
        assert!(end("hung").contains("its manager was closed"), "{}", end("hung"));
        assert_eq!(end("fails"), "failed in load: no luck");
        // Also of what is refused.
        assert!(manager.load("fails").await.is_err());
        manager.close().await;
        assert!(end("fails").contains("its manager was closed"), "{}", end("fails"));
    });
}

#[tokio::test(start_paused = true)]
async fn p16_a_close_that_is_given_up_has_closed() {
    let manager = manager([Plugin::new("hung").hangs(), Plugin::new("other")]);
    assert!(timeout(Duration::ZERO, manager.load("hung")).await.is_err());
    assert!(manager.close().now_or_never().is_none(), "the load has not ended yet");
    assert_eq!(aborted(manager.load("other").await.unwrap_err()), Phase::Resolve);
    idle().await;
    assert!(state(&manager, "hung").contains("its manager was closed"));
}

#[tokio::test(start_paused = true)]
async fn p16_a_load_that_closes_its_own_manager_is_ended_by_that() {
    let own = Arc::new(OnceLock::<PluginManager<dyn Script>>::new());
    let closes = Arc::clone(&own);
    let manager = manager([Plugin::new("a").yields(move || {
        let manager = closes.get().unwrap().clone();
        async move {
            manager.close().await;
            Ok(())
        }
    })]);
    own.set(manager.clone()).unwrap();
    let ended = timeout(PATIENCE, manager.load("a")).await.unwrap().unwrap_err();
    assert_eq!(aborted(ended), Phase::Load);
    timeout(PATIENCE, manager.close()).await.unwrap();
}

#[test]
fn p16_a_manager_that_does_nothing_is_closed_at_once_also_outside_a_runtime() {
    let builder = PluginManager::<dyn Script>::builder(()).finder(finder([Plugin::new("a")]));
    let manager = builder.listener(Heard::default()).build();
    assert!(manager.close().now_or_never().is_some());
    assert!(manager.close().now_or_never().is_some());
}

//! Services are removed from a supervisor that runs: what is over and nobody depends on.

use std::time::Duration;

use futures::FutureExt;
use plux::{AddError, GracePeriod, HandleError, RemoveError, RestartError, StartError, StopError};
use tokio::time::timeout;

use crate::kit::{Do, Kit, OnStop, Probe, Published, SECOND, at_most, order, settle, spawn};

#[tokio::test(start_paused = true)]
async fn a02_what_is_not_there_is_not_removed() {
    let kit = Kit::new([&Probe::new("store")]);
    let error = kit.supervisor.remove("storey").await.unwrap_err();
    assert!(error.to_string().contains("did you mean `store`"), "{error}");
    assert!(matches!(error, RemoveError::Unknown { .. }));
}

#[tokio::test(start_paused = true)]
async fn a02_what_starts_runs_or_stops_is_not_removed() {
    let a = Probe::new("a").begin([Do::Take(SECOND), Do::Ready]).on_stop(OnStop::Take(SECOND));
    let kit = Kit::new([&a]);
    let refused = async || {
        let error = kit.supervisor.remove("a").await.unwrap_err();
        assert!(matches!(error, RemoveError::Live { .. }), "{error}");
        assert!(error.to_string().contains("stop it, then remove it"), "{error}");
    };
    let start = kit.starting("a").await;
    refused().await;
    start.await.unwrap().unwrap();
    refused().await;
    let stop = kit.stopping("a").await;
    refused().await;
    stop.await.unwrap().unwrap();
    kit.supervisor.remove("a").await.unwrap();
    assert!(kit.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a02_what_waits_for_another_attempt_is_not_removed() {
    let base = Probe::new("base").begin([Do::Take(SECOND), Do::Ready]);
    let (a, top) = (Probe::new("a"), Probe::new("top").requires("base"));
    let kit = Kit::with([&a, &base, &top], at_most(3));
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::Fail("no")).await;
    assert_eq!(kit.raw_state("a").word(), "backoff");
    let error = kit.supervisor.remove("a").await.unwrap_err();
    assert!(matches!(error, RemoveError::Waiting { .. }), "{error}");
    let start = kit.starting("top").await;
    assert_eq!(kit.state("top"), "waiting");
    assert!(matches!(kit.supervisor.remove("top").await, Err(RemoveError::Waiting { .. })));
    start.await.unwrap().unwrap();
    kit.supervisor.stop("a").await.unwrap();
    kit.supervisor.remove("a").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a02_what_another_depends_on_is_not_removed_and_the_error_says_who() {
    for top in [
        Probe::new("top").requires("base"),
        Probe::new("top").wants("base"),
        Probe::new("top").after("base"),
    ] {
        let kit = Kit::new([&Probe::new("base"), &top]);
        let error = kit.supervisor.remove("base").await.unwrap_err();
        assert!(error.to_string().contains("`top`"), "{error}");
        assert!(matches!(error, RemoveError::Needed { by, .. } if by == "top"));
        kit.supervisor.remove("top").await.unwrap();
        kit.supervisor.remove("base").await.unwrap();
        assert!(kit.names().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a02_what_depends_on_itself_can_be_removed() {
    let kit = Kit::new([&Probe::new("odd").requires("odd")]);
    kit.supervisor.remove("odd").await.unwrap();
    assert!(kit.names().is_empty());
}

/// Lets the thread go when the test is over, whichever way.
struct Unblock<'a>(&'a Probe);

impl Drop for Unblock<'_> {
    fn drop(&mut self) {
        self.0.unblock();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_what_leaked_is_not_removed_until_it_has_ended() {
    let grace = GracePeriod::Bounded(Duration::from_millis(10));
    let stuck = Probe::new("stuck").on_stop(OnStop::Block).grace_period(grace);
    let unblock = Unblock(&stuck);
    let kit = Kit::with([&stuck], |builder| builder.join_timeout(Duration::from_millis(30)));
    kit.supervisor.start("stuck").await.unwrap();
    assert!(matches!(kit.supervisor.stop("stuck").await, Err(StopError::Leaked { .. })));
    let error = kit.supervisor.remove("stuck").await.unwrap_err();
    assert!(matches!(error, RemoveError::Leaked { .. }), "{error}");
    drop(unblock);
    let removed = async {
        while let Err(error) = kit.supervisor.remove("stuck").await {
            assert!(matches!(error, RemoveError::Leaked { .. }), "{error}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(10 * SECOND, removed).await.expect("it has ended");
    assert!(kit.names().is_empty());
    assert!(kit.supervisor.shutdown().await.unwrap().is_clean());
}

#[tokio::test(start_paused = true)]
async fn a02_a_removal_during_and_after_the_shutdown_is_refused() {
    let kit = Kit::new([&Probe::new("a"), &Probe::new("slow").on_stop(OnStop::Take(SECOND))]);
    kit.supervisor.start("slow").await.unwrap();
    kit.supervisor.request_shutdown();
    settle().await;
    assert!(matches!(kit.supervisor.remove("a").await, Err(RemoveError::Shutdown { .. })));
    kit.supervisor.shutdown().await.unwrap();
    assert!(matches!(kit.supervisor.remove("a").await, Err(RemoveError::Shutdown { .. })));
    assert_eq!(kit.names(), ["a", "slow"]);
}

#[tokio::test(start_paused = true)]
async fn a02_of_two_removals_at_once_one_removes() {
    let kit = Kit::new([&Probe::new("a")]);
    let remove = || {
        let supervisor = kit.supervisor.clone();
        spawn(async move { supervisor.remove("a").await })
    };
    let (one, other) = (remove(), remove());
    let answers = [one.await.unwrap(), other.await.unwrap()];
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let unknown =
        |answer: &Result<(), RemoveError>| matches!(answer, Err(RemoveError::Unknown { .. }));
    assert_eq!(answers.iter().filter(|answer| unknown(answer)).count(), 1);
    settle().await;
    assert_eq!(kit.events.facts("a"), ["removed"]);
}

#[tokio::test(start_paused = true)]
async fn a02_a_removal_goes_on_when_its_future_is_dropped() {
    let kit = Kit::new([&Probe::new("a")]);
    assert!(kit.supervisor.remove("a").now_or_never().is_none());
    settle().await;
    assert!(kit.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a02_what_is_removed_is_unknown_to_every_call() {
    let kit = Kit::new([&Probe::new("a")]);
    let supervisor = &kit.supervisor;
    supervisor.start("a").await.unwrap();
    supervisor.stop("a").await.unwrap();
    supervisor.remove("a").await.unwrap();
    assert!(matches!(supervisor.start("a").await, Err(StartError::Unknown { .. })));
    assert!(matches!(supervisor.stop("a").await, Err(StopError::Unknown { .. })));
    assert!(matches!(supervisor.wait("a").await, Err(StopError::Unknown { .. })));
    assert!(matches!(supervisor.plan_stop("a"), Err(StopError::Unknown { .. })));
    assert!(matches!(supervisor.plan_start("a"), Err(StartError::Unknown { .. })));
    assert!(matches!(supervisor.handle::<Published>("a"), Err(HandleError::Unknown { .. })));
    assert!(supervisor.restart("a").await.is_err());
    assert!(supervisor.status("a").is_none() && supervisor.list().is_empty());
    assert!(supervisor.start_all().await.rows.is_empty());
    assert!(supervisor.shutdown().await.unwrap().rows().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a02_calls_that_were_under_way_are_answered_that_it_is_gone() {
    let (kit, b) = (Kit::new([&Probe::new("a")]), Probe::new("b"));
    let supervisor = &kit.supervisor;
    supervisor.wait("a").await.unwrap();
    // All are asked before the first is heard, and another has the place when the later ones are.
    let (removed, added, again, started, restarted, stopped, waited) = tokio::join!(
        supervisor.remove("a"),
        kit.add([&b]),
        supervisor.remove("a"),
        supervisor.start("a"),
        supervisor.restart("a"),
        supervisor.stop("a"),
        supervisor.wait("a"),
    );
    removed.unwrap();
    added.unwrap();
    assert!(matches!(again, Err(RemoveError::Unknown { .. })));
    assert!(matches!(restarted, Err(RestartError::Start(StartError::Unknown { .. }))));
    assert!(matches!(started, Err(StartError::Unknown { .. })));
    assert!(matches!(stopped, Err(StopError::Unknown { .. })));
    assert!(matches!(waited, Err(StopError::Unknown { .. })));
    settle().await;
    assert_eq!(kit.events.facts("b"), ["added"]);
    assert_eq!(kit.names(), ["b"]);
}

#[tokio::test(start_paused = true)]
async fn a02_a_removed_name_can_be_added_again_and_means_another() {
    let kit = Kit::new([&Probe::new("base"), &Probe::new("a").requires("base")]);
    let supervisor = &kit.supervisor;
    supervisor.start("a").await.unwrap();
    supervisor.restart("a").await.unwrap();
    let old = supervisor.handle::<Published>("a").unwrap();
    assert_eq!(old.incarnation(), 2);
    supervisor.stop("a").await.unwrap();
    supervisor.remove("a").await.unwrap();
    settle().await;
    assert_eq!(kit.events.facts("a").last().unwrap(), "removed");
    kit.events.clear();
    // Without the edge of the earlier one.
    kit.add([&Probe::new("a")]).await.unwrap();
    assert_eq!((kit.state("a"), kit.incarnation("a")), ("stopped (never started)".into(), 0));
    supervisor.start("a").await.unwrap();
    assert_eq!(kit.incarnation("a"), 1);
    assert!(matches!(old.get(), Err(HandleError::Ended { .. })));
    assert_eq!(supervisor.handle::<Published>("a").unwrap().get().unwrap().incarnation, 1);
    let stopped = supervisor.stop("base").await.unwrap();
    assert_eq!(stopped.stopped().collect::<Vec<_>>(), ["base"]);
    assert_eq!(kit.state("a"), "running");
    settle().await;
    assert_eq!(kit.events.facts("a"), ["added", "starting", "running"]);
    let again = kit.add([&Probe::new("a")]).await.unwrap_err();
    assert!(matches!(again, AddError::Refused { .. }));
}

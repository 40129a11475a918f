//! A stop that comes while its service is on the way up.

use plux::{StartError, StartOutcome, StopReason};
use tokio::time::Instant;

use crate::kit::{Do, Kit, Load, OnStop, Pending, Probe, SECOND, settle};

/// Asserts that a start was stopped, and by whose stop.
#[track_caller]
fn assert_stopped_by(start: Result<StartOutcome, StartError>, asked: &str, stopped: &str) {
    let error = start.unwrap_err();
    let StartError::Stopped { name, by, origin, reason } = &error else { panic!("{error}") };
    assert_eq!((name.as_str(), by.as_str(), *reason), (asked, stopped, StopReason::Asked));
    assert_eq!(by, origin.file);
}

#[tokio::test(start_paused = true)]
async fn s05_a_start_that_is_stopped_learns_so_after_the_rollback() {
    let a = Probe::new("a").begin([]).on_stop(OnStop::Take(3 * SECOND));
    let kit = Kit::new([&a]);
    let start = kit.starting("a").await;
    let began = Instant::now();
    let stop = kit.stopping("a").await;
    assert!(!start.is_finished() && !stop.is_finished());
    assert_eq!(kit.state("a"), "stopping (asked)");
    assert_stopped_by(start.await.unwrap(), "a", "a");
    assert_eq!((began.elapsed().as_secs(), a.live()), (3, 0));
    assert_eq!(stop.await.unwrap().unwrap().stopped().collect::<Vec<_>>(), ["a"]);
    assert_eq!(kit.state("a"), "stopped (asked)");
    assert_eq!(kit.events.states("a"), ["starting", "stopping (asked)", "stopped (asked)"]);
}

#[tokio::test(start_paused = true)]
async fn s05_the_rollback_of_a_stopped_start_takes_back_what_it_pulled() {
    let base = Probe::new("base").on_stop(OnStop::Take(3 * SECOND));
    let kept = Probe::new("kept");
    let a = Probe::new("a").requires("base").requires("kept").begin([]);
    let kit = Kit::new([&base, &kept, &a]);
    kit.supervisor.start("kept").await.unwrap();
    let start = kit.starting("a").await;
    let stop = kit.stopping("a").await;
    assert_stopped_by(start.await.unwrap(), "a", "a");
    assert_eq!((kit.state("base"), base.live()), ("stopped (unneeded)".into(), 0));
    kit.log.before("a ended", "base stopping unneeded");
    assert_eq!((kit.state("kept"), kit.incarnation("kept")), ("running".into(), 1));
    stop.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn s05_every_caller_of_the_shared_attempt_learns_of_the_stop() {
    let kit = Kit::new([&Probe::new("a").begin([])]);
    let (first, second) = (kit.starting("a").await, kit.starting("a").await);
    kit.supervisor.stop("a").await.unwrap();
    for start in [first, second] {
        assert_stopped_by(start.await.unwrap(), "a", "a");
    }
}

#[tokio::test(start_paused = true)]
async fn s05_a_stop_cancels_every_pending_start_whose_closure_requires_it_and_no_other() {
    let base = Probe::new("base").begin([]);
    let slow = Probe::new("slow").begin([]);
    let probes = [
        &base,
        &slow,
        &Probe::new("b").requires("base"),
        &Probe::new("c").requires("b").requires("slow"),
        &Probe::new("other").requires("slow"),
        &Probe::new("wanting").wants("base"),
    ];
    let kit = Kit::new(probes);
    let mut starts: Vec<Pending<_, _>> = Vec::new();
    for name in ["base", "b", "c", "other", "wanting"] {
        starts.push(kit.starting(name).await);
    }
    kit.supervisor.stop("base").await.unwrap();
    settle().await;
    let mut starts = starts.into_iter();
    for name in ["base", "b", "c"] {
        assert_stopped_by(starts.next().unwrap().await.unwrap(), name, "base");
    }
    let (other, wanting) = (starts.next().unwrap(), starts.next().unwrap());
    assert!(!other.is_finished(), "a start that does not require it was answered");
    assert_eq!(kit.state("slow"), "starting");
    // Who only wants it goes on without.
    assert_eq!(wanting.await.unwrap().unwrap(), StartOutcome::Started);
    slow.order(Do::Ready);
    assert_eq!(other.await.unwrap().unwrap(), StartOutcome::Started);
    assert_eq!(kit.log.count("b begins") + kit.log.count("c begins"), 0);
}

#[tokio::test(start_paused = true)]
async fn s05_a_stop_cancels_what_still_waits_and_lists_it() {
    let (a, b) = (Probe::new("a").begin([]), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    let start = kit.starting("b").await;
    assert_eq!(kit.state("b"), "waiting");
    let report = kit.supervisor.stop("b").await.unwrap();
    assert_eq!(report.stopped().collect::<Vec<_>>(), ["b"]);
    assert_stopped_by(start.await.unwrap(), "b", "b");
    assert_eq!(kit.state("b"), "stopped (asked)");
    assert_eq!(kit.state("a"), "stopped (unneeded)");
    assert_eq!(kit.log.count("b begins"), 0);
}

#[tokio::test(start_paused = true)]
async fn s05_a_stop_does_not_wait_for_a_load_that_hangs() {
    let kit = Kit::new([&Probe::new("a").load(Load::Hang)]);
    let start = kit.starting("a").await;
    let began = Instant::now();
    kit.supervisor.stop("a").await.unwrap();
    assert_stopped_by(start.await.unwrap(), "a", "a");
    assert_eq!(began.elapsed().as_secs(), 0);
    assert_eq!(kit.state("a"), "stopped (asked)");
}

#[tokio::test(start_paused = true)]
async fn s05_a_load_goes_on_when_its_start_was_stopped_and_serves_the_next() {
    let kit = Kit::new([&Probe::new("a").load(Load::Take(10 * SECOND))]);
    let start = kit.starting("a").await;
    kit.supervisor.stop("a").await.unwrap();
    start.await.unwrap().unwrap_err();
    let began = Instant::now();
    assert_eq!(kit.supervisor.start("a").await.unwrap(), StartOutcome::Started);
    assert_eq!(began.elapsed().as_secs(), 9);
    assert_eq!((kit.log.count("a loads"), kit.log.count("a begins")), (1, 1));
    assert_eq!(kit.incarnation("a"), 2);
}

#[tokio::test(start_paused = true)]
async fn s05_readiness_that_comes_after_the_stop_changes_nothing() {
    let a = Probe::new("a").begin([]).on_stop(OnStop::Ignore);
    let kit = Kit::new([&a]);
    let start = kit.starting("a").await;
    let stop = kit.stopping("a").await;
    a.order(Do::Ready);
    settle().await;
    assert_eq!(kit.state("a"), "stopping (asked)");
    assert!(!start.is_finished());
    a.order(Do::Complete);
    assert_stopped_by(start.await.unwrap(), "a", "a");
    stop.await.unwrap().unwrap();
    assert_eq!(kit.state("a"), "stopped (asked)");
}

#[tokio::test(start_paused = true)]
async fn s05_a_stopped_start_that_fails_by_itself_was_stopped() {
    let a = Probe::new("a").begin([]).on_stop(OnStop::Fail("half done"));
    let kit = Kit::new([&a]);
    let start = kit.starting("a").await;
    kit.supervisor.stop("a").await.unwrap();
    assert_stopped_by(start.await.unwrap(), "a", "a");
    assert_eq!(kit.state("a"), "stopped (asked)");
}

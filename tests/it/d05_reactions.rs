//! What becomes of the dependents of a service that fails or is restarted, and when they come back.

use plux::{StartError, StartOutcome};
use tokio::time::Instant;

use crate::kit::{Do, Kit, OnStop, Probe, SECOND, settle};

#[tokio::test(start_paused = true)]
async fn d05_a_failure_stops_the_dependents_the_outermost_first() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let c = Probe::new("c").requires("b").on_stop(OnStop::Take(2 * SECOND));
    let beside = Probe::new("beside");
    let kit = Kit::new([&a, &b, &c, &beside]);
    assert!(kit.supervisor.start_all().await.is_ok());
    a.order(Do::Fail("no"));
    settle().await;
    assert!(kit.state("a").starts_with("failed: "), "it does not wait for them");
    assert_eq!([kit.state("b").as_str(), &kit.state("c")], ["running", "stopping (dependency)"]);
    tokio::time::sleep(2 * SECOND).await;
    kit.log.before("a ended", "c stopping dependency");
    kit.log.before("c ended", "b stopping dependency");
    assert_eq!([kit.state("b"), kit.state("c")], ["waiting"; 2]);
    assert_eq!((kit.state("beside").as_str(), kit.incarnation("beside")), ("running", 1));
}

#[tokio::test(start_paused = true)]
async fn d05_a_panic_is_a_failure_too() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    a.order(Do::Panic("oh"));
    settle().await;
    assert_eq!(kit.state("b"), "waiting");
    assert_eq!(kit.log.count("b stopping dependency"), 1);
}

#[tokio::test(start_paused = true)]
async fn d05_the_end_of_run_is_the_end_for_dependents_though_its_tasks_go_on() {
    let task = Do::call(|cx| {
        cx.spawn(tokio::time::sleep(5 * SECOND));
        std::future::ready(())
    });
    let (a, b) = (Probe::new("a").begin([Do::Ready, task]), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    a.order(Do::Fail("no"));
    settle().await;
    assert_eq!([kit.state("a").as_str(), &kit.state("b")], ["running", "waiting"]);
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!(kit.state("a"), "failed: no");
}

#[tokio::test(start_paused = true)]
async fn d05_the_dependents_begin_again_when_it_is_ready_again() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let c = Probe::new("c").requires("b");
    let kit = Kit::new([&a, &b, &c]);
    kit.supervisor.start("c").await.unwrap();
    a.order(Do::Fail("no"));
    settle().await;
    kit.log.clear();
    a.clone().begin([Do::Take(SECOND), Do::Ready]);
    let began = Instant::now();
    // It does not wait for them.
    assert_eq!(kit.supervisor.start("a").await.unwrap(), StartOutcome::Started);
    assert_eq!(began.elapsed().as_secs(), 1);
    settle().await;
    kit.log.before("a ready", "b begins");
    kit.log.before("b ready", "c begins");
    for name in ["a", "b", "c"] {
        assert_eq!((kit.state(name).as_str(), kit.incarnation(name)), ("running", 2));
    }
}

#[tokio::test(start_paused = true)]
async fn d05_a_held_dependent_that_was_starting_waits_and_starts_anew() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    b.clone().begin([]);
    kit.supervisor.request_restart("b").unwrap();
    settle().await;
    assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("starting", 2));
    a.order(Do::Fail("no"));
    settle().await;
    assert_eq!((kit.state("b").as_str(), b.live()), ("waiting", 0));
    b.clone().begin([Do::Ready]);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("running", 3));
}

#[tokio::test(start_paused = true)]
async fn d05_a_dependent_on_its_first_start_fails_with_what_it_requires() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a").begin([]));
    let kit = Kit::new([&a, &b]);
    let start = kit.starting("b").await;
    assert_eq!(kit.state("b"), "starting");
    a.order(Do::Fail("broken pipe"));
    let error = start.await.unwrap().unwrap_err();
    let StartError::Failed { culprit, source, .. } = error else { panic!("{error}") };
    assert_eq!((culprit.as_str(), source.to_string().as_str()), ("a", "broken pipe"));
    assert_eq!((kit.state("b").as_str(), b.live()), ("stopped (dependency)", 0));
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    assert_eq!(kit.state("b"), "stopped (dependency)");
}

#[tokio::test(start_paused = true)]
async fn d06_a_dependent_waits_for_what_failed_however_it_comes_back() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let c = Probe::new("c").requires("a");
    let kit = Kit::new([&a, &b, &c]);
    kit.supervisor.start("b").await.unwrap();
    a.order(Do::Fail("no"));
    tokio::time::sleep(1000 * SECOND).await;
    assert_eq!([kit.state("b").as_str(), &kit.state("c")], ["waiting", "stopped (never started)"]);
    // A start that merely pulls it brings both back.
    kit.supervisor.start("c").await.unwrap();
    settle().await;
    assert_eq!([kit.state("a"), kit.state("b"), kit.state("c")], ["running"; 3]);
}

#[tokio::test(start_paused = true)]
async fn d06_a_dependent_goes_on_waiting_while_attempts_fail() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    a.order(Do::Fail("no"));
    a.clone().begin([Do::Fail("still not")]);
    for _ in 0..3 {
        settle().await;
        kit.supervisor.start("a").await.unwrap_err();
        assert_eq!(kit.state("b"), "waiting");
    }
    a.clone().begin([Do::Ready]);
    kit.supervisor.restart("a").await.unwrap();
    settle().await;
    assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("running", 2));
}

#[tokio::test(start_paused = true)]
async fn d06_an_attempt_begins_when_all_it_requires_is_met() {
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let c = Probe::new("c").requires("a").requires("b");
    let kit = Kit::new([&a, &b, &c]);
    kit.supervisor.start("c").await.unwrap();
    a.order(Do::Fail("no"));
    b.order(Do::Fail("no"));
    settle().await;
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    assert_eq!(kit.state("c"), "waiting");
    kit.supervisor.start("b").await.unwrap();
    settle().await;
    assert_eq!((kit.state("c").as_str(), kit.incarnation("c")), ("running", 2));
}

#[tokio::test(start_paused = true)]
async fn d06_a_stop_of_the_waiting_dependent_is_final() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    a.order(Do::Fail("no"));
    settle().await;
    kit.supervisor.stop("b").await.unwrap();
    assert_eq!(kit.state("b"), "stopped (asked)");
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("stopped (asked)", 1));
}

#[tokio::test(start_paused = true)]
async fn d06_a_start_of_the_waiting_dependent_tries_what_it_waits_for() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    a.order(Do::Fail("no"));
    settle().await;
    kit.supervisor.start("b").await.unwrap();
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [2, 2]);
    assert_eq!([kit.state("a"), kit.state("b")], ["running"; 2]);
}

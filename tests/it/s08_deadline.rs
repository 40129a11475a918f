//! The time a service has to become ready.

use plux::{ServiceFailure, StartError};
use tokio::time::Instant;

use crate::kit::{Do, Kit, Load, OnStop, Probe, SECOND, settle};

/// Starts `name`, which is late, and tells after how many seconds that was answered and whose
/// deadline it was.
async fn late(kit: &Kit, name: &str) -> (u64, String) {
    let began = Instant::now();
    let error = kit.supervisor.start(name).await.unwrap_err();
    let StartError::Failed { culprit, source, .. } = &error else { panic!("{error}") };
    assert!(matches!(**source, ServiceFailure::StartTimeout(_)), "{source}");
    (began.elapsed().as_secs(), culprit.to_string())
}

#[tokio::test(start_paused = true)]
async fn s08_a_service_that_is_not_ready_after_30_s_is_stopped_and_named() {
    let a = Probe::new("a").begin([]);
    let kit = Kit::new([&a, &Probe::new("b").requires("a")]);
    assert_eq!(late(&kit, "b").await, (30, "a".to_owned()));
    assert_eq!(a.live(), 0);
    assert_eq!(kit.log.of("a")[3..], ["stopping start_deadline", "ended"]);
    assert_eq!(kit.state("a"), "failed: it was not ready within 30s");
}

#[tokio::test(start_paused = true)]
async fn s08_what_a_service_sets_goes_before_what_the_supervisor_has() {
    let own = Probe::new("own").begin([]).start_timeout(2 * SECOND);
    let kit = Kit::with([&own, &Probe::new("other").begin([])], |builder| {
        builder.start_timeout(5 * SECOND)
    });
    assert_eq!(late(&kit, "own").await.0, 2);
    assert_eq!(late(&kit, "other").await.0, 5);
}

#[tokio::test(start_paused = true)]
async fn s08_the_time_counts_from_the_services_own_attempt_and_ends_with_readiness() {
    let a = Probe::new("a").begin([Do::Take(29 * SECOND), Do::Ready]);
    let b = Probe::new("b").requires("a").begin([Do::Take(29 * SECOND), Do::Ready]);
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    tokio::time::sleep(3600 * SECOND).await;
    assert_eq!((kit.state("a"), kit.state("b")), ("running".into(), "running".into()));
}

#[tokio::test(start_paused = true)]
async fn s08_a_load_that_hangs_is_within_the_time() {
    let kit = Kit::new([&Probe::new("a").load(Load::Hang)]);
    assert_eq!(late(&kit, "a").await, (30, "a".to_owned()));
    settle().await;
    assert_eq!(kit.log.count("a begins"), 0);
}

#[tokio::test(start_paused = true)]
async fn s08_who_is_late_and_does_not_stop_is_aborted_after_its_grace_period() {
    let a = Probe::new("a").begin([]).on_stop(OnStop::Ignore);
    let kit = Kit::new([&a]);
    assert_eq!(late(&kit, "a").await, (40, "a".to_owned()));
    assert_eq!(a.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn s08_readiness_after_the_deadline_changes_nothing() {
    let a = Probe::new("a").begin([]).on_stop(OnStop::Ignore);
    let kit = Kit::new([&a]);
    let start = kit.starting("a").await;
    tokio::time::sleep(31 * SECOND).await;
    a.order(Do::Ready);
    settle().await;
    assert_eq!(kit.state("a"), "stopping (start_deadline)");
    a.order(Do::Complete);
    start.await.unwrap().unwrap_err();
    assert_eq!(kit.state("a"), "failed: it was not ready within 30s");
}

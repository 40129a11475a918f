//! The time a service has to become ready.

use std::sync::Arc;

use plux::{
    BoxError, ListFinder, Name, Namespace, Phase, PluginManager, PluginSpec, Service,
    ServiceFailure, StartError, StartTimeout,
};
use tokio::time::Instant;

use crate::kit::{Do, Kit, Load, OnStop, Probe, SECOND, settle};

/// A service whose plugin never knows whether it wants to be loaded.
#[plux::extension_point(namespace = "it.deadline", output = Arc<dyn Service>)]
trait Asked {}

struct Asks;

#[plux::async_trait]
impl Asked for Asks {
    async fn should_load(&self, (): &()) -> Result<bool, BoxError> {
        std::future::pending().await
    }

    async fn load(&self, (): &()) -> Result<Arc<dyn Service>, BoxError> {
        Err("it is never asked to".into())
    }
}

/// Starts `name`, which is late, and tells after how many seconds that was answered and whose
/// deadline it was.
async fn late(kit: &Kit, name: &str) -> (u64, String) {
    let began = Instant::now();
    let error = kit.supervisor.start(name).await.unwrap_err();
    let StartError::Failed { culprit, source, .. } = &error else { panic!("{error}") };
    assert!(matches!(**source, ServiceFailure::StartTimeout { .. }), "{source}");
    (began.elapsed().as_secs(), culprit.to_string())
}

#[tokio::test(start_paused = true)]
async fn s08_a_service_that_is_not_ready_after_30_s_is_stopped_and_named() {
    let a = Probe::new("a").begin([]);
    let kit = Kit::new([&a, &Probe::new("b").requires("a")]);
    assert_eq!(late(&kit, "b").await, (30, "a".to_owned()));
    assert_eq!(a.live(), 0);
    assert_eq!(kit.log.of("a")[3..], ["stopping start_deadline", "ended"]);
    assert_eq!(
        kit.state("a"),
        "failed: it was not ready within 30s, and still in its `run`; start_timeout sets the time"
    );
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
    assert_eq!(
        kit.state("a"),
        "failed: it was not ready within 30s, and still in its `run`; start_timeout sets the time"
    );
}

#[tokio::test(start_paused = true)]
async fn s08_the_error_says_how_far_the_start_came() {
    let loads = Probe::new("loads").load(Load::Hang);
    let runs = Probe::new("runs").begin([]);
    let asks = PluginSpec::new::<dyn Asked>(
        Namespace::literal("it.deadline"),
        Name::literal("asks"),
        move || Ok(Arc::new(Asks) as Arc<dyn Asked>),
    );
    let manager = PluginManager::<dyn Asked>::builder(()).finder(ListFinder::new([asks])).build();
    let kit = Kit::with([&loads, &runs], |builder| builder.manager(manager));
    for (name, phase) in [("asks", Phase::ShouldLoad), ("loads", Phase::Load), ("runs", Phase::Run)]
    {
        let error = kit.supervisor.start(name).await.unwrap_err();
        let StartError::Failed { source, .. } = &error else { panic!("{error}") };
        let ServiceFailure::StartTimeout { timeout, reached } = **source else {
            panic!("{source}")
        };
        assert_eq!((timeout, reached), (30 * SECOND, phase));
        assert!(error.to_string().contains(&format!("`{phase}`")), "{error}");
        assert_eq!(kit.state(name), format!("failed: {source}"));
    }
}

#[tokio::test(start_paused = true)]
async fn s08_a_deadline_of_none_must_be_asked_for() {
    let asks = Probe::new("asks").begin([]).unlimited_start();
    let bounded = Probe::new("bounded").begin([]);
    let kit = Kit::new([&asks, &bounded]);
    let start = kit.starting("asks").await;
    late(&kit, "bounded").await;
    tokio::time::sleep(3600 * SECOND).await;
    assert_eq!(kit.state("asks"), "starting");
    asks.order(Do::Ready);
    start.await.unwrap().unwrap();
    // The supervisor's own is one for all that set none.
    let plain = Probe::new("plain").begin([]);
    let kit = Kit::with([&plain], |builder| builder.start_timeout(StartTimeout::Unlimited));
    let start = kit.starting("plain").await;
    tokio::time::sleep(3600 * SECOND).await;
    assert_eq!(kit.state("plain"), "starting");
    kit.supervisor.stop("plain").await.unwrap();
    start.await.unwrap().unwrap_err();
}

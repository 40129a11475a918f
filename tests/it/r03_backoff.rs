//! How long a restart waits, and what may happen meanwhile.

use std::time::Duration;

use plux::{Backoff, Intensity, ServiceState};
use tokio::time::{Instant, sleep};

use crate::kit::{Do, Kit, Probe, SECOND, at_most, order, settle, tireless};

const MS: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn r03_delays_grow_to_their_cap_and_begin_anew_after_a_stable_run() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], |builder| {
        let backoff = Backoff::exponential(SECOND, 4 * SECOND).with_jitter(0);
        builder.intensity(Intensity::UNLIMITED).backoff(backoff).stable_after(10 * SECOND)
    });
    kit.supervisor.start("a").await.unwrap();
    for delay in [1, 2, 4, 4] {
        order(&a, Do::Fail("no")).await;
        let wanted = format!("backoff for {delay}s: no");
        assert_eq!(kit.state("a"), wanted);
        sleep(delay * SECOND - 2 * MS).await;
        assert_eq!(kit.state("a"), wanted, "the delay is not over");
        sleep(3 * MS).await;
        assert_eq!(kit.state("a"), "running");
    }
    sleep(10 * SECOND).await;
    order(&a, Do::Fail("no")).await;
    assert_eq!(kit.state("a"), "backoff for 1s: no");
}

#[tokio::test(start_paused = true)]
async fn r03_without_a_delay_no_time_passes_and_a_loop_of_failures_can_be_stopped() {
    let a = Probe::new("a").begin([Do::Ready, Do::Fail("at once")]);
    let kit = Kit::with([&a], tireless);
    let began = Instant::now();
    kit.supervisor.start("a").await.unwrap();
    while kit.incarnation("a") < 50 {
        tokio::task::yield_now().await;
    }
    assert_eq!(Instant::now(), began);
    kit.supervisor.stop("a").await.unwrap();
    let runs = kit.incarnation("a");
    settle().await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("stopped (asked)", runs));
}

#[tokio::test(start_paused = true)]
async fn r03_jitter_parts_those_who_fail_together() {
    let probes: Vec<_> =
        (0..8).map(|at| Probe::new(["a", "b", "c", "d", "e", "f", "g", "h"][at])).collect();
    let kit = Kit::with(&probes, |builder| {
        let backoff = Backoff::constant(10 * SECOND).with_jitter(50);
        builder.intensity(Intensity::UNLIMITED).backoff(backoff)
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    for probe in &probes {
        probe.order(Do::Fail("no"));
    }
    settle().await;
    let delay = |status: plux::ServiceStatus| match status.state {
        ServiceState::Backoff { delay, .. } => delay,
        other => panic!("{other}"),
    };
    let mut delays: Vec<_> = kit.supervisor.list().into_iter().map(delay).collect();
    assert!(delays.iter().all(|delay| (5 * SECOND..=10 * SECOND).contains(delay)), "{delays:?}");
    delays.sort_unstable();
    delays.dedup();
    assert_eq!(delays.len(), 8, "{delays:?}");
}

#[tokio::test(start_paused = true)]
async fn r09_a_shutdown_calls_off_what_waits_for_its_delay() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], at_most(5));
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::Fail("no")).await;
    let began = Instant::now();
    kit.supervisor.shutdown().await.unwrap();
    assert_eq!(Instant::now(), began, "there is nothing to wait for");
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("stopped (shutdown)", 1));
}

#[tokio::test(start_paused = true)]
async fn s05_a_stop_during_backoff_is_final() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], at_most(5));
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::Fail("no")).await;
    kit.supervisor.stop("a").await.unwrap();
    sleep(10 * SECOND).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("stopped (asked)", 1));
}

#[tokio::test(start_paused = true)]
async fn s06_in_backoff_a_start_that_names_it_tries_now_and_clears_nothing() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], |builder| {
        let backoff = Backoff::exponential(SECOND, 60 * SECOND).with_jitter(0);
        builder.intensity(Intensity::UNLIMITED).backoff(backoff)
    });
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::Fail("no")).await;
    let began = Instant::now();
    kit.supervisor.start("a").await.unwrap();
    assert_eq!((Instant::now(), kit.incarnation("a")), (began, 2));
    sleep(2 * SECOND).await;
    assert_eq!(kit.incarnation("a"), 2, "the delay of before is nobody's any more");
    order(&a, Do::Fail("no")).await;
    assert_eq!(kit.state("a"), "backoff for 2s: no");
}

#[tokio::test(start_paused = true)]
async fn s06_a_start_by_hand_that_fails_during_backoff_goes_on_under_the_policy() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], at_most(5));
    kit.supervisor.start("a").await.unwrap();
    let a = a.begin([Do::Fail("not ready")]);
    order(&a, Do::Fail("no")).await;
    let error = kit.supervisor.start("a").await.unwrap_err();
    assert!(error.to_string().ends_with("it ended before it was ready: not ready"), "{error}");
    assert_eq!(kit.state("a"), "backoff for 1s: it ended before it was ready: not ready");
    let _a = a.begin([Do::Ready]);
    sleep(SECOND + MS).await;
    assert_eq!(kit.state("a"), "running");
}

#[tokio::test(start_paused = true)]
async fn s06_a_start_that_pulls_what_is_in_backoff_waits_for_the_next_attempt() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let kit = Kit::with([&a, &b], at_most(5));
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::Fail("no")).await;
    let began = Instant::now();
    kit.supervisor.start("b").await.unwrap();
    assert!(began.elapsed() >= SECOND - 2 * MS, "{:?}", began.elapsed());
    assert_eq!(kit.incarnation("a"), 2);
}

#[tokio::test(start_paused = true)]
async fn s01_backoff_carries_what_is_repaired_and_how_long_it_waits() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], at_most(5));
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::Fail("no")).await;
    sleep(SECOND).await;
    kit.supervisor.shutdown().await.unwrap();
    assert_eq!(
        kit.events.states("a"),
        [
            "starting",
            "running",
            "backoff for 1s: no",
            "starting",
            "running",
            "stopping (shutdown)",
            "stopped (shutdown)"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn d06_what_waits_for_the_delay_begins_when_what_it_requires_is_back() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let kit = Kit::with([&a, &b], |builder| {
        builder.intensity(Intensity::UNLIMITED).backoff(Backoff::constant(5 * SECOND))
    });
    kit.supervisor.start("b").await.unwrap();
    order(&b, Do::Fail("no")).await;
    order(&a, Do::Fail("no")).await;
    let a = a.begin([]);
    sleep(6 * SECOND).await;
    assert_eq!(["starting", "waiting"], [kit.state("a").as_str(), &kit.state("b")]);
    order(&a, Do::Ready).await;
    assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("running", 2));
}

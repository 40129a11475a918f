//! Starts and restarts by hand of what is in backoff: whose attempt that is, and what it costs.

use plux::{Backoff, GiveUp, Group, Intensity, RestartPolicy, StartError};
use tokio::time::{Instant, sleep};

use crate::kit::{Do, Kit, Probe, SECOND, at_most, order};

#[tokio::test(start_paused = true)]
async fn s02_s06_a_start_that_pulls_what_is_in_backoff_shares_its_failure_and_leaves_it_to_its_policy()
 {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let kit = Kit::with([&a, &b], |builder| {
        let backoff = Backoff::exponential(SECOND, 60 * SECOND).with_jitter(0);
        builder.intensity(Intensity::UNLIMITED).backoff(backoff)
    });
    kit.supervisor.start("a").await.unwrap();
    let a = a.begin([Do::Fail("not yet")]);
    order(&a, Do::Fail("no")).await;
    let error = kit.supervisor.start("b").await.unwrap_err();
    let StartError::Failed { culprit, source, .. } = &error else { panic!("{error}") };
    assert_eq!(culprit, "a");
    assert!(source.to_string().ends_with("not yet"), "{source}");
    assert_eq!((kit.state("b").as_str(), kit.log.count("b begins")), ("stopped (unneeded)", 0));
    // It was kept up before the call, so it goes on, and nothing of what it failed is forgotten.
    let state = kit.state("a");
    assert!(state.starts_with("backoff for 2s: ") && state.ends_with("not yet"), "{state}");
    let _a = a.begin([Do::Ready]);
    sleep(3 * SECOND).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 3));
    assert_eq!(kit.state("b"), "stopped (unneeded)");
}

#[tokio::test(start_paused = true)]
async fn c05_a_restart_of_what_is_in_backoff_is_a_start_now() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], at_most(1));
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::Fail("no")).await;
    let began = Instant::now();
    kit.supervisor.restart("a").await.unwrap();
    assert!(began.elapsed() < SECOND / 2, "it waits for no delay");
    sleep(10 * SECOND).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 2));
}
#[tokio::test(start_paused = true)]
async fn s02_r04_an_attempt_by_hand_in_backoff_costs_no_restart() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], at_most(1));
    kit.supervisor.start("a").await.unwrap();
    for run in 2..6 {
        order(&a, Do::Fail("no")).await;
        assert_eq!(kit.state("a"), "backoff for 1s: no");
        kit.supervisor.start("a").await.unwrap();
        assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", run));
    }
}

#[tokio::test(start_paused = true)]
async fn s02_r04_an_attempt_by_hand_in_backoff_costs_its_group_no_restart() {
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let kit = Kit::with([&a, &b], |builder| {
        let budget = Intensity::new(1, 60 * SECOND);
        let group = Group::one_for_one("store", ["a", "b"]).with_intensity(budget, GiveUp::Fail);
        at_most(9)(builder).group(group)
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    for probe in [&a, &b, &a] {
        order(probe, Do::Fail("no")).await;
        let name = if kit.raw_state("a").word() == "backoff" { "a" } else { "b" };
        kit.supervisor.start(name).await.unwrap();
    }
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [3, 2]);
    // One that is made by itself is counted, and there is no other.
    order(&b, Do::Fail("no")).await;
    sleep(SECOND).await;
    assert_eq!(kit.state("b"), "running");
    order(&a, Do::Fail("no")).await;
    assert!(kit.state("a").contains("1 restart of its group `store`"), "{}", kit.state("a"));
}

/// So many seconds, but for the milliseconds that it takes to settle.
fn seconds(since: Instant) -> u64 {
    (since.elapsed() + SECOND / 100).as_secs()
}

/// Has its run fail while a task of its goes on for three seconds.
async fn fails_and_drains(probe: &Probe) {
    order(probe, Do::call(|cx| async move { cx.spawn(sleep(3 * SECOND)) })).await;
    order(probe, Do::Fail("no")).await;
}

#[tokio::test(start_paused = true)]
async fn s06_r03_r04_a_start_that_pulls_what_failed_and_drains_waits_for_its_delay_and_costs_a_restart()
 {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let kit = Kit::with([&a, &b], at_most(1));
    kit.supervisor.start("a").await.unwrap();
    fails_and_drains(&a).await;
    let began = Instant::now();
    kit.supervisor.start("b").await.unwrap();
    assert_eq!(seconds(began), 4);
    assert_eq!(kit.incarnation("a"), 2);
    kit.supervisor.stop("b").await.unwrap();
    // It had one restart: this is given up, and the pending start fails with it.
    fails_and_drains(&a).await;
    let error = kit.supervisor.start("b").await.unwrap_err();
    assert!(matches!(&error, StartError::Failed { culprit, .. } if culprit == "a"), "{error}");
    assert_eq!((kit.raw_state("a").word(), kit.incarnation("a")), ("failed", 2));
}

#[tokio::test(start_paused = true)]
async fn s06_a_start_that_names_what_failed_and_drains_begins_when_that_has_ended() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], at_most(1));
    kit.supervisor.start("a").await.unwrap();
    for run in 2..5 {
        fails_and_drains(&a).await;
        let began = Instant::now();
        kit.supervisor.start("a").await.unwrap();
        assert_eq!((seconds(began), kit.incarnation("a")), (3, run));
    }
}

#[tokio::test(start_paused = true)]
async fn s06_a_start_that_pulls_what_nobody_restarts_and_drains_begins_when_that_has_ended() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let a = a.options(|options| options.with_restart(RestartPolicy::Temporary));
    let kit = Kit::with([&a, &b], at_most(1));
    kit.supervisor.start("a").await.unwrap();
    fails_and_drains(&a).await;
    let began = Instant::now();
    kit.supervisor.start("b").await.unwrap();
    assert_eq!((seconds(began), kit.incarnation("a")), (3, 2));
}

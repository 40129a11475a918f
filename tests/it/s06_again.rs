//! Starting again by hand, whatever the last run came to.

use plux::StartOutcome;

use crate::kit::{Do, Kit, Load, Probe, settle};

/// Starts the probe again, now with a run that stays up, and checks that it is a fresh run.
async fn assert_starts_again(kit: &Kit, probe: &Probe, ended: &str, runs: u32) {
    settle().await;
    assert!(kit.state("a").starts_with(ended), "{}", kit.state("a"));
    kit.log.clear();
    probe.clone().load(Load::Return).begin([Do::Ready]);
    assert_eq!(kit.supervisor.start("a").await.unwrap(), StartOutcome::Started);
    assert_eq!(kit.state("a"), "running");
    assert_eq!(kit.incarnation("a"), runs);
    assert_eq!((probe.live(), probe.most_live()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn s06_a_stopped_service_starts_again_without_being_loaded_again() {
    let a = Probe::new("a");
    let kit = Kit::new([&a]);
    for runs in 1..10 {
        kit.supervisor.start("a").await.unwrap();
        kit.supervisor.stop("a").await.unwrap();
        assert_starts_again(&kit, &a, "stopped (asked)", 2 * runs).await;
        assert_eq!(kit.log.of("a"), ["begins", "ready"]);
        kit.supervisor.stop("a").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn s06_a_completed_service_starts_again() {
    let a = Probe::new("a").begin([Do::Ready, Do::Complete]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    assert_starts_again(&kit, &a, "stopped (completed)", 2).await;
}

#[tokio::test(start_paused = true)]
async fn s06_a_failed_service_starts_again() {
    let a = Probe::new("a").begin([Do::Ready, Do::Fail("no net")]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    assert_starts_again(&kit, &a, "failed: no net", 2).await;
}

#[tokio::test(start_paused = true)]
async fn s06_a_panicked_service_starts_again() {
    let a = Probe::new("a").begin([Do::Ready, Do::Panic("oh no")]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    assert_starts_again(&kit, &a, "failed: panicked", 2).await;
}

#[tokio::test(start_paused = true)]
async fn s06_a_service_that_failed_to_start_starts_again() {
    let a = Probe::new("a").begin([Do::Fail("no port")]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap_err();
    kit.supervisor.start("a").await.unwrap_err();
    assert_starts_again(&kit, &a, "failed: it ended before it was ready", 3).await;
}

#[tokio::test(start_paused = true)]
async fn s06_a_service_that_was_not_ready_in_time_starts_again() {
    let a = Probe::new("a").begin([]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap_err();
    assert_starts_again(&kit, &a, "failed: it was not ready", 2).await;
}

#[tokio::test(start_paused = true)]
async fn s06_a_service_whose_load_failed_is_loaded_again_but_not_made_again() {
    let a = Probe::new("a").load(Load::Fail("no disk"));
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap_err();
    assert_starts_again(&kit, &a, "failed: its plugin did not load", 2).await;
    assert_eq!(kit.log.of("a"), ["loads", "begins", "ready"]);
}

#[tokio::test(start_paused = true)]
async fn s06_a_service_that_was_not_made_is_made_again() {
    let a = Probe::new("a").load(Load::FailToMake("no memory"));
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap_err();
    assert_starts_again(&kit, &a, "failed: its plugin did not load", 2).await;
    assert_eq!(kit.log.of("a"), ["made", "loads", "begins", "ready"]);
}

#[tokio::test(start_paused = true)]
async fn s06_what_failed_for_a_requirement_starts_when_that_is_mended() {
    let base = Probe::new("base").begin([Do::Fail("no port")]);
    let a = Probe::new("a").requires("base");
    let kit = Kit::new([&base, &a]);
    kit.supervisor.start("a").await.unwrap_err();
    base.clone().begin([Do::Ready]);
    assert_starts_again(&kit, &a, "stopped (unneeded)", 1).await;
    assert_eq!((kit.state("base"), kit.incarnation("base")), ("running".into(), 2));
}

//! A run that blocks its thread before it is ready, after a restart without a delay.

use std::time::Duration;

use plux::{GracePeriod, ServiceState};

use crate::kit::{Do, Kit, Probe, tireless};

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn s08_c03_the_start_deadline_holds_for_a_run_that_blocks_in_its_first_step() {
    let a = Probe::new("a").start_timeout(Duration::from_millis(50));
    let kit = Kit::with([&a], |builder| {
        tireless(builder)
            .grace_period(GracePeriod::Bounded(Duration::ZERO))
            .join_timeout(Duration::from_millis(20))
    });
    kit.supervisor.start("a").await.unwrap();
    // No timer of the first attempt is left.
    tokio::time::sleep(Duration::from_millis(60)).await;
    let blocked = a.clone();
    let _a = a.clone().begin([Do::call(move |_| {
        blocked.block();
        async {}
    })]);
    a.order(Do::Fail("no"));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let state = kit.raw_state("a");
    a.unblock();
    assert!(matches!(state, ServiceState::Failed(_)), "{state}");
}

//! No restart begins in a shutdown, however long that takes and whatever was to bring a service back.

use plux::{GiveUp, Group, Health, OnUnhealthy, ShutdownReport};
use tokio::time::{sleep, timeout};

use crate::kit::{Do, Kit, OnStop, Probe, SECOND, at_most, order, tireless};

fn slow(name: &'static str, seconds: u32) -> Probe {
    Probe::new(name).on_stop(OnStop::Take(seconds * SECOND))
}

/// What begins meanwhile would keep it from its end.
async fn shutdown(kit: &Kit) -> ShutdownReport {
    let shutdown = timeout(60 * SECOND, kit.supervisor.shutdown());
    shutdown.await.expect("nothing begins in it").unwrap()
}

#[tokio::test(start_paused = true)]
async fn r09_no_delay_and_no_cool_down_ends_in_a_restart_while_others_stop() {
    let (backoff, cools) = (Probe::new("backoff"), Probe::new("cools"));
    let cools = cools.options(|options| options.with_give_up(GiveUp::CoolDown(2 * SECOND)));
    let kit = Kit::with([&backoff, &cools, &slow("slow", 8)], at_most(1));
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&cools, Do::Fail("no")).await;
    sleep(2 * SECOND).await;
    order(&cools, Do::Fail("no")).await;
    order(&backoff, Do::Fail("no")).await;
    assert_eq!(
        [kit.raw_state("backoff").word(), kit.raw_state("cools").word()],
        ["backoff", "failed"]
    );
    let report = shutdown(&kit).await;
    assert_eq!(report.total(), 8 * SECOND);
    assert_eq!([kit.incarnation("backoff"), kit.incarnation("cools")], [1, 2]);
    assert!(!kit.state("cools").contains("next try"), "{}", kit.state("cools"));
}

#[tokio::test(start_paused = true)]
async fn r09_who_was_stopping_to_be_restarted_with_its_group_stays_so() {
    let (a, b) = (Probe::new("a"), slow("b", 3));
    let group = Group::one_for_all("store", ["a", "b"]);
    let kit = Kit::with([&a, &b], |builder| tireless(builder).group(group));
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&a, Do::Fail("no")).await;
    assert_eq!(kit.raw_state("b").word(), "stopping");
    shutdown(&kit).await;
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn r09_what_was_taken_to_have_failed_and_has_not_ended_is_not_restarted() {
    let a = slow("a", 3).options(|options| options.with_on_unhealthy(OnUnhealthy::Restart));
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::call(|cx| async move { cx.health(Health::Unhealthy("ill".into())) })).await;
    assert_eq!(kit.state("a"), "stopping (health)");
    shutdown(&kit).await;
    assert_eq!((kit.raw_state("a").word(), kit.incarnation("a")), ("failed", 1));
}

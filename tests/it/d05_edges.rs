//! What an edge says about the end of what it leads to.

use plux::Reaction;
use tokio::time::sleep;

use crate::kit::{Do, Kit, OnStop, Probe, SECOND, at_most, order, settle};

#[tokio::test(start_paused = true)]
async fn d05_who_keeps_on_goes_on_and_ends_the_spread() {
    let a = Probe::new("a");
    let b = Probe::new("b").requires("a").options(|options| options.with_reaction(Reaction::Keep));
    let c = Probe::new("c").requires("b");
    let kit = Kit::with([&a, &b, &c], at_most(5));
    kit.supervisor.start("c").await.unwrap();
    order(&a, Do::Fail("no")).await;
    assert_eq!(kit.raw_state("a").word(), "backoff");
    assert_eq!([kit.state("b"), kit.state("c")], ["running", "running"]);
    sleep(SECOND).await;
    kit.supervisor.restart("a").await.unwrap();
    assert_eq!([1, 1].as_slice(), [kit.incarnation("b"), kit.incarnation("c")]);
    // A stop by name takes it down all the same.
    assert_eq!(kit.supervisor.stop("a").await.unwrap().rows.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn d05_who_stops_stays_so_and_those_on_it_wait() {
    let a = Probe::new("a");
    let b = Probe::new("b").requires("a").options(|options| options.with_reaction(Reaction::Stop));
    let c = Probe::new("c").requires("b");
    let kit = Kit::with([&a, &b, &c], at_most(5));
    kit.supervisor.start("c").await.unwrap();
    order(&a, Do::Fail("no")).await;
    sleep(5 * SECOND).await;
    assert_eq!(
        [kit.state("a").as_str(), &kit.state("b"), &kit.state("c")],
        ["running", "stopped (dependency)", "waiting"]
    );
    kit.log.before("c ended", "b stopping dependency");
    kit.supervisor.start("b").await.unwrap();
    settle().await;
    assert_eq!(kit.state("c"), "running");
}

#[tokio::test(start_paused = true)]
async fn d05_its_own_restart_does_not_wait_for_those_that_stand_on_it() {
    let a = Probe::new("a");
    let b = Probe::new("b").requires("a").on_stop(OnStop::Take(5 * SECOND));
    let kit = Kit::with([&a, &b], at_most(5));
    kit.supervisor.start("b").await.unwrap();
    order(&a, Do::Fail("no")).await;
    sleep(SECOND).await;
    assert_eq!([kit.state("a").as_str(), &kit.state("b")], ["running", "stopping (dependency)"]);
    sleep(4 * SECOND).await;
    assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("running", 2));
}

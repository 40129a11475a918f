//! What an edge says about the end of what it leads to.

use plux::{Reaction, ServiceOptions};
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

#[tokio::test(start_paused = true)]
async fn d05_what_an_edge_says_goes_before_what_is_set_for_the_service() {
    let (a, b, c) = (Probe::new("a"), Probe::new("b"), Probe::new("c"));
    let d = Probe::new("d")
        .requires_to(Reaction::Keep, "a")
        .requires_to(Reaction::Restart, "b")
        .requires("c");
    let kit = Kit::with([&a, &b, &c, &d], |builder| {
        let stops = ServiceOptions::NONE.with_reaction(Reaction::Stop);
        at_most(5)(builder).reaction(Reaction::Keep).service("d", stops)
    });
    kit.supervisor.start("d").await.unwrap();
    order(&a, Do::Fail("no")).await;
    assert_eq!((kit.raw_state("a").word(), kit.state("d").as_str()), ("backoff", "running"));
    sleep(SECOND).await;
    assert!(kit.supervisor.restart("a").await.unwrap().dependents.is_empty());
    assert_eq!(kit.incarnation("d"), 1);
    order(&b, Do::Fail("no")).await;
    assert_eq!(kit.state("d"), "waiting");
    sleep(SECOND).await;
    assert_eq!((kit.state("d").as_str(), kit.incarnation("d")), ("running", 2));
    order(&c, Do::Fail("no")).await;
    sleep(SECOND).await;
    assert_eq!([kit.state("c").as_str(), &kit.state("d")], ["running", "stopped (dependency)"]);
}

#[tokio::test(start_paused = true)]
async fn d05_who_keeps_one_of_two_stops_for_the_other() {
    let a = Probe::new("a");
    let b = Probe::new("b").requires("a");
    let c = Probe::new("c").requires_to(Reaction::Keep, "a").requires("b");
    let kit = Kit::with([&a, &b, &c], at_most(5));
    kit.supervisor.start("c").await.unwrap();
    order(&a, Do::Fail("no")).await;
    assert_eq!([kit.state("b"), kit.state("c")], ["waiting", "waiting"]);
    kit.log.before("c ended", "b stopping dependency");
    sleep(SECOND).await;
    assert_eq!([kit.state("b"), kit.state("c")], ["running", "running"]);
}

#[tokio::test(start_paused = true)]
async fn d05_of_two_edges_the_one_that_says_stop_counts() {
    for [to_a, to_b] in [[Reaction::Restart, Reaction::Stop], [Reaction::Stop, Reaction::Restart]] {
        let a = Probe::new("a");
        let b = Probe::new("b").requires("a");
        let c = Probe::new("c").requires_to(to_a, "a").requires_to(to_b, "b");
        let kit = Kit::with([&a, &b, &c], at_most(5));
        kit.supervisor.start("c").await.unwrap();
        order(&a, Do::Fail("no")).await;
        sleep(SECOND).await;
        assert_eq!([kit.state("b").as_str(), &kit.state("c")], ["running", "stopped (dependency)"]);
        kit.supervisor.start("c").await.unwrap();
        let restarted = kit.supervisor.restart("a").await.unwrap();
        assert_eq!(restarted.dependents, ["b", "c"]);
        settle().await;
        assert_eq!([kit.state("b").as_str(), &kit.state("c")], ["running", "stopped (dependency)"]);
    }
}

#[tokio::test(start_paused = true)]
async fn d05_while_it_stops_for_one_another_can_have_it_stay_so() {
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let c = Probe::new("c")
        .requires_to(Reaction::Restart, "a")
        .requires_to(Reaction::Stop, "b")
        .on_stop(OnStop::Take(5 * SECOND));
    let kit = Kit::with([&a, &b, &c], at_most(5));
    kit.supervisor.start("c").await.unwrap();
    order(&a, Do::Fail("no")).await;
    order(&b, Do::Fail("no")).await;
    sleep(10 * SECOND).await;
    assert_eq!(
        [kit.state("a").as_str(), &kit.state("b"), &kit.state("c")],
        ["running", "running", "stopped (dependency)"]
    );
}

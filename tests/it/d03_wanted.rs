//! What ends a service's being wanted, beside a stop by its name; and who is stopped with another.

use plux::{Reaction, RestartPolicy};
use tokio::time::sleep;

use crate::kit::{Do, Kit, Probe, SECOND, at_most, order, settle, tireless};

#[tokio::test(start_paused = true)]
async fn d03_a_reaction_that_stops_it_for_good_ends_the_hold() {
    let a = Probe::new("a");
    let b = Probe::new("b").requires_to(Reaction::Stop, "a");
    let fails = Probe::new("fails").requires("b").begin([Do::Fail("no")]);
    let kit = Kit::with([&a, &b, &fails], tireless);
    kit.supervisor.start("b").await.unwrap();
    order(&a, Do::Fail("no")).await;
    assert_eq!([kit.state("a").as_str(), &kit.state("b")], ["running", "stopped (dependency)"]);
    // Only this one holds its next run.
    kit.supervisor.start("fails").await.unwrap_err();
    assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("stopped (unneeded)", 2));
    assert_eq!(kit.state("a"), "running");
}

#[tokio::test(start_paused = true)]
async fn d03_a_completion_ends_the_hold() {
    let a = Probe::new("a");
    let b = Probe::new("b").requires("a");
    let kit = Kit::with([&a, &b], at_most(9));
    kit.supervisor.start("b").await.unwrap();
    order(&b, Do::Complete).await;
    kit.supervisor.restart("a").await.unwrap();
    settle().await;
    assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("stopped (completed)", 1));
    // Nothing keeps it up, so what fails in its next start is not tried again.
    let b = b.begin([Do::Fail("no")]);
    kit.supervisor.start("b").await.unwrap_err();
    sleep(10 * SECOND).await;
    assert_eq!((kit.raw_state("b").word(), kit.incarnation("b")), ("failed", 2));
    assert_eq!((kit.state("a").as_str(), b.live()), ("running", 0));
}

#[tokio::test(start_paused = true)]
async fn d03_what_is_temporary_and_has_failed_is_not_wanted_any_more() {
    let a = Probe::new("a");
    let b = Probe::new("b").requires("a");
    let b = b.options(|options| options.with_restart(RestartPolicy::Temporary));
    let kit = Kit::with([&a, &b], tireless);
    kit.supervisor.start("b").await.unwrap();
    order(&b, Do::Fail("no")).await;
    kit.supervisor.restart("a").await.unwrap();
    settle().await;
    assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("failed: no", 1));
}

#[tokio::test(start_paused = true)]
async fn d04_a_stop_takes_down_and_lists_who_is_in_backoff_whatever_its_edge_says() {
    for reaction in [Reaction::Restart, Reaction::Keep, Reaction::Stop] {
        let (a, b) = (Probe::new("a"), Probe::new("b").requires_to(reaction, "a"));
        let far = Probe::new("far").requires_to(Reaction::Keep, "b");
        let kit = Kit::with([&a, &b, &far], at_most(9));
        kit.supervisor.start("far").await.unwrap();
        order(&b, Do::Fail("no")).await;
        assert_eq!(
            [kit.raw_state("b").word(), kit.raw_state("far").word()],
            ["backoff", "running"]
        );
        let report = kit.supervisor.stop("a").await.unwrap();
        let mut stopped: Vec<_> = report.stopped().map(|name| name.as_str()).collect();
        stopped.sort_unstable();
        assert_eq!(stopped, ["a", "b", "far"], "{reaction:?}");
        sleep(10 * SECOND).await;
        assert_eq!([kit.state("b"), kit.state("far")], ["stopped (dependency)"; 2]);
        // Nor does it come back with what it requires.
        kit.supervisor.start("a").await.unwrap();
        sleep(10 * SECOND).await;
        assert_eq!([kit.incarnation("b"), kit.incarnation("far")], [1, 1], "{reaction:?}");
    }
}

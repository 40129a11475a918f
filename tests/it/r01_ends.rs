//! Ends that are seldom met, and what the policy and those beside the service make of them.

use std::future::pending;

use plux::{EventKind, Exit, Group, RestartPolicy, StopHow};
use tokio::time::sleep;

use crate::kit::{Do, Kit, OnStop, Probe, SECOND, at_most, order, settle, tireless};

/// Spawns a task that takes this long once the run is over, or for ever.
fn task(seconds: Option<u32>) -> Do {
    Do::call(move |cx| {
        let own = cx.clone();
        cx.spawn(async move {
            own.stopping().await;
            match seconds {
                Some(seconds) => sleep(seconds * SECOND).await,
                None => pending().await,
            }
        });
        async {}
    })
}

#[tokio::test(start_paused = true)]
async fn r01_s04_a_completion_whose_tasks_had_to_be_aborted_is_an_abort_and_repaired() {
    let a = Probe::new("a").begin([task(None), Do::Ready]);
    let kit = Kit::with([&a], |builder| at_most(9)(builder).grace_period(5 * SECOND));
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::Complete).await;
    sleep(5 * SECOND).await;
    assert_eq!(kit.state("a"), "backoff for 1s: aborted");
    sleep(SECOND).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 2));
}

#[tokio::test(start_paused = true)]
async fn r06_s11_a_restart_by_itself_waits_for_the_tasks_of_the_run_that_failed() {
    let a = Probe::new("a").begin([task(Some(3)), Do::Ready]);
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::Fail("no")).await;
    sleep(2 * SECOND).await;
    assert_eq!(kit.log.count("a begins"), 1, "a task of the first run is still there");
    sleep(SECOND).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 2));
}

#[tokio::test(start_paused = true)]
async fn d05_a_completion_that_is_repaired_is_an_end_like_any_other_for_dependents() {
    let a = Probe::new("a").options(|options| options.with_restart(RestartPolicy::Permanent));
    let b = Probe::new("b").requires("a");
    let kit = Kit::with([&a, &b], at_most(9));
    kit.supervisor.start("b").await.unwrap();
    order(&a, Do::Complete).await;
    assert_eq!(kit.state("b"), "waiting");
    assert_eq!(kit.log.count("b stopping dependency"), 1);
    sleep(SECOND).await;
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [2, 2]);
    assert_eq!([kit.state("a"), kit.state("b")], ["running"; 2]);
}

#[tokio::test(start_paused = true)]
async fn r09_what_ends_in_a_shutdown_before_its_turn_is_not_restarted() {
    for (end, how) in [(Do::Fail("no"), "error: no"), (Do::Complete, "clean")] {
        let base = Probe::new("base");
        let base = base.options(|options| options.with_restart(RestartPolicy::Permanent));
        let top = Probe::new("top").requires("base").on_stop(OnStop::Take(5 * SECOND));
        let kit = Kit::with([&base, &top], tireless);
        kit.supervisor.start("top").await.unwrap();
        kit.supervisor.request_shutdown();
        settle().await;
        assert_eq!(
            [kit.state("base").as_str(), &kit.state("top")],
            ["running", "stopping (shutdown)"]
        );
        order(&base, end).await;
        let report = kit.supervisor.shutdown().await.unwrap();
        assert_eq!((kit.log.count("base begins"), kit.log.count("top begins")), (1, 1));
        assert_eq!(report.row("base").unwrap().how.to_string(), how);
        assert!(matches!(report.row("top").unwrap().how, StopHow::Clean));
        assert_eq!(report.is_clean(), how == "clean");
    }
}

#[tokio::test(start_paused = true)]
async fn r04_s07_an_error_while_its_group_stops_is_reported_and_costs_no_restart() {
    let (a, b) = (Probe::new("a"), Probe::new("b").on_stop(OnStop::Fail("in a hurry")));
    let kit = Kit::with([&a, &b], |builder| {
        at_most(3)(builder).group(Group::one_for_all("store", ["a", "b"]))
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    for run in 2..5 {
        order(&a, Do::Fail("no")).await;
        sleep(SECOND).await;
        assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("running", run));
    }
    assert_eq!(kit.events.states("b").iter().filter(|to| *to == "stopped (group)").count(), 3);
    let told = |event: &plux::Event| {
        matches!(&event.kind, EventKind::StopFailed { exit: Exit::Failed(error), .. }
            if error.to_string() == "in a hurry")
    };
    assert_eq!(kit.events.all().iter().filter(|event| told(event)).count(), 3);
    // None of that was a failure of its own.
    order(&b, Do::Fail("no")).await;
    assert_eq!(kit.state("b"), "backoff for 1s: no");
}

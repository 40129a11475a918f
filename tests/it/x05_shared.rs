//! One shutdown for all who ask, and what the calls answer that meet it.

use std::time::Duration;

use plux::{RestartError, StartError, StopHow, StopReason};
use tokio::time::Instant;

use crate::kit::{Kit, OnStop, Probe, SECOND, settle, spawn};

fn slow(name: &'static str, seconds: u32) -> Probe {
    Probe::new(name).on_stop(OnStop::Take(seconds * SECOND))
}

#[track_caller]
fn refused(error: &StartError, service: &str) {
    let StartError::Shutdown { name } = error else { panic!("{error}") };
    assert_eq!(*name, *service);
}

#[track_caller]
fn cut_short(error: &StartError, service: &str) {
    let StartError::Stopped { name, reason, .. } = error else { panic!("{error}") };
    assert_eq!((name.as_str(), *reason), (service, StopReason::Shutdown));
}

#[tokio::test(start_paused = true)]
async fn x05_many_callers_share_one_shutdown_and_one_report() {
    let a = slow("a", 5);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let began = Instant::now();
    let calls: Vec<_> = (0..20)
        .map(|at| {
            let supervisor = kit.supervisor.clone();
            spawn(async move {
                tokio::time::sleep(Duration::from_millis(at * 100)).await;
                supervisor.shutdown().await.unwrap()
            })
        })
        .collect();
    let reports = futures::future::join_all(calls).await;
    assert_eq!(began.elapsed(), 5 * SECOND);
    for report in reports {
        let report = report.unwrap();
        assert_eq!((report.total(), report.rows().len()), (5 * SECOND, 1));
    }
    assert_eq!(kit.log.count("a stopping"), 1);
    // Also when it is long over.
    kit.supervisor.request_shutdown();
    kit.supervisor.abort_now();
    let again = kit.supervisor.shutdown().await.unwrap();
    assert_eq!((again.total(), again.is_clean()), (5 * SECOND, true));
    assert_eq!(began.elapsed(), 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn x05_a_caller_that_gives_up_changes_nothing() {
    let a = slow("a", 5);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let gave_up = tokio::time::timeout(SECOND, kit.supervisor.shutdown()).await;
    assert!(gave_up.is_err());
    assert_eq!(kit.supervisor.shutdown().await.unwrap().total(), 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn x05_starts_are_refused_at_once_during_it_and_after_it() {
    let (a, b) = (slow("a", 5), Probe::new("b"));
    let on_a = Probe::new("on_a").requires("a");
    let kit = Kit::new([&a, &b, &on_a]);
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.request_shutdown();
    settle().await;
    for over in [false, true] {
        if over {
            kit.supervisor.shutdown().await.unwrap();
        }
        let began = Instant::now();
        for name in ["a", "b", "on_a"] {
            refused(&kit.supervisor.start(name).await.unwrap_err(), name);
            match kit.supervisor.restart(name).await.unwrap_err() {
                RestartError::Start(error) => refused(&error, name),
                other => panic!("{other}"),
            }
        }
        for (name, outcome) in kit.supervisor.start_all().await.rows {
            refused(&outcome.unwrap_err(), name.as_str());
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
    assert_eq!([kit.state("b"), kit.state("on_a")], ["stopped (never started)"; 2]);
    assert_eq!(kit.log.of("b"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn x05_pending_starts_and_restarts_answer_that_the_shutdown_stopped_them() {
    let (base, hung) = (slow("base", 3), Probe::new("hung").requires("base").begin([]));
    let (waits, again) = (Probe::new("waits").requires("hung"), Probe::new("again"));
    let kit = Kit::new([&base, &hung, &waits, &again]);
    kit.supervisor.start("again").await.unwrap();
    again.clone().begin([]);
    let restart = kit.restarting("again").await;
    let (first, second) = (kit.starting("hung").await, kit.starting("waits").await);
    let report = kit.supervisor.shutdown().await.unwrap();
    cut_short(&first.await.unwrap().unwrap_err(), "hung");
    cut_short(&second.await.unwrap().unwrap_err(), "waits");
    match restart.await.unwrap().unwrap_err() {
        RestartError::Start(error) => cut_short(&error, "again"),
        other => panic!("{other}"),
    }
    assert!(report.is_clean());
    let rows: Vec<_> = report.rows().iter().map(|row| row.name.as_str()).collect();
    assert_eq!(rows, ["again", "base", "hung"]);
    assert_eq!(kit.state("waits"), "stopped (shutdown)");
    assert_eq!(kit.log.count("waits begins"), 0);
}

#[tokio::test(start_paused = true)]
async fn x05_a_restart_whose_stop_is_under_way_does_not_begin_again() {
    let (a, b) = (slow("a", 2), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    let restart = kit.restarting("a").await;
    kit.supervisor.shutdown().await.unwrap();
    let RestartError::Start(error) = restart.await.unwrap().unwrap_err() else { panic!() };
    cut_short(&error, "a");
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [1, 1]);
    assert_eq!([a.live(), b.live()], [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn x05_pending_stops_answer_when_theirs_have_ended() {
    let (a, other) = (slow("a", 3), slow("other", 8));
    let kit = Kit::new([&a, &other]);
    assert!(kit.supervisor.start_all().await.is_ok());
    let stop = kit.stopping("a").await;
    kit.supervisor.request_shutdown();
    let began = Instant::now();
    let report = stop.await.unwrap().unwrap();
    assert_eq!(began.elapsed().as_secs(), 2);
    assert_eq!(report.stopped().collect::<Vec<_>>(), ["a"]);
    assert_eq!(kit.state("other"), "stopping (shutdown)");
}

#[tokio::test(start_paused = true)]
async fn x05_a_stop_asked_during_it_changes_no_order() {
    let (a, b) = (slow("a", 1), slow("b", 4).requires("a"));
    let (c, after) = (slow("c", 2), slow("after", 5).after("c"));
    let kit = Kit::new([&a, &b, &c, &after]);
    assert!(kit.supervisor.start_all().await.is_ok());
    kit.supervisor.request_shutdown();
    settle().await;
    let began = Instant::now();
    let (first, second) = (kit.stopping("a").await, kit.stopping("c").await);
    // Another stop would not wait for what is merely ordered.
    assert_eq!([kit.state("a"), kit.state("c")], ["running"; 2]);
    let report = first.await.unwrap().unwrap();
    assert_eq!(began.elapsed().as_secs(), 4);
    assert_eq!(report.stopped().collect::<Vec<_>>(), ["b", "a"]);
    let report = second.await.unwrap().unwrap();
    assert_eq!(began.elapsed().as_secs(), 6);
    assert_eq!(report.stopped().collect::<Vec<_>>(), ["c"]);
    assert_eq!([kit.state("a"), kit.state("c")], ["stopped (shutdown)"; 2]);
    kit.supervisor.shutdown().await.unwrap();
    // Nothing is left to stop.
    assert_eq!(kit.supervisor.stop("a").await.unwrap().rows.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn x05_a_wait_answers_with_the_end() {
    let (a, idle) = (slow("a", 2), Probe::new("idle"));
    let kit = Kit::new([&a, &idle]);
    kit.supervisor.start("a").await.unwrap();
    let supervisor = kit.supervisor.clone();
    let wait = spawn(async move { supervisor.wait("a").await.unwrap().to_string() });
    settle().await;
    kit.supervisor.shutdown().await.unwrap();
    assert_eq!(wait.await.unwrap(), "stopped (shutdown)");
    assert_eq!(kit.supervisor.wait("a").await.unwrap().to_string(), "stopped (shutdown)");
}

#[tokio::test(start_paused = true)]
async fn x05_an_abort_ends_everything_at_once_in_no_order() {
    let (a, b) = (slow("a", 1), slow("b", 1).requires("a"));
    let hung = Probe::new("hung").on_stop(OnStop::Ignore);
    let kit = Kit::new([&a, &b, &hung]);
    assert!(kit.supervisor.start_all().await.is_ok());
    let supervisor = kit.supervisor.clone();
    let shutdown = spawn(async move { supervisor.shutdown().await.unwrap() });
    settle().await;
    assert_eq!([kit.state("a").as_str(), &kit.state("b")], ["running", "stopping (shutdown)"]);
    kit.supervisor.abort_now();
    let report = shutdown.await.unwrap();
    for row in report.rows() {
        assert!(matches!(row.how, StopHow::Aborted), "{}: {}", row.name, row.how);
    }
    assert_eq!(report.total(), Duration::from_millis(1));
    assert_eq!([a.live(), b.live(), hung.live()], [0; 3]);
    assert_eq!(kit.log.count("a stopping"), 0);
    let states = kit.events.states("a");
    assert_eq!(states[2..], ["stopping (shutdown)", "stopped (shutdown)"]);
}

#[test]
fn x05_when_its_runtime_has_ended_the_report_says_what_was_cut_off() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let a = Probe::new("a");
    let kit = Kit::new([&a]);
    let first = runtime();
    first.block_on(async {
        // That an earlier run has ended says nothing about this one.
        kit.supervisor.start("a").await.unwrap();
        kit.supervisor.stop("a").await.unwrap();
        kit.supervisor.start("a").await.unwrap();
    });
    drop(first);
    assert_eq!(a.live(), 0);
    let report = runtime().block_on(kit.supervisor.shutdown()).unwrap();
    let row = report.row("a").unwrap();
    assert!(matches!((&row.how, row.ended), (StopHow::Leaked, None)), "{row:?}");
    let error = runtime().block_on(kit.supervisor.start("a")).unwrap_err();
    refused(&error, "a");
}

//! Restarts, alone and against starts and stops.

use std::time::Duration;

use futures::future::join_all;
use plux::{RestartError, StartError, StartOutcome, StopReason};
use tokio::time::{Instant, sleep};

use crate::kit::{Do, Kit, Load, OnStop, Probe, Published, SECOND, settle, spawn};

#[tokio::test(start_paused = true)]
async fn c05_restart_answers_when_a_fresh_run_is_ready() {
    let a = Probe::new("a").on_stop(OnStop::Take(3 * SECOND));
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    a.clone().begin([]);
    let restart = kit.restarting("a").await;
    sleep(4 * SECOND).await;
    assert_eq!((kit.state("a"), kit.incarnation("a")), ("starting".into(), 2));
    assert!(!restart.is_finished(), "it was answered before the fresh run was ready");
    a.order(Do::Ready);
    let report = restart.await.unwrap().unwrap();
    assert!(report.dependents.is_empty(), "{report:?}");
    assert_eq!(kit.supervisor.handle::<Published>("a").unwrap().incarnation(), 2);
    assert_eq!(a.most_live(), 1);
    assert_eq!(kit.log.of("a")[..3], ["made", "loads", "begins"], "and loaded once");
    assert_eq!(kit.log.count("a loads"), 1);
}

#[tokio::test(start_paused = true)]
async fn c05_restart_takes_dependents_down_first_brings_them_back_and_lists_them() {
    let a = Probe::new("a").on_stop(OnStop::Take(SECOND));
    let b = Probe::new("b").requires("a").on_stop(OnStop::Take(SECOND));
    let c = Probe::new("c").requires("b").on_stop(OnStop::Take(SECOND));
    let (down, other) = (Probe::new("down").requires("a"), Probe::new("other").wants("a"));
    let kit = Kit::new([&a, &b, &c, &down, &other]);
    kit.supervisor.start("c").await.unwrap();
    kit.supervisor.start("other").await.unwrap();
    kit.log.clear();
    let began = Instant::now();
    let mut report = kit.supervisor.restart("a").await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 3);
    settle().await;
    report.dependents.sort();
    assert_eq!(report.dependents, ["b", "c"]);
    assert_eq!(
        kit.log.lines(),
        [
            "c stopping dependency",
            "c ended",
            "b stopping dependency",
            "b ended",
            "a stopping restart",
            "a ended",
            "a begins",
            "a ready",
            "b begins",
            "b ready",
            "c begins",
            "c ready"
        ]
    );
    assert_eq!((kit.incarnation("other"), kit.incarnation("down")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn c05_restart_does_not_wait_for_the_dependents_to_be_back() {
    let b = Probe::new("b").requires("a");
    let kit = Kit::new([&Probe::new("a"), &b]);
    kit.supervisor.start("b").await.unwrap();
    b.clone().begin([]);
    kit.supervisor.restart("a").await.unwrap();
    settle().await;
    assert_eq!((kit.state("a"), kit.state("b")), ("running".into(), "starting".into()));
}

#[tokio::test(start_paused = true)]
async fn c05_restart_of_what_does_not_run_is_a_start() {
    let a = Probe::new("a").requires("base");
    let kit = Kit::new([&a, &Probe::new("base")]);
    let report = kit.supervisor.restart("a").await.unwrap();
    assert!(report.dependents.is_empty());
    assert_eq!((kit.incarnation("a"), kit.incarnation("base")), (1, 1));
    a.order(Do::Fail("no net"));
    settle().await;
    kit.supervisor.restart("a").await.unwrap();
    assert_eq!((kit.state("a"), kit.incarnation("a")), ("running".into(), 2));
    assert_eq!(kit.incarnation("base"), 1);
    kit.supervisor.stop("a").await.unwrap();
    kit.supervisor.restart("a").await.unwrap();
    assert_eq!((kit.state("a"), kit.incarnation("a")), ("running".into(), 3));
}

#[tokio::test(start_paused = true)]
async fn c05_restart_while_starting_begins_anew_and_earlier_callers_share_it() {
    let a = Probe::new("a").begin([]).on_stop(OnStop::Take(SECOND));
    let kit = Kit::new([&a]);
    let start = kit.starting("a").await;
    let restart = kit.restarting("a").await;
    assert_eq!(kit.state("a"), "stopping (restart)");
    sleep(2 * SECOND).await;
    assert_eq!((kit.state("a"), kit.incarnation("a")), ("starting".into(), 2));
    assert!(!start.is_finished() && !restart.is_finished());
    a.order(Do::Ready);
    assert_eq!(start.await.unwrap().unwrap(), StartOutcome::Started);
    restart.await.unwrap().unwrap();
    assert_eq!((kit.incarnation("a"), a.most_live()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn c05_a_restart_that_fails_says_why_and_earlier_callers_share_that_too() {
    let a = Probe::new("a").begin([]);
    let kit = Kit::new([&a]);
    let start = kit.starting("a").await;
    a.clone().begin([Do::Fail("no port")]);
    let error = kit.supervisor.restart("a").await.unwrap_err();
    let RestartError::Start(StartError::Failed { culprit, source, .. }) = &error else {
        panic!("{error}")
    };
    assert_eq!(culprit, "a");
    assert!(source.to_string().contains("no port"), "{source}");
    let error = start.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("no port"), "{error}");
    assert!(kit.state("a").starts_with("failed"), "{}", kit.state("a"));
}

#[tokio::test(start_paused = true)]
async fn c05_a_restart_that_fails_leaves_what_it_requires_running() {
    let (base, a) = (Probe::new("base"), Probe::new("a").requires("base"));
    let kit = Kit::new([&base, &a]);
    kit.supervisor.start("a").await.unwrap();
    a.clone().begin([Do::Fail("no port")]);
    kit.supervisor.restart("a").await.unwrap_err();
    assert_eq!((kit.state("base"), kit.incarnation("base")), ("running".into(), 1));
}

#[tokio::test(start_paused = true)]
async fn c05_unknown_names_and_disabled_services_are_told() {
    let kit = Kit::new([&Probe::new("storage").load(Load::Disabled("no licence"))]);
    let error = kit.supervisor.restart("storrage").await.unwrap_err();
    assert!(matches!(&error, RestartError::Start(StartError::Unknown { .. })), "{error}");
    let error = kit.supervisor.request_restart("storrage").unwrap_err();
    assert!(matches!(&error, RestartError::Start(StartError::Unknown { .. })), "{error}");
    let error = kit.supervisor.restart("storage").await.unwrap_err();
    assert!(matches!(&error, RestartError::Start(StartError::Disabled { .. })), "{error}");
}

#[tokio::test(start_paused = true)]
async fn c05_restart_then_stop_ends_stopped() {
    let a = Probe::new("a").on_stop(OnStop::Take(SECOND));
    let (base, b) = (Probe::new("base"), Probe::new("b").requires("a"));
    let kit = Kit::new([&base, &a, &b]);
    kit.supervisor.start("b").await.unwrap();
    let restart = kit.restarting("a").await;
    let stop = kit.stopping("a").await;
    let error = restart.await.unwrap().unwrap_err();
    let RestartError::Start(StartError::Stopped { by, reason, .. }) = &error else {
        panic!("{error}")
    };
    assert_eq!((by.as_str(), *reason), ("a", StopReason::Asked));
    stop.await.unwrap().unwrap();
    sleep(60 * SECOND).await;
    assert!(kit.state("a").starts_with("stopped"), "{}", kit.state("a"));
    assert!(kit.state("b").starts_with("stopped"), "{}", kit.state("b"));
    assert_eq!((kit.incarnation("a"), kit.incarnation("b")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn c05_stop_then_start_ends_running() {
    let a = Probe::new("a").on_stop(OnStop::Take(SECOND));
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.request_stop("a").unwrap();
    assert_eq!(kit.supervisor.start("a").await.unwrap(), StartOutcome::Started);
    sleep(60 * SECOND).await;
    assert_eq!((kit.state("a"), kit.incarnation("a")), ("running".into(), 2));
}

#[tokio::test(start_paused = true)]
async fn c05_restarts_at_the_same_time_share_one_fresh_run() {
    let a = Probe::new("a").on_stop(OnStop::Take(SECOND));
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let restarts = join_all((0..50).map(|_| kit.supervisor.restart("a"))).await;
    assert!(restarts.iter().all(Result::is_ok));
    assert_eq!((kit.incarnation("a"), a.most_live()), (2, 1));
}

/// 64 tasks over one name, their calls this far apart; the last call decides.
async fn race(last: &'static str, apart: Duration) -> (Kit, Probe) {
    let a = Probe::new("a").on_stop(OnStop::Take(SECOND)).begin([Do::Take(SECOND), Do::Ready]);
    let kit = Kit::new([&a]);
    let mut calls = Vec::new();
    for at in 0..64 {
        let supervisor = kit.supervisor.clone();
        let call = if at == 63 { last } else { ["start", "stop", "restart"][at % 3] };
        calls.push(spawn(async move {
            sleep(at as u32 * apart).await;
            match call {
                "start" => supervisor.start("a").await.is_ok(),
                "stop" => supervisor.stop("a").await.is_ok(),
                _ => supervisor.restart("a").await.is_ok(),
            }
        }));
    }
    let answers = join_all(calls).await;
    assert!(*answers[63].as_ref().unwrap(), "the last call is not cancelled by another");
    assert!(answers.iter().skip(1).step_by(3).all(|stop| *stop.as_ref().unwrap()));
    sleep(60 * SECOND).await;
    (kit, a)
}

#[tokio::test(start_paused = true)]
async fn c05_many_tasks_that_race_over_one_name_agree_on_the_last() {
    for (last, state) in [("start", "running"), ("restart", "running"), ("stop", "stopped")] {
        for apart in [0, 1, 150, 700, 2500].map(Duration::from_millis) {
            let (kit, a) = race(last, apart).await;
            assert!(kit.state("a").starts_with(state), "{last}, {apart:?}: {}", kit.state("a"));
            assert_eq!(a.live(), usize::from(state == "running"), "{last}, {apart:?}");
            assert!(a.most_live() <= 1, "{last}, {apart:?}");
        }
    }
}

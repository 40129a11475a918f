//! Stopping: what does not run, what runs, and what comes twice or at the same time.

use std::sync::Arc;

use parking_lot::Mutex;
use plux::{ServiceContext, StartOutcome, StopError, StopHow};
use tokio::time::Instant;

use crate::kit::{Do, Kit, Load, OnStop, Probe, SECOND, settle};

#[tokio::test(start_paused = true)]
async fn s05_stopping_what_never_started_does_nothing() {
    let kit = Kit::new([&Probe::new("a"), &Probe::new("b").requires("a")]);
    let report = kit.supervisor.stop("a").await.unwrap();
    settle().await;
    assert!(report.rows.is_empty(), "{report:?}");
    assert!(kit.events.all().is_empty());
    assert_eq!(kit.log.lines(), Vec::<String>::new());
    assert_eq!(kit.state("a"), "stopped (never started)");
}

#[tokio::test(start_paused = true)]
async fn s05_stopping_a_name_that_is_not_there_is_an_error_with_those_like_it() {
    let kit = Kit::new([&Probe::new("storage")]);
    for error in [
        kit.supervisor.stop("storrage").await.unwrap_err(),
        kit.supervisor.request_stop("storrage").unwrap_err(),
        kit.supervisor.wait("storrage").await.unwrap_err(),
    ] {
        let StopError::Unknown { name, near } = &error else { panic!("{error}") };
        assert_eq!((name.as_str(), near.0[0].as_str()), ("storrage", "storage"));
    }
}

#[tokio::test(start_paused = true)]
async fn s05_stop_answers_when_the_run_has_ended() {
    let a = Probe::new("a").on_stop(OnStop::Take(3 * SECOND));
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let began = Instant::now();
    let report = kit.supervisor.stop("a").await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 3);
    assert_eq!(a.live(), 0);
    let [row] = &report.rows[..] else { panic!("{report:?}") };
    assert_eq!(row.name, "a");
    assert!(matches!(row.how, StopHow::Clean), "{}", row.how);
    assert_eq!(row.ended.unwrap() - row.asked, 3 * SECOND);
    assert_eq!(row.origin, kit.supervisor.status("a").unwrap().origin);
}

#[tokio::test(start_paused = true)]
async fn s05_a_second_stop_does_nothing() {
    let kit = Kit::new([&Probe::new("a")]);
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.stop("a").await.unwrap();
    settle().await;
    kit.events.clear();
    let report = kit.supervisor.stop("a").await.unwrap();
    settle().await;
    assert!(report.rows.is_empty(), "{report:?}");
    assert!(kit.events.all().is_empty());
    assert_eq!(kit.state("a"), "stopped (asked)");
}

#[tokio::test(start_paused = true)]
async fn s05_stops_at_the_same_time_share_one_end() {
    let a = Probe::new("a").on_stop(OnStop::Take(3 * SECOND));
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let (first, second) = (kit.stopping("a").await, kit.stopping("a").await);
    assert!(!first.is_finished() && !second.is_finished());
    for call in [first, second] {
        let report = call.await.unwrap().unwrap();
        assert_eq!(report.stopped().collect::<Vec<_>>(), ["a"]);
        assert_eq!(a.live(), 0);
    }
    settle().await;
    assert_eq!(kit.log.count("a stopping"), 1);
    assert_eq!(
        kit.events.states("a"),
        ["starting", "running", "stopping (asked)", "stopped (asked)"]
    );
}

#[tokio::test(start_paused = true)]
async fn s05_stopping_what_failed_or_completed_leaves_the_cause() {
    let failed = Probe::new("failed").begin([Do::Ready, Do::Fail("no net")]);
    let done = Probe::new("done").begin([Do::Ready, Do::Complete]);
    let off = Probe::new("off").load(Load::Disabled("no licence"));
    let kit = Kit::new([&failed, &done, &off]);
    kit.supervisor.start_all().await;
    settle().await;
    kit.events.clear();
    for (name, state) in [
        ("failed", "failed: no net"),
        ("done", "stopped (completed)"),
        ("off", "disabled: no licence"),
    ] {
        let report = kit.supervisor.stop(name).await.unwrap();
        assert!(report.rows.is_empty(), "{report:?}");
        assert_eq!(kit.state(name), state);
    }
    settle().await;
    assert!(kit.events.all().is_empty());
}

#[tokio::test(start_paused = true)]
async fn s05_a_start_after_a_stop_waits_for_the_end_and_begins_a_new_run() {
    let a = Probe::new("a").on_stop(OnStop::Take(3 * SECOND));
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let stop = kit.stopping("a").await;
    let start = kit.starting("a").await;
    assert_eq!(kit.state("a"), "stopping (asked)");
    assert_eq!(kit.log.count("a begins"), 1);
    assert_eq!(start.await.unwrap().unwrap(), StartOutcome::Started);
    assert_eq!(stop.await.unwrap().unwrap().stopped().collect::<Vec<_>>(), ["a"]);
    settle().await;
    assert_eq!((kit.incarnation("a"), a.live(), a.most_live()), (2, 1, 1));
    assert_eq!(
        kit.log.of("a")[2..],
        ["begins", "ready", "stopping asked", "ended", "begins", "ready"]
    );
    assert_eq!(
        kit.events.states("a")[2..],
        ["stopping (asked)", "stopped (asked)", "starting", "running"]
    );
}

#[tokio::test(start_paused = true)]
async fn s05_a_start_of_a_dependent_after_a_stop_waits_for_the_ends_and_begins_new_runs() {
    let a = Probe::new("a").on_stop(OnStop::Take(SECOND));
    let b = Probe::new("b").requires("a").on_stop(OnStop::Take(SECOND));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    let stop = kit.stopping("a").await;
    let start = kit.starting("b").await;
    kit.log.clear();
    assert_eq!(start.await.unwrap().unwrap(), StartOutcome::Started);
    stop.await.unwrap().unwrap();
    assert_eq!(
        kit.log.lines(),
        ["b ended", "a stopping asked", "a ended", "a begins", "a ready", "b begins", "b ready"]
    );
    assert_eq!((kit.state("a"), kit.state("b")), ("running".into(), "running".into()));
}

#[tokio::test(start_paused = true)]
async fn s05_the_last_of_stop_start_stop_wins() {
    let a = Probe::new("a").on_stop(OnStop::Take(3 * SECOND));
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let first = kit.stopping("a").await;
    let start = kit.starting("a").await;
    let last = kit.stopping("a").await;
    let error = start.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("by a stop of `a` (registered at a:7"), "{error}");
    first.await.unwrap().unwrap();
    last.await.unwrap().unwrap();
    settle().await;
    assert_eq!((kit.state("a"), kit.incarnation("a")), ("stopped (asked)".into(), 1));
}

#[tokio::test(start_paused = true)]
async fn s05_wait_answers_when_the_service_neither_runs_nor_is_about_to() {
    let a = Probe::new("a").on_stop(OnStop::Take(3 * SECOND));
    let kit = Kit::new([&a]);
    let state = kit.supervisor.wait("a").await.unwrap();
    assert_eq!(state.to_string(), "stopped (never started)");
    kit.supervisor.start("a").await.unwrap();
    let supervisor = kit.supervisor.clone();
    let wait = crate::kit::spawn(async move { supervisor.wait("a").await });
    let stop = kit.stopping("a").await;
    assert!(!wait.is_finished());
    stop.await.unwrap().unwrap();
    assert_eq!(wait.await.unwrap().unwrap().to_string(), "stopped (asked)");
}

#[tokio::test(start_paused = true)]
async fn s05_running_until_ends_with_what_it_waits_for_or_with_the_stop() {
    let found = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&found);
    let waits = Do::call(move |cx: ServiceContext| {
        let kept = Arc::clone(&kept);
        async move {
            let done = cx.running_until(async { "done" }).await;
            kept.lock().push(done);
            let stopped = cx.running_until(std::future::pending()).await;
            kept.lock().push(stopped);
            let late = cx.running_until(std::future::pending()).await;
            kept.lock().push(late);
        }
    });
    let kit = Kit::new([&Probe::new("a").begin([Do::Ready, waits])]);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    assert_eq!(*found.lock(), [Some("done")]);
    let report = kit.supervisor.stop("a").await.unwrap();
    assert_eq!(*found.lock(), [Some("done"), None, None]);
    assert!(matches!(report.rows[0].how, StopHow::Clean), "{}", report.rows[0].how);
}

//! What a run that was told to stop counts as, whatever it returns.

use plux::{EventKind, Exit, ServiceFailure, ServiceState, StartError, StopHow, StopRow};

use crate::kit::{Do, Kit, OnStop, Probe, SECOND, settle};

/// What was reported of a service's stop.
#[track_caller]
fn reported(row: Option<&StopRow>) -> String {
    match row.map(|row| &row.how) {
        Some(StopHow::Error(Exit::Failed(error))) => format!("failed: {error}"),
        Some(StopHow::Error(Exit::Panicked(panic))) => format!("panicked: {}", panic.message),
        Some(how) => how.to_string(),
        None => "nothing".to_owned(),
    }
}

/// What listeners were told of the stops of a service that did not go well.
fn heard(kit: &Kit, name: &str) -> Vec<String> {
    let of_name = kit.events.all().into_iter().filter(|event| event.id.name == *name);
    let text = |exit| match exit {
        Exit::Failed(error) => format!("failed: {error}"),
        Exit::Panicked(panic) => format!("panicked: {}", panic.message),
        other => other.to_string(),
    };
    let told = of_name.filter_map(|event| match event.kind {
        EventKind::StopFailed { exit, incarnation } => {
            Some(format!("{incarnation} {}", text(exit)))
        }
        _ => None,
    });
    told.collect()
}

/// The same, of an end that is one of [`ENDS`].
fn told(how: &str) -> Vec<String> {
    if how == "clean" { Vec::new() } else { vec![format!("1 {how}")] }
}

const ENDS: [(OnStop, &str); 3] = [
    (OnStop::Return, "clean"),
    (OnStop::Fail("half written"), "failed: half written"),
    (OnStop::Panic("oh no"), "panicked: oh no"),
];

#[tokio::test(start_paused = true)]
async fn s07_after_a_stop_by_name_a_service_is_stopped_and_its_error_is_reported() {
    for (on_stop, how) in ENDS {
        let kit = Kit::new([&Probe::new("a").on_stop(on_stop)]);
        kit.supervisor.start("a").await.unwrap();
        let report = kit.supervisor.stop("a").await.unwrap();
        assert_eq!(kit.state("a"), "stopped (asked)", "{how}");
        assert_eq!(reported(report.rows.first()), how);
    }
}

#[tokio::test(start_paused = true)]
async fn s07_the_error_of_a_stop_that_nobody_waits_for_is_reported_to_listeners() {
    for (on_stop, how) in ENDS.into_iter().chain([(OnStop::Ignore, "aborted")]) {
        let kit = Kit::new([&Probe::new("a").on_stop(on_stop)]);
        kit.supervisor.start("a").await.unwrap();
        kit.supervisor.request_stop("a").unwrap();
        kit.supervisor.wait("a").await.unwrap();
        settle().await;
        assert_eq!(heard(&kit, "a"), told(how));
        let kinds = kit.events.all();
        assert!(matches!(kinds.last().unwrap().kind, EventKind::Service { .. }), "{kinds:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn s07_a_dependent_is_stopped_for_its_dependency_and_its_error_is_reported() {
    for (on_stop, how) in ENDS {
        let b = Probe::new("b").requires("a").on_stop(on_stop);
        let kit = Kit::new([&Probe::new("a"), &b]);
        kit.supervisor.start("b").await.unwrap();
        let report = kit.supervisor.stop("a").await.unwrap();
        assert_eq!(kit.state("b"), "stopped (dependency)", "{how}");
        assert_eq!(reported(report.rows.iter().find(|row| row.name == "b")), how);
        assert_eq!(reported(report.rows.iter().find(|row| row.name == "a")), "clean");
    }
}

#[tokio::test(start_paused = true)]
async fn s07_a_shutdown_leaves_services_stopped_and_reports_their_errors() {
    for (on_stop, how) in ENDS {
        let kit = Kit::new([&Probe::new("a").on_stop(on_stop)]);
        kit.supervisor.start("a").await.unwrap();
        let report = kit.supervisor.shutdown().await.unwrap();
        assert_eq!(kit.state("a"), "stopped (shutdown)", "{how}");
        assert_eq!(reported(report.row("a")), how);
        assert_eq!(report.is_clean(), how == "clean");
    }
}

#[tokio::test(start_paused = true)]
async fn s07_a_restart_counts_as_no_failure_whatever_the_old_run_returns() {
    for (on_stop, how) in ENDS {
        let kit = Kit::new([&Probe::new("a").on_stop(on_stop)]);
        kit.supervisor.start("a").await.unwrap();
        kit.supervisor.restart("a").await.unwrap();
        settle().await;
        assert_eq!(
            kit.events.states("a")[2..],
            ["stopping (restart)", "stopped (restart)", "starting", "running"],
            "{how}"
        );
        assert_eq!(heard(&kit, "a"), told(how));
    }
}

#[tokio::test(start_paused = true)]
async fn s07_a_rollback_counts_as_no_failure_whatever_the_run_returns() {
    for (on_stop, how) in ENDS {
        let a = Probe::new("a").on_stop(on_stop);
        let bad = Probe::new("bad").begin([Do::Take(SECOND), Do::Fail("no")]);
        let kit = Kit::new([&a, &bad, &Probe::new("top").requires("a").requires("bad")]);
        let error = kit.supervisor.start("top").await.unwrap_err();
        assert!(
            matches!(&error, StartError::Failed { culprit, .. } if culprit == "bad"),
            "{error}"
        );
        assert_eq!(kit.state("a"), "stopped (unneeded)", "{how}");
        settle().await;
        assert_eq!(heard(&kit, "a"), told(how));
        assert_eq!(heard(&kit, "bad"), told("clean"), "it was not told to stop");
    }
}

#[tokio::test(start_paused = true)]
async fn s07_after_the_start_deadline_the_exit_is_that_failure_whatever_is_returned() {
    for (on_stop, how) in ENDS {
        let a = Probe::new("a").begin([]).on_stop(on_stop).start_timeout(2 * SECOND);
        let kit = Kit::new([&a]);
        let error = kit.supervisor.start("a").await.unwrap_err();
        let StartError::Failed { source, .. } = &error else { panic!("{error}") };
        let late = |failure: &ServiceFailure| matches!(failure, ServiceFailure::StartTimeout { timeout: time, .. } if *time == 2 * SECOND);
        assert!(late(source), "{how}: {source}");
        let ServiceState::Failed(failure) = kit.raw_state("a") else { panic!("{how}") };
        assert!(late(&failure), "{how}: {failure}");
        assert_eq!(
            kit.events.states("a")[1..],
            [
                "stopping (start_deadline)",
                "failed: it was not ready within 2s, and still in its `run`; start_timeout sets the time"
            ],
        );
        assert_eq!(heard(&kit, "a"), told(how));
    }
}

#[tokio::test(start_paused = true)]
async fn s07_what_ends_just_before_it_would_be_told_to_stop_has_ended_by_itself() {
    let a = Probe::new("a").begin([Do::Ready, Do::Fail("no net")]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    kit.supervisor.stop("a").await.unwrap();
    assert_eq!(kit.state("a"), "failed: no net");
}

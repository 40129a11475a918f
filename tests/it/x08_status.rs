//! The exit status of a shutdown, as a program returns it.

use std::process::{ExitCode, Termination};

use plux::{ShutdownReport, StopHow};

use crate::kit::{Do, Kit, Load, OnStop, Probe, SECOND, settle};

/// Starts all, lets them settle, and shuts down.
async fn run(kit: &Kit) -> ShutdownReport {
    kit.supervisor.start_all().await;
    settle().await;
    kit.supervisor.shutdown().await.unwrap()
}

/// The status as text, since a status can not be compared.
fn status(report: &ShutdownReport) -> String {
    format!("{:?}", report.clone().report())
}

#[track_caller]
fn assert_status(report: &ShutdownReport, code: ExitCode) {
    assert_eq!(status(report), format!("{code:?}"), "{report}");
    assert_eq!(report.is_clean(), status(report) == format!("{:?}", ExitCode::SUCCESS));
}

#[tokio::test(start_paused = true)]
async fn x08_the_status_is_0_when_all_went_well() {
    let kit = Kit::new([
        &Probe::new("done").begin([Do::Ready, Do::Complete]),
        &Probe::new("off").load(Load::Disabled("no licence")),
        &Probe::new("slow").on_stop(OnStop::Take(9 * SECOND)),
    ]);
    let report = run(&kit).await;
    assert_status(&report, ExitCode::SUCCESS);
    assert!(report.failed_before().is_empty());
}

#[tokio::test(start_paused = true)]
async fn x08_the_status_is_1_when_something_had_failed_before() {
    for order in [Do::Fail("no net"), Do::Panic("oh no")] {
        let kit = Kit::new([&Probe::new("bad").begin([Do::Ready, order]), &Probe::new("good")]);
        let report = run(&kit).await;
        assert_status(&report, ExitCode::FAILURE);
        assert_eq!(report.failed_before(), ["bad"]);
        assert!(matches!(report.row("good").unwrap().how, StopHow::Clean));
        assert!(report.to_string().contains("bad: had failed before"), "{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn x08_the_status_is_1_when_something_had_failed_to_start() {
    let kit = Kit::new([&Probe::new("bad").begin([Do::Fail("no port")])]);
    let report = run(&kit).await;
    assert_status(&report, ExitCode::FAILURE);
    assert_eq!(report.failed_before(), ["bad"]);
}

#[tokio::test(start_paused = true)]
async fn x08_a_failure_that_was_mended_before_the_shutdown_does_not_count() {
    let bad = Probe::new("bad").begin([Do::Fail("no port")]);
    let kit = Kit::new([&bad]);
    kit.supervisor.start("bad").await.unwrap_err();
    bad.clone().begin([Do::Ready]);
    assert_status(&run(&kit).await, ExitCode::SUCCESS);
}

#[tokio::test(start_paused = true)]
async fn x08_the_status_is_1_when_something_is_aborted_or_fails_while_it_stops() {
    for (on_stop, how) in [
        (OnStop::Ignore, "aborted"),
        (OnStop::Fail("half written"), "error: half written"),
        (OnStop::Panic("oh no"), "error: panicked"),
    ] {
        let kit = Kit::new([&Probe::new("bad").on_stop(on_stop), &Probe::new("good")]);
        let report = run(&kit).await;
        assert_status(&report, ExitCode::FAILURE);
        let row = report.row("bad").unwrap();
        assert!(row.how.to_string().starts_with(how), "{} is not {how}", row.how);
        assert!(report.failed_before().is_empty());
        assert_eq!(report.late().count(), usize::from(how == "aborted"));
    }
}

#[tokio::test(start_paused = true)]
async fn x08_abort_now_ends_everything_at_once_in_no_order() {
    let base = Probe::new("base").on_stop(OnStop::Ignore);
    let top = Probe::new("top").requires("base").on_stop(OnStop::Ignore);
    let kit = Kit::new([&base, &top]);
    kit.supervisor.start("top").await.unwrap();
    kit.supervisor.request_shutdown();
    settle().await;
    assert_eq!(
        (kit.state("top"), kit.state("base")),
        ("stopping (shutdown)".into(), "running".into())
    );
    let began = tokio::time::Instant::now();
    kit.supervisor.abort_now();
    let report = kit.supervisor.shutdown().await.unwrap();
    assert_eq!(began.elapsed(), std::time::Duration::ZERO);
    assert_status(&report, ExitCode::FAILURE);
    assert_eq!(report.late().collect::<Vec<_>>(), ["base", "top"]);
    assert_eq!((base.live(), top.live()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn x08_run_until_signal_answers_a_shutdown_that_was_begun_elsewhere() {
    let kit = Kit::new([&Probe::new("a").on_stop(OnStop::Take(SECOND))]);
    kit.supervisor.start("a").await.unwrap();
    let supervisor = kit.supervisor.clone();
    let main = crate::kit::spawn(async move { supervisor.run_until_signal().await });
    settle().await;
    assert!(!main.is_finished(), "it ended without a signal");
    let report = kit.supervisor.shutdown().await.unwrap();
    let same = main.await.unwrap().unwrap();
    assert_status(&same, ExitCode::SUCCESS);
    assert_eq!(same.to_string(), report.to_string());
    assert_eq!(same.total(), SECOND);
}

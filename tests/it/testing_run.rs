//! Runs that are recorded: what stands in a trace, and that it is the same twice.

use std::time::Duration;

use plux::testing::{Probe, RecordedRun, Step, Trace};
use plux::{GiveUp, GracePeriod, Intensity, RestartPolicy, ServiceOptions};

const SECOND: Duration = Duration::from_secs(1);

/// The run on the page about traces.
#[tokio::test(start_paused = true)]
async fn the_page_shows_the_run_that_it_speaks_of() {
    let page = include_str!("../../docs/trace.md");
    let db =
        Probe::new("db").run(1, [Step::Ready, Step::Sleep(SECOND), Step::Fail("the disk is full")]);
    let run = RecordedRun::of([db, Probe::new("api").requires("db")]).unwrap();
    run.start("api").await;
    tokio::time::sleep(2 * SECOND).await;
    run.stop("db").await;
    let trace = run.end().await.to_string();
    let shown = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(shown, trace, "the page is to show:\n{trace}");
}

async fn a_run() -> Trace {
    let permanent = ServiceOptions::NONE
        .with_restart(RestartPolicy::Permanent)
        .with_intensity(Intensity::new(1, 60 * SECOND))
        .with_give_up(GiveUp::Fail);
    let db = Probe::new("db")
        .options(permanent)
        .run(1, [Step::Ready, Step::Sleep(SECOND), Step::Fail("the disk is full")])
        .run(2, [Step::Sleep(SECOND), Step::Ready, Step::Sleep(SECOND), Step::Panic("no disk")]);
    let slow = ServiceOptions::NONE.with_grace_period(GracePeriod::Bounded(SECOND));
    let api = Probe::new("api")
        .requires("db")
        .options(slow)
        .on_stop(1, [Step::Sleep(SECOND / 2)])
        .on_stop(2.., [Step::Hang]);
    let off = Probe::new("off").should_load(.., [Step::Decline]);
    let run = RecordedRun::of([db, api, off]).unwrap();
    let joined = run.clone();
    let joined = tokio::task::spawn_local(async move { joined.start("api").await });
    run.start("api").await;
    joined.await.unwrap();
    run.start("off").await;
    tokio::time::sleep(10 * SECOND).await;
    run.restart("api").await;
    run.stop("db").await;
    run.end().await
}

#[tokio::test(start_paused = true)]
async fn the_same_commands_make_the_same_trace() {
    let first = tokio::task::LocalSet::new().run_until(a_run()).await.to_string();
    let second = tokio::task::LocalSet::new().run_until(a_run()).await.to_string();
    assert_eq!(first, second);
    assert_eq!(Trace::read(&first).unwrap().to_string(), first);
}

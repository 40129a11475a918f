//! What is asserted of a record fails when it should, and shows the record.

use std::time::Duration;

use plux::testing::{Probe, Recorder, Step};
use plux::{Backoff, ServiceOptions, StopReason, Supervisor};

const SECOND: Duration = Duration::from_secs(1);

async fn recorded() -> Recorder {
    let recorder = Recorder::new();
    let at_once = ServiceOptions::NONE.with_backoff(Backoff::NONE);
    let db = Probe::new("db")
        .options(at_once)
        .run(1, [Step::Ready, Step::Sleep(SECOND), Step::Fail("the disk is full")]);
    let api = Probe::new("api").requires("db").on_stop(.., [Step::Sleep(SECOND)]);
    let supervisor = Supervisor::builder()
        .manager(Probe::manager([db, api], &recorder))
        .listener(recorder.clone())
        .build()
        .unwrap();
    supervisor.start("api").await.unwrap();
    recorder.note("the api is up");
    tokio::time::sleep(5 * SECOND).await;
    supervisor.shutdown().await.unwrap();
    recorder
}

#[tokio::test(start_paused = true)]
async fn an_order_is_found_with_gaps_and_with_or_without_what_is_in_parentheses() {
    let recorder = recorded().await;
    recorder.assert_order(["db factory 1", "db load 1", "db#1 begun", "db#1 ready", "db running"]);
    recorder.assert_order(["db running", "api starting", "the api is up", "db backoff"]);
    recorder.assert_order(["api stopping (dependency)", "api#1 told to stop", "api stopped"]);
    recorder.assert_order(["db#1 ended (error)", "db#1 dropped", "db#2 begun", "api#2 begun"]);
    recorder.assert_order([]);
    assert_eq!(recorder.told_to_stop("api"), [StopReason::Dependency, StopReason::Shutdown]);
    assert_eq!(recorder.told_to_stop("db"), [StopReason::Shutdown]);
    assert_eq!(recorder.told_to_stop("cache"), []);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_follow_is_named_with_the_run() {
    let recorder = recorded().await;
    let violation = recorder.order(["db running", "api#1 begun", "db factory 1"]).unwrap_err();
    let text = violation.to_string();
    assert!(text.contains("the recorded run:\n         0 ms  db"), "{text}");
    let violation = recorder.order(["api#2 begun", "db#1 begun"]).unwrap_err();
    let problem = "`db#1 begun` does not follow `api#2 begun`: it was recorded before";
    assert_eq!(violation.problem, problem);
    assert!(violation.run.lines().any(|line| line == "->    2000 ms  api#2 begun"), "{violation}");
    let violation = recorder.order(["db running", "cache running"]).unwrap_err();
    let problem = "`cache running` does not follow `db running`: it was not recorded";
    assert_eq!(violation.problem, problem);
    let violation = recorder.order(["api stopping (asked)"]).unwrap_err();
    assert_eq!(violation.problem, "`api stopping (asked)` was not recorded");
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "`db running` does not follow `db stopped`")]
async fn an_assertion_of_order_panics() {
    recorded().await.assert_order(["db stopped", "db running"]);
}

#[tokio::test(start_paused = true)]
async fn what_never_is_is_looked_for_after_every_state() {
    let recorder = recorded().await;
    recorder.assert_never("api runs and db is gone", |states| {
        states.is_running("api") && states.of("db").is_none()
    });
    let violation = recorder
        .never("api is live and db does not run", |states| {
            states.is_live("api") && !states.is_running("db")
        })
        .unwrap_err();
    assert_eq!(violation.problem, "api is live and db does not run, at the arrow");
    let arrow = violation.run.lines().find(|line| line.starts_with("->")).unwrap();
    assert!(arrow.contains("1000 ms  db backoff"), "{violation}");
    // Of nothing, everything holds.
    let violation = Recorder::new().never("it is so", |_| true).unwrap_err();
    assert!(violation.problem.starts_with("no state was recorded"), "{violation}");
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "db runs, at the arrow")]
async fn an_assertion_of_what_never_is_panics() {
    recorded().await.assert_never("db runs", |states| states.is_running("db"));
}

#[tokio::test(start_paused = true)]
async fn two_runs_at_once_are_seen() {
    let recorder = recorded().await;
    recorder.assert_one_live();
    let violation = Recorder::new().one_live().unwrap_err();
    assert!(violation.problem.starts_with("no run was recorded"), "{violation}");
    // Two supervisors of one probe begin it twice.
    let probe = Probe::new("db");
    let twice = Recorder::new();
    let supervisor = || {
        let manager = Probe::manager([probe.clone()], &twice);
        Supervisor::builder().manager(manager).build().unwrap()
    };
    let (one, other) = (supervisor(), supervisor());
    one.start("db").await.unwrap();
    other.start("db").await.unwrap();
    let violation = twice.one_live().unwrap_err();
    assert_eq!(violation.problem, "db#1 began before db#1 was gone");
    assert!(violation.run.contains("->       0 ms  db#1 begun"), "{violation}");
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "no run was recorded")]
async fn an_assertion_of_one_run_panics() {
    Recorder::new().assert_one_live();
}

#[test]
fn a_violation_shows_itself_as_its_text() {
    let violation = Recorder::new().one_live().unwrap_err();
    assert_eq!(format!("{violation:?}"), violation.to_string());
}

#[tokio::test(start_paused = true)]
async fn a02_who_comes_and_goes_is_recorded() {
    let recorder = Recorder::new();
    let supervisor = Supervisor::builder().listener(recorder.clone()).build().unwrap();
    supervisor.add(Probe::manager([Probe::new("guest")], &recorder)).await.unwrap();
    supervisor.start("guest").await.unwrap();
    supervisor.stop("guest").await.unwrap();
    supervisor.remove("guest").await.unwrap();
    supervisor.shutdown().await.unwrap();
    recorder.assert_order(["guest added", "guest running", "guest stopped", "guest removed"]);
}

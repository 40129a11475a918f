//! A stop by name takes down what stands on the service, and says whom.

use plux::{StartError, StopError, StopHow, StopReason, StopReport};
use tokio::time::{Instant, sleep};

use crate::kit::{Do, Kit, OnStop, Probe, SECOND, at_most, order, settle};

fn names(report: &StopReport) -> Vec<&str> {
    report.stopped().map(|name| name.as_str()).collect()
}

fn slow(name: &'static str, seconds: u32) -> Probe {
    Probe::new(name).on_stop(OnStop::Take(seconds * SECOND))
}

#[tokio::test(start_paused = true)]
async fn d04_dependents_stop_first_through_any_number_of_steps() {
    let (a, b, c) = (Probe::new("a"), slow("b", 1).requires("a"), slow("c", 1).requires("b"));
    let (below, beside) = (Probe::new("below"), Probe::new("beside"));
    let a = a.requires("below");
    let kit = Kit::new([&a, &b, &c, &below, &beside]);
    assert!(kit.supervisor.start_all().await.is_ok());
    let began = Instant::now();
    let report = kit.supervisor.stop("a").await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 2);
    assert_eq!(names(&report), ["c", "b", "a"]);
    assert!(report.rows.iter().all(|row| matches!(row.how, StopHow::Clean)));
    kit.log.before("c stopping dependency", "c ended");
    kit.log.before("c ended", "b stopping dependency");
    kit.log.before("b ended", "a stopping asked");
    assert_eq!(kit.state("a"), "stopped (asked)");
    assert_eq!([kit.state("b"), kit.state("c")], ["stopped (dependency)"; 2]);
    assert_eq!([kit.state("below"), kit.state("beside")], ["running"; 2]);
}

#[tokio::test(start_paused = true)]
async fn d04_a_dependent_says_stopping_only_when_its_turn_has_come() {
    let (a, b) = (Probe::new("a"), slow("b", 3).requires("a"));
    let kit = Kit::new([&a, &b]);
    assert!(kit.supervisor.start_all().await.is_ok());
    let stop = kit.stopping("a").await;
    assert_eq!([kit.state("a").as_str(), &kit.state("b")], ["running", "stopping (dependency)"]);
    stop.await.unwrap().unwrap();
    assert_eq!(kit.events.states("a")[2..], ["stopping (asked)", "stopped (asked)"]);
}

#[tokio::test(start_paused = true)]
async fn d04_only_requires_takes_down() {
    let (a, hard) = (Probe::new("a"), Probe::new("hard").requires("a"));
    let (soft, late) = (Probe::new("soft").wants("a"), Probe::new("late").after("a"));
    let on_soft = Probe::new("on_soft").requires("soft");
    let kit = Kit::new([&a, &hard, &soft, &late, &on_soft]);
    assert!(kit.supervisor.start_all().await.is_ok());
    let report = kit.supervisor.stop("a").await.unwrap();
    assert_eq!(names(&report), ["hard", "a"]);
    for name in ["soft", "late", "on_soft"] {
        assert_eq!((kit.state(name).as_str(), kit.incarnation(name)), ("running", 1));
    }
}

#[tokio::test(start_paused = true)]
async fn d04_siblings_stop_at_the_same_time_unless_an_edge_orders_them() {
    let a = Probe::new("a");
    let (b, c) = (slow("b", 2).requires("a"), slow("c", 3).requires("a"));
    let (d, e) = (slow("d", 5).requires("a").after("b"), slow("e", 1).requires("a").wants("c"));
    let kit = Kit::new([&a, &b, &c, &d, &e]);
    assert!(kit.supervisor.start_all().await.is_ok());
    let began = Instant::now();
    let report = kit.supervisor.stop("a").await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 7);
    kit.log.before("d ended", "b stopping");
    kit.log.before("e ended", "c stopping");
    // In the order of their ends.
    assert_eq!(names(&report), ["e", "c", "d", "b", "a"]);
}

#[tokio::test(start_paused = true)]
async fn d04_a_stop_cancels_what_waits_for_it() {
    let (a, b) = (Probe::new("a").begin([]), Probe::new("b").requires("a"));
    let c = Probe::new("c").requires("b");
    let kit = Kit::new([&a, &b, &c]);
    let start = kit.starting("c").await;
    assert_eq!([kit.state("b"), kit.state("c")], ["waiting"; 2]);
    let report = kit.supervisor.stop("a").await.unwrap();
    let mut stopped = names(&report);
    assert_eq!(stopped.pop(), Some("a"));
    stopped.sort_unstable();
    assert_eq!(stopped, ["b", "c"]);
    let error = start.await.unwrap().unwrap_err();
    let StartError::Stopped { name, by, reason, .. } = error else { panic!("{error}") };
    assert_eq!((name.as_str(), by.as_str(), reason), ("c", "a", StopReason::Asked));
    assert_eq!([kit.state("b"), kit.state("c")], ["stopped (dependency)"; 2]);
    assert_eq!([kit.log.count("b begins"), kit.log.count("c begins")], [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn d04_a_stop_takes_down_who_waits_for_a_failed_dependency() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    a.order(Do::Fail("no"));
    settle().await;
    assert_eq!(kit.state("b"), "waiting");
    let report = kit.supervisor.stop("a").await.unwrap();
    assert_eq!(names(&report), ["b"]);
    assert_eq!(kit.state("b"), "stopped (dependency)");
    // The cause is kept, and nobody comes back with it.
    assert!(kit.state("a").starts_with("failed: "));
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    assert_eq!(kit.state("b"), "stopped (dependency)");
}

#[tokio::test(start_paused = true)]
async fn d04_who_has_been_stopped_with_it_does_not_come_back_with_it() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    kit.supervisor.stop("a").await.unwrap();
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    assert_eq!([kit.state("a").as_str(), &kit.state("b")], ["running", "stopped (dependency)"]);
}

#[tokio::test(start_paused = true)]
async fn d04_the_answer_tells_how_each_one_ended() {
    let a = Probe::new("a").on_stop(OnStop::Fail("disk full"));
    let b = Probe::new("b").requires("a").on_stop(OnStop::Ignore);
    let kit = Kit::with([&a, &b], |builder| builder.grace_period(2 * SECOND));
    kit.supervisor.start("b").await.unwrap();
    let report = kit.supervisor.stop("a").await.unwrap();
    let rows: Vec<_> = report.rows.iter().map(|row| format!("{} {}", row.name, row.how)).collect();
    assert_eq!(rows, ["b aborted", "a error: disk full"]);
    let [b, a] = &report.rows[..] else { panic!("{rows:?}") };
    assert_eq!(a.asked, b.asked);
    assert_eq!(b.ended, Some(b.asked + 2 * SECOND));
    assert_eq!(a.ended, b.ended);
}

#[tokio::test(start_paused = true)]
async fn d04_a_second_stop_joins_and_lists_what_still_had_to_end() {
    let (a, b) = (slow("a", 1), slow("b", 2).requires("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    let first = kit.stopping("b").await;
    let second = kit.stopping("a").await;
    assert_eq!(names(&first.await.unwrap().unwrap()), ["b"]);
    assert_eq!(names(&second.await.unwrap().unwrap()), ["b", "a"]);
    assert_eq!([kit.log.count("a stopping"), kit.log.count("b stopping")], [1, 1]);
    // The first reason stays.
    assert_eq!(kit.state("b"), "stopped (asked)");
    assert_eq!(kit.supervisor.stop("a").await.unwrap().rows.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn d04_a_stop_of_what_is_unused_is_refused_while_others_would_have_to_stop_too() {
    let db = Probe::new("db");
    let (api, web) = (Probe::new("api").requires("db"), Probe::new("web").requires("api"));
    let kit = Kit::new([&db, &api, &web, &Probe::new("logs").wants("db")]);
    assert!(kit.supervisor.start_all().await.is_ok());
    kit.log.clear();
    let error = kit.supervisor.stop_unused("db").await.unwrap_err();
    let StopError::InUse { name, dependents, .. } = &error else { panic!("{error}") };
    assert_eq!((name.as_str(), dependents.len()), ("db", 2));
    let text = error.to_string();
    assert!(text.contains(&format!("`db` (registered at {})", db.origin())), "{text}");
    assert!(text.ends_with("there: `api`, `web`; stop stops these too"), "{text}");
    settle().await;
    assert!(kit.log.lines().is_empty(), "{:?}", kit.log.lines());
    // Who wants it does not use it; nor does who has stopped.
    kit.supervisor.stop("api").await.unwrap();
    let report = kit.supervisor.stop_unused("db").await.unwrap();
    assert_eq!(report.stopped().map(|name| name.as_str()).collect::<Vec<_>>(), ["db"]);
    assert_eq!(
        (kit.state("db").as_str(), kit.state("logs").as_str()),
        ("stopped (asked)", "running")
    );
    // Idempotent, as every stop is.
    assert_eq!(kit.supervisor.stop_unused("db").await.unwrap().stopped().count(), 0);
    assert!(matches!(
        kit.supervisor.stop_unused("bd").await,
        Err(StopError::Unknown { near, .. }) if near.to_string().contains("db")
    ));
}

#[tokio::test(start_paused = true)]
async fn d04_who_waits_or_is_in_backoff_uses_what_it_requires() {
    let db = Probe::new("db");
    let api = Probe::new("api").requires("db");
    let kit = Kit::with([&db, &api], at_most(5));
    kit.supervisor.start("api").await.unwrap();
    order(&api, Do::Fail("no")).await;
    assert_eq!(kit.state("api"), "backoff for 1s: no");
    assert!(matches!(kit.supervisor.stop_unused("db").await, Err(StopError::InUse { .. })));
    sleep(2 * SECOND).await;
    assert_eq!((kit.state("db").as_str(), kit.state("api").as_str()), ("running", "running"));
    order(&db, Do::Fail("no")).await;
    assert!(matches!(kit.supervisor.stop_unused("db").await, Err(StopError::InUse { .. })));
    sleep(2 * SECOND).await;
    assert_eq!((kit.state("db").as_str(), kit.state("api").as_str()), ("running", "running"));
}

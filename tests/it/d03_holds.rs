//! Who keeps a service up, and what a failed start takes back.

use plux::{EventKind, ServiceFailure, ServiceState, StartError, StartOutcome, Stopped};
use tokio::time::Instant;

use crate::kit::{Do, Kit, Load, OnStop, Probe, SECOND, settle};

/// A service that never gets ready by itself and fails when it is told to.
fn undecided(name: &'static str) -> Probe {
    Probe::new(name).begin([])
}

fn fails(name: &'static str) -> Probe {
    Probe::new(name).begin([Do::Fail("no")])
}

/// Who failed, and for which call.
#[track_caller]
fn culprit(error: StartError) -> (String, String) {
    match error {
        StartError::Failed { name, culprit, .. } => (name.to_string(), culprit.to_string()),
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn d03_a_failed_start_stops_what_it_began_dependents_first() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let (c, w) = (fails("c").requires("b").wants("w"), Probe::new("w"));
    let kit = Kit::new([&a, &b, &c, &w]);
    let error = kit.supervisor.start("c").await.unwrap_err();
    assert_eq!(culprit(error), ("c".to_owned(), "c".to_owned()));
    // Complete when the call answers.
    for name in ["a", "b", "w"] {
        assert_eq!(kit.state(name), "stopped (unneeded)");
    }
    kit.log.before("c ended", "b stopping unneeded");
    kit.log.before("b ended", "a stopping unneeded");
    kit.log.before("c ended", "w stopping unneeded");
    assert_eq!([a.live(), b.live(), w.live()], [0; 3]);
}

#[tokio::test(start_paused = true)]
async fn d03_the_answer_waits_for_the_rollback() {
    let a = Probe::new("a").on_stop(OnStop::Take(4 * SECOND));
    let (b, c) = (Probe::new("b").requires("a").on_stop(OnStop::Take(3 * SECOND)), fails("c"));
    let c = c.requires("b");
    let kit = Kit::new([&a, &b, &c]);
    let began = Instant::now();
    kit.supervisor.start("c").await.unwrap_err();
    assert_eq!(began.elapsed().as_secs(), 7);
    assert_eq!(kit.state("a"), "stopped (unneeded)");
}

#[tokio::test(start_paused = true)]
async fn d03_a_failed_start_leaves_alone_what_ran_before() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let c = fails("c").requires("b");
    let kit = Kit::new([&a, &b, &c]);
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.start("c").await.unwrap_err();
    assert_eq!([kit.state("a").as_str(), &kit.state("b")], ["running", "stopped (unneeded)"]);
    assert_eq!(kit.events.states("a"), ["starting", "running"]);
    // What a start that succeeded pulled in is held as well.
    kit.supervisor.start("b").await.unwrap();
    kit.supervisor.start("c").await.unwrap_err();
    assert_eq!([kit.state("a"), kit.state("b")], ["running"; 2]);
}

#[tokio::test(start_paused = true)]
async fn d03_what_somebody_else_came_to_hold_stays() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let (c, side) = (undecided("c").requires("b").requires("side"), Probe::new("side"));
    let kit = Kit::new([&a, &b, &c, &side]);
    let start = kit.starting("c").await;
    assert_eq!(kit.supervisor.start("b").await.unwrap(), StartOutcome::AlreadyRunning);
    c.order(Do::Fail("no"));
    start.await.unwrap().unwrap_err();
    assert_eq!([kit.state("a"), kit.state("b")], ["running"; 2]);
    assert_eq!(kit.state("side"), "stopped (unneeded)");
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn d03_two_pending_starts_share_what_both_require() {
    let (a, side) = (Probe::new("a").begin([Do::Take(SECOND), Do::Ready]), Probe::new("side"));
    let (c, d) = (undecided("c").requires("a").requires("side"), undecided("d").requires("a"));
    let kit = Kit::new([&a, &side, &c, &d]);
    let first = kit.starting("c").await;
    let second = kit.starting("d").await;
    c.order(Do::Fail("no"));
    let error = first.await.unwrap().unwrap_err();
    assert_eq!(culprit(error), ("c".to_owned(), "c".to_owned()));
    // The second start still holds it.
    assert_eq!([kit.state("a").as_str(), &kit.state("side")], ["running", "stopped (unneeded)"]);
    assert_eq!(kit.state("d"), "starting");
    d.order(Do::Ready);
    assert_eq!(second.await.unwrap().unwrap(), StartOutcome::Started);
    assert_eq!([kit.state("a"), kit.state("d")], ["running"; 2]);
    assert_eq!(kit.log.count("a begins"), 1);
}

#[tokio::test(start_paused = true)]
async fn d03_the_last_of_two_failed_starts_takes_back_what_they_shared() {
    let (a, c) = (Probe::new("a"), undecided("c").requires("a"));
    let d = undecided("d").requires("a");
    let kit = Kit::new([&a, &c, &d]);
    let first = kit.starting("c").await;
    let second = kit.starting("d").await;
    d.order(Do::Fail("no"));
    second.await.unwrap().unwrap_err();
    assert_eq!(kit.state("a"), "running");
    c.order(Do::Fail("no"));
    first.await.unwrap().unwrap_err();
    assert_eq!(kit.state("a"), "stopped (unneeded)");
}

#[tokio::test(start_paused = true)]
async fn d03_what_both_wait_for_fails_both() {
    let (a, c) = (undecided("a"), Probe::new("c").requires("a"));
    let (d, w) = (Probe::new("d").requires("a"), Probe::new("w").wants("a"));
    let kit = Kit::new([&a, &c, &d, &w]);
    let (first, second) = (kit.starting("c").await, kit.starting("d").await);
    let third = kit.starting("w").await;
    a.order(Do::Fail("no"));
    for (start, name) in [(first, "c"), (second, "d")] {
        let error = start.await.unwrap().unwrap_err();
        assert_eq!(culprit(error), (name.to_owned(), "a".to_owned()));
        assert_eq!(kit.state(name), "stopped (unneeded)");
        assert_eq!(kit.log.count(&format!("{name} begins")), 0);
    }
    assert_eq!(third.await.unwrap().unwrap(), StartOutcome::Started);
}

#[tokio::test(start_paused = true)]
async fn d03_a_stop_ends_the_hold_of_all_that_it_stops() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let c = fails("c").requires("b");
    let kit = Kit::new([&a, &b, &c]);
    kit.supervisor.start("b").await.unwrap();
    kit.supervisor.stop("b").await.unwrap();
    // It was pulled in, and nobody stopped it.
    assert_eq!(kit.state("a"), "running");
    kit.supervisor.start("c").await.unwrap_err();
    assert_eq!([kit.state("a").as_str(), &kit.state("b")], ["running", "stopped (unneeded)"]);
    kit.supervisor.start("b").await.unwrap();
    kit.supervisor.stop("a").await.unwrap();
    kit.supervisor.start("c").await.unwrap_err();
    assert_eq!([kit.state("a"), kit.state("b")], ["stopped (unneeded)"; 2]);
}

#[tokio::test(start_paused = true)]
async fn d03_a_failure_ends_the_hold() {
    let (a, c) = (Probe::new("a"), fails("c").requires("a"));
    let kit = Kit::new([&a, &c]);
    kit.supervisor.start("a").await.unwrap();
    a.order(Do::Fail("no"));
    settle().await;
    kit.supervisor.start("c").await.unwrap_err();
    assert_eq!(kit.incarnation("a"), 2);
    assert_eq!(kit.state("a"), "stopped (unneeded)");
}

#[tokio::test(start_paused = true)]
async fn d03_a_missed_deadline_ends_the_hold() {
    let a = Probe::new("a").start_timeout(5 * SECOND).on_stop(OnStop::Take(2 * SECOND));
    let c = fails("c").requires("a");
    let kit = Kit::new([&a, &c]);
    kit.supervisor.start("a").await.unwrap();
    a.clone().begin([]);
    let restart = kit.restarting("a").await;
    tokio::time::sleep(8 * SECOND).await;
    assert_eq!(kit.state("a"), "stopping (start_deadline)");
    a.clone().begin([Do::Ready]);
    // Only this one holds the next attempt.
    kit.supervisor.start("c").await.unwrap_err();
    restart.await.unwrap().unwrap_err();
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("stopped (unneeded)", 3));
}

#[tokio::test(start_paused = true)]
async fn d03_a_service_that_comes_back_holds_what_it_stands_on() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let c = fails("c").requires("a");
    let kit = Kit::new([&a, &b, &c]);
    kit.supervisor.start("b").await.unwrap();
    a.order(Do::Fail("no"));
    settle().await;
    assert_eq!(kit.state("b"), "waiting");
    let c_waits = c.begin([Do::Take(SECOND), Do::Fail("no")]);
    kit.supervisor.start("c").await.unwrap_err();
    assert_eq!(c_waits.live(), 0);
    assert_eq!([kit.state("a"), kit.state("b")], ["running"; 2]);
}

#[tokio::test(start_paused = true)]
async fn d03_dependents_of_what_failed_do_not_begin_and_learn_which_one_and_why() {
    let a = Probe::new("a").begin([Do::Panic("out of ink")]);
    let (b, c) = (Probe::new("b").requires("a"), Probe::new("c").requires("b"));
    let kit = Kit::new([&a, &b, &c]);
    let error = kit.supervisor.start("c").await.unwrap_err();
    let text = error.to_string();
    let StartError::Failed { name, culprit, origin, source } = error else { panic!("{text}") };
    assert_eq!([name.as_str(), culprit.as_str()], ["c", "a"]);
    assert_eq!(origin, a.origin());
    assert!(matches!(&*source, ServiceFailure::BeforeReady(_)), "{source}");
    assert!(text.contains("`c`") && text.contains("`a`") && text.contains("out of ink"), "{text}");
    assert!(text.contains("a:7"), "{text}");
    assert_eq!([kit.state("b"), kit.state("c")], ["stopped (unneeded)"; 2]);
    assert_eq!([kit.log.of("b"), kit.log.of("c")], [[""; 0]; 2]);
    // Another start makes another attempt.
    a.begin([Do::Ready]);
    kit.supervisor.start("c").await.unwrap();
    assert_eq!(kit.state("c"), "running");
}

#[tokio::test(start_paused = true)]
async fn d03_a_requirement_that_is_disabled_or_does_not_load_fails_the_start() {
    let off = Probe::new("off").load(Load::Disabled("no licence"));
    let bad = Probe::new("bad").load(Load::Panic("no"));
    let (b, c) = (Probe::new("b").requires("off"), Probe::new("c").requires("bad"));
    let kit = Kit::new([&off, &bad, &b, &c]);
    let error = kit.supervisor.start("b").await.unwrap_err();
    let StartError::Disabled { name, culprit, reason, .. } = error else { panic!("{error}") };
    assert_eq!([name.as_str(), culprit.as_str(), &*reason], ["b", "off", "no licence"]);
    let error = kit.supervisor.start("c").await.unwrap_err();
    assert_eq!(culprit_of_load(error), "bad");
    assert_eq!([kit.log.count("b begins"), kit.log.count("c begins")], [0, 0]);
}

#[track_caller]
fn culprit_of_load(error: StartError) -> String {
    match error {
        StartError::Failed { culprit, source, .. } => {
            assert!(matches!(&*source, ServiceFailure::Load(_)), "{source}");
            culprit.to_string()
        }
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn d03_a_member_that_is_still_starting_is_stopped_too() {
    let (a, b) = (Probe::new("a").begin([]), fails("b"));
    let c = Probe::new("c").requires("a").requires("b");
    let kit = Kit::new([&a, &b, &c]);
    let error = kit.supervisor.start("c").await.unwrap_err();
    assert_eq!(culprit(error), ("c".to_owned(), "b".to_owned()));
    kit.log.before("a begins", "a stopping unneeded");
    assert_eq!(kit.state("a"), "stopped (unneeded)");
}

#[tokio::test(start_paused = true)]
async fn d03_what_had_not_begun_is_called_off_dependents_first_too() {
    let (a, b) = (undecided("a"), Probe::new("b").requires("a"));
    let (c, d) = (Probe::new("c").requires("b"), Probe::new("d").requires("c"));
    let kit = Kit::new([&a, &b, &c, &d]);
    let call = kit.starting("d").await;
    a.order(Do::Fail("no"));
    assert_eq!(culprit(call.await.unwrap().unwrap_err()), ("d".to_owned(), "a".to_owned()));
    kit.supervisor.shutdown().await.unwrap();
    let stopped: Vec<_> = kit
        .events
        .all()
        .iter()
        .filter(|event| {
            let EventKind::Service { state, .. } = &event.kind else { return false };
            matches!(state, ServiceState::Stopped(Stopped::Unneeded))
        })
        .map(|event| event.id.name.to_string())
        .collect();
    assert_eq!(stopped, ["d", "c", "b"]);
}

#[tokio::test(start_paused = true)]
async fn d03_what_a_joined_start_tries_again_goes_on_when_the_start_has_succeeded() {
    let base = undecided("base");
    let mid = Probe::new("mid").requires("base").begin([Do::Fail("no")]);
    let top = Probe::new("top").wants("mid").begin([]);
    let kit = Kit::new([&base, &mid, &top]);
    let first = kit.starting("top").await;
    base.order(Do::Ready);
    settle().await;
    assert_eq!(kit.state("top"), "starting");
    mid.clone().begin([Do::Ready]);
    base.order(Do::Fail("no"));
    settle().await;
    let second = kit.starting("top").await;
    assert_eq!([kit.state("base"), kit.state("mid")], ["starting", "waiting"]);
    top.order(Do::Ready);
    for call in [first, second] {
        call.await.unwrap().unwrap();
    }
    base.order(Do::Ready);
    settle().await;
    assert_eq!([kit.state("base"), kit.state("mid")], ["running"; 2]);
}

//! What each kind of edge does to a start: whom it pulls in, what it waits for, what it lets fail.

use std::time::Duration;

use plux::{Backoff, Reaction, ServiceContext, StartError, StartOutcome};
use tokio::time::{Instant, sleep, timeout};

use crate::kit::{Do, Kit, Load, OnStop, Probe, SECOND, at_most, order, settle, spawn, tireless};

/// Asserts that this took `time`, up to the clock's granularity.
#[track_caller]
fn took(since: Instant, time: Duration) {
    let took = since.elapsed();
    assert!(took >= time && took < time + Duration::from_millis(10), "{took:?}, not {time:?}");
}

/// A service that is ready after that many seconds.
fn ready_after(name: &'static str, seconds: u32) -> Probe {
    Probe::new(name).begin([Do::Take(seconds * SECOND), Do::Ready])
}

#[tokio::test(start_paused = true)]
async fn d01_requires_pulls_in_through_any_number_of_steps_and_orders() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let (c, stranger) = (Probe::new("c").requires("b"), Probe::new("stranger"));
    let kit = Kit::new([&c, &b, &a, &stranger]);
    assert_eq!(kit.supervisor.start("c").await.unwrap(), StartOutcome::Started);
    kit.log.before("a ready", "b begins");
    kit.log.before("b ready", "c begins");
    assert_eq!([kit.state("a"), kit.state("b"), kit.state("c")], ["running"; 3]);
    assert_eq!(kit.state("stranger"), "stopped (never started)");
    assert_eq!(kit.log.of("stranger"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn d01_a_dependent_waits_until_what_it_requires_is_ready() {
    let (a, b) = (Probe::new("a").begin([]), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    let start = kit.starting("b").await;
    assert_eq!([kit.state("a"), kit.state("b")], ["starting", "waiting"]);
    assert_eq!(kit.log.count("b begins"), 0);
    a.order(Do::Ready);
    assert_eq!(start.await.unwrap().unwrap(), StartOutcome::Started);
    assert_eq!(kit.events.states("b"), ["waiting", "starting", "running"]);
    assert_eq!(kit.events.states("a"), ["starting", "running"]);
}

#[tokio::test(start_paused = true)]
async fn d01_a_completion_after_ready_meets_and_is_not_run_again_when_pulled() {
    let a = Probe::new("a").begin([Do::Ready, Do::Complete]);
    let (b, c) = (Probe::new("b").requires("a"), Probe::new("c").requires("a"));
    let d = Probe::new("d").wants("a");
    let kit = Kit::new([&a, &b, &c, &d]);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    assert_eq!(kit.state("a"), "stopped (completed)");
    for name in ["b", "c", "d"] {
        kit.supervisor.start(name).await.unwrap();
        settle().await;
        assert_eq!(kit.state(name), "running");
    }
    assert_eq!(kit.log.count("a begins"), 1);
    assert_eq!(kit.state("a"), "stopped (completed)");
}

#[tokio::test(start_paused = true)]
async fn d01_a_completion_leaves_the_dependents_running() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    a.order(Do::Complete);
    settle().await;
    assert_eq!(kit.state("a"), "stopped (completed)");
    assert_eq!([kit.state("b").as_str(), "1"], ["running", &kit.incarnation("b").to_string()]);
}

#[tokio::test(start_paused = true)]
async fn d01_a_completion_before_ready_does_not_meet() {
    let (a, b) = (Probe::new("a").begin([Do::Complete]), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    let error = kit.supervisor.start("b").await.unwrap_err();
    assert!(matches!(&error, StartError::Failed { culprit, .. } if *culprit == *"a"), "{error}");
    assert_eq!(kit.log.count("b begins"), 0);
}

#[tokio::test(start_paused = true)]
async fn d01_naming_what_completed_runs_it_again_and_dependents_react() {
    let a = Probe::new("a").begin([Do::Ready, Do::Complete]);
    let (b, c) = (Probe::new("b").requires("a"), Probe::new("c").wants("a"));
    let kit = Kit::new([&a, &b, &c]);
    kit.supervisor.start("b").await.unwrap();
    kit.supervisor.start("c").await.unwrap();
    settle().await;
    kit.log.clear();
    assert_eq!(kit.supervisor.start("a").await.unwrap(), StartOutcome::Started);
    settle().await;
    kit.log.before("b stopping dependency", "b ended");
    kit.log.before("b ended", "a begins");
    kit.log.before("a ready", "b begins");
    assert_eq!([kit.incarnation("a"), kit.incarnation("b"), kit.incarnation("c")], [2, 2, 1]);
    assert_eq!([kit.state("b"), kit.state("c")], ["running"; 2]);
    assert_eq!(kit.log.of("c"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn d01_wants_pulls_in_and_waits_until_it_is_ready() {
    let (a, b) = (ready_after("a", 5), Probe::new("b").wants("a"));
    let kit = Kit::new([&a, &b]);
    let began = Instant::now();
    kit.supervisor.start("b").await.unwrap();
    took(began, 5 * SECOND);
    kit.log.before("a ready", "b begins");
    assert_eq!([kit.state("a"), kit.state("b")], ["running"; 2]);
}

#[tokio::test(start_paused = true)]
async fn d01_a_wanted_service_that_fails_never_fails_the_start() {
    let fails = Probe::new("fails").begin([Do::Take(3 * SECOND), Do::Fail("no")]);
    let panics = Probe::new("panics").begin([Do::Panic("oh")]);
    let unloadable = Probe::new("unloadable").load(Load::Fail("no key"));
    let disabled = Probe::new("disabled").load(Load::Disabled("off"));
    let below = Probe::new("below").requires("unloadable");
    let b = Probe::new("b").wants("fails").wants("panics").wants("below").wants("disabled");
    let kit = Kit::new([&fails, &panics, &unloadable, &disabled, &below, &b]);
    let began = Instant::now();
    assert_eq!(kit.supervisor.start("b").await.unwrap(), StartOutcome::Started);
    took(began, 3 * SECOND);
    kit.log.before("fails ended", "b begins");
    assert_eq!(kit.state("b"), "running");
    assert!(kit.state("fails").starts_with("failed: "));
    assert!(kit.state("panics").starts_with("failed: "));
    assert!(kit.state("unloadable").starts_with("failed: "));
    assert_eq!(kit.state("disabled"), "disabled: off");
    // Nobody holds what waits for what failed.
    assert_eq!(kit.state("below"), "stopped (unneeded)");
    // Once was enough.
    tokio::time::sleep(1000 * SECOND).await;
    assert_eq!(kit.supervisor.start("b").await.unwrap(), StartOutcome::AlreadyRunning);
    settle().await;
    assert_eq!([kit.log.count("fails begins"), kit.log.count("panics begins")], [1, 1]);
    assert_eq!(kit.log.count("below begins"), 0);
}

#[tokio::test(start_paused = true)]
async fn d01_nobody_waits_for_who_waits_for_what_failed() {
    for load in [Load::Fail("no key"), Load::Disabled("off")] {
        let base = Probe::new("base").load(load);
        let mid = Probe::new("mid").requires("base");
        let (wants, after) = (Probe::new("wants").wants("mid"), Probe::new("after").after("mid"));
        let kit = Kit::new([&base, &mid, &wants, &after]);
        timeout(SECOND, kit.supervisor.start_all()).await.expect("nothing is waited for");
        assert_eq!([kit.state("wants"), kit.state("after")], ["running"; 2]);
    }
}

#[tokio::test(start_paused = true)]
async fn d01_nobody_waits_for_who_came_to_wait_for_what_failed_while_it_ended() {
    let slow = |cx: ServiceContext| async move {
        cx.spawn(tokio::time::sleep(5 * SECOND));
    };
    let a = Probe::new("a");
    let b = Probe::new("b").requires_to(Reaction::Keep, "a").begin([Do::call(slow), Do::Fail("b")]);
    let (mid, c) = (Probe::new("mid").requires("b"), Probe::new("c").wants("mid"));
    let kit = Kit::new([&a, &b, &mid, &c]);
    let start = |name: &'static str| {
        let supervisor = kit.supervisor.clone();
        spawn(async move { supervisor.start(name).await })
    };
    let first = start("b");
    settle().await;
    // Its run is over, and a task of it is not: this start is about the next run.
    let (second, of_c) = (start("b"), start("c"));
    settle().await;
    order(&a, Do::Fail("a")).await;
    assert_eq!([kit.state("b"), kit.state("c")], ["starting", "waiting"]);
    sleep(6 * SECOND).await;
    assert_eq!([kit.state("b"), kit.state("c")], ["stopped (unneeded)", "running"]);
    assert_eq!(of_c.await.unwrap().unwrap(), StartOutcome::Started);
    for start in [first, second] {
        assert!(matches!(start.await.unwrap(), Err(StartError::Failed { .. })));
    }
}

#[tokio::test(start_paused = true)]
async fn d01_d03_nobody_waits_for_who_waits_for_what_was_called_off() {
    // top is to come back, as soon as mid does. That was to stay down, was asked for, and fails.
    let base = Probe::new("base").begin([]);
    let mid = Probe::new("mid").requires_to(Reaction::Stop, "base");
    let (top, after) = (Probe::new("top").requires("mid"), Probe::new("after").after("top"));
    let kit = Kit::with([&base, &mid, &top, &after], at_most(0));
    let start = kit.starting("top").await;
    order(&base, Do::Ready).await;
    start.await.unwrap().unwrap();
    let restart = kit.restarting("base").await;
    let (of_mid, of_after) = (kit.starting("mid").await, kit.starting("after").await);
    assert_eq!([kit.state("mid"), kit.state("top"), kit.state("after")], ["waiting"; 3]);
    order(&base, Do::Fail("no")).await;
    assert!(restart.await.unwrap().is_err());
    assert!(matches!(of_mid.await.unwrap(), Err(StartError::Failed { .. })));
    assert_eq!([kit.state("top"), kit.state("after")], ["waiting", "running"]);
    assert_eq!(of_after.await.unwrap().unwrap(), StartOutcome::Started);
}

#[tokio::test(start_paused = true)]
async fn d01_d05_nobody_waits_for_who_waits_for_what_stays_down() {
    // y waits for w; z, which comes after y, waits for that. Then x, which y requires, stops for good.
    let (base, w) = (Probe::new("base"), Probe::new("w"));
    let x = Probe::new("x").requires_to(Reaction::Stop, "base").on_stop(OnStop::Take(SECOND));
    let (y, z) = (Probe::new("y").requires("x").after("w"), Probe::new("z").after("y"));
    let kit = Kit::with([&base, &w, &x, &y, &z], tireless);
    assert!(kit.supervisor.start_all().await.is_ok());
    let w = w.begin([]);
    let restart = kit.restarting("w").await;
    for probe in [&y, &z] {
        order(probe, Do::Fail("no")).await;
    }
    assert_eq!(
        [kit.state("w"), kit.state("y"), kit.state("z")],
        ["starting", "waiting", "waiting"]
    );
    order(&base, Do::Fail("no")).await;
    let states = || [kit.state("x"), kit.state("y"), kit.state("z")];
    assert_eq!(states(), ["stopping (dependency)", "waiting", "running"]);
    order(&w, Do::Ready).await;
    restart.await.unwrap().unwrap();
    sleep(2 * SECOND).await;
    assert_eq!(states(), ["stopped (dependency)", "waiting", "running"]);
    assert_eq!((kit.state("base").as_str(), kit.incarnation("base")), ("running", 2));
}

#[tokio::test(start_paused = true)]
async fn d01_d05_nobody_waits_for_who_was_to_come_back_and_stays_down() {
    // top is to come back with p, until q, without which it stays down, is gone too: by itself, or by hand.
    for by_hand in [false, true] {
        let (p, q) = (Probe::new("p"), Probe::new("q"));
        let top = Probe::new("top").requires("p").requires_to(Reaction::Stop, "q");
        let (top, z) = (top.on_stop(OnStop::Take(SECOND)), Probe::new("z").after("top"));
        let kit = Kit::with([&p, &q, &top, &z], tireless);
        assert!(kit.supervisor.start_all().await.is_ok());
        order(&p, Do::Fail("no")).await;
        order(&z, Do::Fail("no")).await;
        let states = || [kit.state("top"), kit.state("z")];
        assert_eq!(states(), ["stopping (dependency)", "waiting"]);
        if by_hand {
            kit.supervisor.request_restart("q").unwrap();
            settle().await;
        } else {
            order(&q, Do::Fail("no")).await;
        }
        assert_eq!(states(), ["stopping (dependency)", "running"]);
        sleep(2 * SECOND).await;
        assert_eq!(states(), ["stopped (dependency)", "running"]);
    }
}

#[tokio::test(start_paused = true)]
async fn d01_nobody_waits_for_who_waits_for_a_completed_one_that_can_not_run_again() {
    // d requires r, which has completed, and waits for w; z waits for d. Then r is to run again, and what it
    // requires has failed.
    let q = Probe::new("q").options(|it| it.with_backoff(Backoff::constant(100 * SECOND)));
    let r = Probe::new("r").requires("q").begin([Do::Ready, Do::Complete]);
    let w = Probe::new("w");
    let (d, z) = (Probe::new("d").requires("r").after("w"), Probe::new("z").after("d"));
    let kit = Kit::with([&q, &r, &w, &d, &z], tireless);
    assert!(kit.supervisor.start_all().await.is_ok());
    settle().await;
    let w = w.begin([]);
    let restart = kit.restarting("w").await;
    for probe in [&d, &z] {
        order(probe, Do::Fail("no")).await;
    }
    order(&q, Do::Fail("no")).await;
    let states = || [kit.state("r"), kit.state("d"), kit.state("z")];
    assert_eq!(states(), ["stopped (completed)", "waiting", "waiting"]);
    let start = kit.starting("r").await;
    assert_eq!(states(), ["waiting", "waiting", "running"]);
    order(&w, Do::Ready).await;
    restart.await.unwrap().unwrap();
    start.await.unwrap().unwrap();
    settle().await;
    assert_eq!(states(), ["stopped (completed)", "running", "running"]);
}

#[tokio::test(start_paused = true)]
async fn d01_a_wanted_service_that_hangs_is_waited_for_until_its_deadline() {
    let a = Probe::new("a").begin([]).start_timeout(7 * SECOND);
    let b = Probe::new("b").wants("a");
    let kit = Kit::new([&a, &b]);
    let began = Instant::now();
    kit.supervisor.start("b").await.unwrap();
    took(began, 7 * SECOND);
    settle().await;
    assert_eq!(
        kit.state("a"),
        "failed: it was not ready within 7s, and still in its `run`; start_timeout sets the time"
    );
    assert_eq!(kit.state("b"), "running");
}

#[tokio::test(start_paused = true)]
async fn d01_a_wanted_service_whose_load_hangs_or_failed_is_left_alone_by_the_next_load() {
    let hangs = Probe::new("hangs").load(Load::Hang).start_timeout(7 * SECOND);
    let fails = Probe::new("fails").load(Load::Fail("no key"));
    let b = Probe::new("b").wants("hangs").wants("fails");
    let kit = Kit::new([&hangs, &fails, &b]);
    let began = Instant::now();
    assert_eq!(kit.supervisor.start("b").await.unwrap(), StartOutcome::Started);
    took(began, 7 * SECOND);
    assert_eq!(kit.state("b"), "running");
    assert_eq!([kit.log.count("fails loads"), kit.log.count("hangs loads")], [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn d01_a_wanted_service_that_ends_touches_nobody() {
    let (a, b) = (Probe::new("a"), Probe::new("b").wants("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    a.order(Do::Fail("no"));
    settle().await;
    assert!(kit.state("a").starts_with("failed: "));
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.restart("a").await.unwrap();
    let report = kit.supervisor.stop("a").await.unwrap();
    assert_eq!(report.stopped().collect::<Vec<_>>(), ["a"]);
    assert_eq!(kit.state("a"), "stopped (asked)");
    assert_eq!(kit.events.states("b"), ["waiting", "starting", "running"]);
}

#[tokio::test(start_paused = true)]
async fn d01_after_pulls_nothing_and_waits_for_nobody_who_does_not_take_part() {
    let (a, b) = (Probe::new("a"), Probe::new("b").after("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    assert_eq!(kit.state("a"), "stopped (never started)");
    assert_eq!(kit.log.of("a"), [""; 0]);
    assert_eq!(kit.events.states("b"), ["starting", "running"]);
}

#[tokio::test(start_paused = true)]
async fn d01_after_orders_starts_where_both_take_part() {
    let (a, b) = (ready_after("a", 4), Probe::new("b").after("a"));
    let kit = Kit::new([&a, &b]);
    let began = Instant::now();
    let report = kit.supervisor.start_all().await;
    assert!(report.is_ok(), "{report}");
    took(began, 4 * SECOND);
    kit.log.before("a ready", "b begins");
    // Also when the first one was on its way already.
    kit.supervisor.stop("a").await.unwrap();
    kit.supervisor.stop("b").await.unwrap();
    kit.log.clear();
    let start = kit.starting("a").await;
    kit.supervisor.start("b").await.unwrap();
    start.await.unwrap().unwrap();
    kit.log.before("a ready", "b begins");
}

#[tokio::test(start_paused = true)]
async fn d01_after_waits_for_a_decision_and_not_for_success() {
    let a = Probe::new("a").begin([Do::Take(2 * SECOND), Do::Fail("no")]);
    let b = Probe::new("b").after("a");
    let kit = Kit::new([&a, &b]);
    let began = Instant::now();
    let report = kit.supervisor.start_all().await;
    took(began, 2 * SECOND);
    let failed: Vec<_> = report.failed().map(|(name, _)| name.as_str()).collect();
    assert_eq!(failed, ["a"]);
    kit.log.before("a ended", "b begins");
    assert_eq!(kit.state("b"), "running");
}

#[tokio::test(start_paused = true)]
async fn d01_nobody_waits_for_the_end_of_one_that_is_stopped_while_it_starts() {
    let slow = Probe::new("slow").begin([]).on_stop(OnStop::Take(5 * SECOND));
    let (wants, after) = (Probe::new("wants").wants("slow"), Probe::new("after").after("slow"));
    let kit = Kit::new([&slow, &wants, &after]);
    let _slow = kit.starting("slow").await;
    let starts = [kit.starting("wants").await, kit.starting("after").await];
    assert_eq!([kit.state("wants"), kit.state("after")], ["waiting"; 2]);
    let began = Instant::now();
    let stop = kit.stopping("slow").await;
    for start in starts {
        assert_eq!(start.await.unwrap().unwrap(), StartOutcome::Started);
    }
    took(began, Duration::ZERO);
    assert_eq!(kit.state("slow"), "stopping (asked)");
    stop.await.unwrap().unwrap();
    took(began, 5 * SECOND);
    assert_eq!([kit.state("wants"), kit.state("after")], ["running"; 2]);
}

#[tokio::test(start_paused = true)]
async fn d01_what_no_edge_orders_starts_at_the_same_time() {
    // The critical path is one of 6 s; levels, or one after the other, would take longer.
    let probes = [
        ready_after("a", 1),
        ready_after("b", 5).requires("a"),
        ready_after("c", 5),
        ready_after("d", 1).wants("c"),
        ready_after("e", 6),
        ready_after("f", 2).after("b").requires("g"),
        ready_after("g", 3),
    ];
    let kit = Kit::new(&probes[..5]);
    let began = Instant::now();
    assert!(kit.supervisor.start_all().await.is_ok());
    took(began, 6 * SECOND);
    let kit = Kit::new(&probes);
    let began = Instant::now();
    assert!(kit.supervisor.start_all().await.is_ok());
    took(began, 8 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn d01_a_shutdown_honours_every_kind() {
    let base = Probe::new("base");
    let slow = OnStop::Take(SECOND);
    let hard = Probe::new("hard").requires("base").on_stop(slow);
    let soft = Probe::new("soft").wants("base").on_stop(slow);
    let late = Probe::new("late").after("base").on_stop(slow);
    let kit = Kit::new([&base, &hard, &soft, &late]);
    assert!(kit.supervisor.start_all().await.is_ok());
    assert!(kit.supervisor.shutdown().await.unwrap().is_clean());
    kit.log.before("hard ended", "base stopping");
    kit.log.before("soft ended", "base stopping");
    kit.log.before("late ended", "base stopping");
}

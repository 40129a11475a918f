//! Starting by name: who is pulled in, what the answer says, and how many share it.

use std::sync::Arc;

use futures::future::join_all;
use plux::{Exit, ServiceFailure, StartError, StartOutcome};

use crate::kit::{Do, Kit, Load, Probe, SECOND, settle, spawn};

#[tokio::test(start_paused = true)]
async fn s02_start_loads_runs_and_answers_when_the_service_is_ready() {
    let a = Probe::new("a").begin([]);
    let kit = Kit::new([&a]);
    let start = kit.starting("a").await;
    assert_eq!(kit.log.lines(), ["a made", "a loads", "a begins"]);
    assert!(!start.is_finished(), "it was answered before it was ready");
    a.order(Do::Ready);
    assert_eq!(start.await.unwrap().unwrap(), StartOutcome::Started);
    assert_eq!(kit.state("a"), "running");
}

#[tokio::test(start_paused = true)]
async fn s02_a_name_that_is_not_there_is_an_error_with_those_like_it() {
    let kit = Kit::new([&Probe::new("storage"), &Probe::new("s3")]);
    let error = kit.supervisor.start("storrage").await.unwrap_err();
    let StartError::Unknown { name, near } = &error else { panic!("{error}") };
    assert_eq!(name, "storrage");
    assert_eq!(near.0, ["storage"]);
    assert!(error.to_string().contains("did you mean `storage`"), "{error}");
    assert_eq!(kit.log.lines(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn s02_what_a_service_requires_is_ready_before_it_begins() {
    let (a, b) = (Probe::new("a").begin([]), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    let start = kit.starting("b").await;
    assert_eq!((kit.log.count("a begins"), kit.log.count("b begins")), (1, 0));
    a.order(Do::Ready);
    assert_eq!(start.await.unwrap().unwrap(), StartOutcome::Started);
    kit.log.before("a ready", "b begins");
    assert_eq!((kit.state("a"), kit.state("b")), ("running".into(), "running".into()));
}

#[tokio::test(start_paused = true)]
async fn s02_members_that_do_not_depend_on_each_other_start_together() {
    let (a, b) = (Probe::new("a").begin([]), Probe::new("b").begin([]));
    let top = Probe::new("top").requires("a").requires("b");
    let kit = Kit::new([&a, &b, &top]);
    let start = kit.starting("top").await;
    assert_eq!((kit.log.count("a begins"), kit.log.count("b begins")), (1, 1));
    a.order(Do::Ready);
    settle().await;
    assert_eq!(kit.log.count("top begins"), 0);
    b.order(Do::Ready);
    start.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn s02_a_member_that_several_require_starts_once() {
    let base = Probe::new("base");
    let (left, right) = (Probe::new("left").requires("base"), Probe::new("right").requires("base"));
    let top = Probe::new("top").requires("left").requires("right");
    let kit = Kit::new([&base, &left, &right, &top]);
    kit.supervisor.start("top").await.unwrap();
    for name in ["base", "left", "right", "top"] {
        assert_eq!(kit.log.of(name), ["made", "loads", "begins", "ready"], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn s02_the_answer_says_started_joined_or_already_running() {
    let a = Probe::new("a").begin([]);
    let kit = Kit::new([&a]);
    let (first, second) = (kit.starting("a").await, kit.starting("a").await);
    a.order(Do::Ready);
    assert_eq!(first.await.unwrap().unwrap(), StartOutcome::Started);
    assert_eq!(second.await.unwrap().unwrap(), StartOutcome::Joined);
    assert_eq!(kit.supervisor.start("a").await.unwrap(), StartOutcome::AlreadyRunning);
    settle().await;
    assert_eq!(kit.events.states("a"), ["starting", "running"]);
}

#[tokio::test(start_paused = true)]
async fn s02_a_start_joins_what_another_start_has_pulled() {
    let (a, b) = (Probe::new("a").begin([]), Probe::new("b").requires("a").begin([]));
    let kit = Kit::new([&a, &b]);
    let (of_b, of_a) = (kit.starting("b").await, kit.starting("a").await);
    a.order(Do::Ready);
    assert_eq!(of_a.await.unwrap().unwrap(), StartOutcome::Joined);
    assert!(!of_b.is_finished(), "b was answered before it was ready");
    assert_eq!(kit.supervisor.start("a").await.unwrap(), StartOutcome::AlreadyRunning);
    b.order(Do::Ready);
    assert_eq!(of_b.await.unwrap().unwrap(), StartOutcome::Started);
    assert_eq!(kit.log.count("a begins"), 1);
}

#[tokio::test(start_paused = true)]
async fn s02_hundreds_of_callers_share_one_factory_one_load_and_one_run() {
    let base = Probe::new("base").load(Load::Take(SECOND));
    let a = Probe::new("a").requires("base").load(Load::Take(SECOND));
    let kit = Kit::new([&base, &a]);
    let call = |_| {
        let supervisor = kit.supervisor.clone();
        spawn(async move { supervisor.start("a").await.unwrap() })
    };
    let outcomes = join_all((0..500).map(call)).await;
    let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    assert_eq!((count(StartOutcome::Started), count(StartOutcome::Joined)), (1, 499));
    for name in ["base", "a"] {
        assert_eq!(kit.log.of(name), ["made", "loads", "begins", "ready"], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s02_callers_on_several_threads_share_one_attempt() {
    let (base, a) = (Probe::new("base"), Probe::new("a").requires("base"));
    let kit = Kit::new([&base, &a]);
    let call = |at: usize| {
        let supervisor = kit.supervisor.clone();
        spawn(async move { supervisor.start(["a", "base"][at % 2]).await.unwrap() })
    };
    let calls: Vec<_> = (0..200).map(call).collect();
    for call in calls {
        call.await.unwrap();
    }
    for name in ["base", "a"] {
        assert_eq!(kit.log.of(name), ["made", "loads", "begins", "ready"], "{name}");
        assert_eq!(kit.incarnation(name), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn s02_callers_share_the_failure_too() {
    let a = Probe::new("a").begin([Do::Take(SECOND), Do::Fail("no port")]);
    let kit = Kit::new([&a]);
    let failure = |error| match error {
        StartError::Failed { source, .. } => source,
        other => panic!("{other}"),
    };
    let starts = join_all((0..100).map(|_| kit.supervisor.start("a"))).await;
    let failures: Vec<_> = starts.into_iter().map(|start| failure(start.unwrap_err())).collect();
    assert!(failures.iter().all(|other| Arc::ptr_eq(other, &failures[0])));
    assert!(failures[0].to_string().contains("no port"));
    assert_eq!(kit.log.count("a begins"), 1);
}

#[tokio::test(start_paused = true)]
async fn s02_a_start_makes_one_attempt_for_each_member() {
    let a = Probe::new("a").begin([Do::Fail("no")]);
    let b = Probe::new("b").requires("a");
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap_err();
    tokio::time::sleep(3600 * SECOND).await;
    assert_eq!(kit.log.of("a"), ["made", "loads", "begins", "ended"]);
    assert_eq!(kit.log.count("b begins"), 0);
    assert!(kit.state("a").starts_with("failed"), "{}", kit.state("a"));
}

#[tokio::test(start_paused = true)]
async fn s02_the_error_names_the_requirement_that_failed_where_it_stands_and_why() {
    let a = Probe::new("a").begin([Do::Fail("no port")]);
    let kit = Kit::new([&a, &Probe::new("b").requires("a"), &Probe::new("c").requires("b")]);
    let error = kit.supervisor.start("c").await.unwrap_err();
    let text = error.to_string();
    let StartError::Failed { name, culprit, origin, source } = error else { panic!("{text}") };
    assert_eq!((name.as_str(), culprit.as_str()), ("c", "a"));
    assert_eq!(origin, kit.supervisor.status("a").unwrap().origin);
    assert_eq!(origin, a.origin());
    let ServiceFailure::BeforeReady(Exit::Failed(cause)) = &*source else { panic!("{source}") };
    assert_eq!(cause.to_string(), "no port");
    for part in ["`c`", "`a`", "a:7", "no port"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn s02_a_requirement_that_does_not_load_fails_the_start_and_is_named() {
    for (load, word) in [
        (Load::Fail("no disk"), "no disk"),
        (Load::Panic("oh no"), "oh no"),
        (Load::FailToMake("no memory"), "no memory"),
    ] {
        let kit = Kit::new([&Probe::new("a").load(load), &Probe::new("b").requires("a")]);
        let error = kit.supervisor.start("b").await.unwrap_err();
        let text = error.to_string();
        let StartError::Failed { culprit, source, .. } = error else { panic!("{text}") };
        assert_eq!(culprit.as_str(), "a");
        assert!(matches!(*source, ServiceFailure::Load(_)), "{source}");
        assert!(text.contains(word), "{text}");
        assert_eq!((kit.log.count("a begins"), kit.log.count("b begins")), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn s02_a_requirement_that_is_disabled_fails_the_start_and_is_named() {
    let a = Probe::new("a").load(Load::Disabled("no licence"));
    let kit = Kit::new([&a, &Probe::new("b").requires("a")]);
    let error = kit.supervisor.start("b").await.unwrap_err();
    let StartError::Disabled { name, culprit, reason, .. } = &error else { panic!("{error}") };
    assert_eq!((name.as_str(), culprit.as_str(), &**reason), ("b", "a", "no licence"));
    assert_eq!(kit.log.count("b begins"), 0);
    assert_eq!(kit.state("b"), "stopped (unneeded)");
}

#[tokio::test(start_paused = true)]
async fn s02_start_all_starts_all_and_a_failure_stops_no_other() {
    let kit = Kit::new([
        &Probe::new("bad").begin([Do::Fail("no")]),
        &Probe::new("good"),
        &Probe::new("not").load(Load::Disabled("no licence")),
        &Probe::new("on_bad").requires("bad"),
        &Probe::new("on_good").requires("good"),
    ]);
    let report = kit.supervisor.start_all().await;
    let names: Vec<_> = report.rows.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["bad", "good", "not", "on_bad", "on_good"]);
    assert!(!report.is_ok());
    let failed: Vec<_> = report.failed().map(|(name, _)| name.as_str()).collect();
    assert_eq!(failed, ["bad", "on_bad"]);
    assert_eq!((kit.state("good"), kit.state("on_good")), ("running".into(), "running".into()));
    assert!(matches!(report.rows[1].1, Ok(StartOutcome::Started)));
    // A second time: what runs is left alone.
    let report = kit.supervisor.start_all().await;
    assert!(matches!(report.rows[4].1, Ok(StartOutcome::AlreadyRunning)));
    assert_eq!((kit.incarnation("good"), kit.incarnation("bad")), (1, 2));
}

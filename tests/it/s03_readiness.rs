//! Readiness: once, with a typed value that others get by name, for as long as the run lasts.

use std::error::Error;
use std::sync::Arc;

use parking_lot::Mutex;
use plux::{Exit, Handle, HandleError, ServiceContext, ServiceFailure, StartError, StartOutcome};

use crate::kit::{Do, Kit, OnStop, Probe, Published, SECOND, settle};

/// Why the start failed.
#[track_caller]
fn failure(error: StartError) -> Arc<ServiceFailure> {
    match error {
        StartError::Failed { source, .. } => source,
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn s03_the_second_readiness_of_a_run_is_refused_and_changes_nothing() {
    let answers = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&answers);
    let twice = Do::call(move |cx: ServiceContext| {
        kept.lock().extend([cx.ready("first".to_owned()), cx.ready("second".to_owned())]);
        async {}
    });
    let kit = Kit::new([&Probe::new("a").begin([twice])]);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    assert_eq!(*answers.lock(), [true, false]);
    let handle: Handle<String> = kit.supervisor.handle("a").unwrap();
    assert_eq!(*handle.get().unwrap(), "first");
    assert_eq!(kit.events.states("a"), ["starting", "running"]);
}

#[tokio::test(start_paused = true)]
async fn s03_readiness_after_the_end_of_the_run_is_refused_and_changes_nothing() {
    let kept = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&kept);
    let keep = Do::call(move |cx| {
        *slot.lock() = Some(cx);
        async {}
    });
    let kit = Kit::new([&Probe::new("a").begin([keep, Do::Fail("no")])]);
    kit.supervisor.start("a").await.unwrap_err();
    let cx: ServiceContext = kept.lock().take().unwrap();
    assert!(!cx.ready(Published { incarnation: 1 }));
    settle().await;
    assert!(kit.state("a").starts_with("failed"), "{}", kit.state("a"));
    let error = kit.supervisor.handle::<Published>("a").unwrap_err();
    assert!(matches!(error, HandleError::NotReady { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn s03_a_handle_is_had_by_name_and_type() {
    let kit = Kit::new([&Probe::new("storage")]);
    kit.supervisor.start("storage").await.unwrap();
    let handle = kit.supervisor.handle::<Published>("storage").unwrap();
    assert_eq!(*handle.get().unwrap(), Published { incarnation: 1 });
    assert_eq!(handle.incarnation(), 1);

    let error = kit.supervisor.handle::<String>("storage").unwrap_err();
    let HandleError::Type { name, origin, published, expected } = &error else { panic!("{error}") };
    assert_eq!([name.as_str(), origin.file], ["storage"; 2]);
    assert!(published.ends_with("Published"), "{published}");
    assert!(expected.ends_with("String"), "{expected}");

    let error = kit.supervisor.handle::<Published>("storrage").unwrap_err();
    let HandleError::Unknown { name, near } = &error else { panic!("{error}") };
    assert_eq!((name.as_str(), near.0[0].as_str()), ("storrage", "storage"));
}

#[tokio::test(start_paused = true)]
async fn s03_there_is_no_handle_before_readiness_and_none_after_the_end() {
    let a = Probe::new("a").begin([]);
    let kit = Kit::new([&a]);
    let not_ready = |kit: &Kit| {
        let error = kit.supervisor.handle::<Published>("a").unwrap_err();
        assert!(
            matches!(&error, HandleError::NotReady { name, origin } if name == origin.file && *name == *"a"),
            "{error}"
        );
    };
    not_ready(&kit);
    let start = kit.starting("a").await;
    not_ready(&kit);
    a.order(Do::Ready);
    start.await.unwrap().unwrap();
    kit.supervisor.handle::<Published>("a").unwrap();
    kit.supervisor.stop("a").await.unwrap();
    not_ready(&kit);
}

#[tokio::test(start_paused = true)]
async fn s03_a_handle_of_an_ended_run_is_an_error_and_never_the_next_runs() {
    let a = Probe::new("a");
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let old = kit.supervisor.handle::<Published>("a").unwrap();
    let kept = old.get().unwrap();
    kit.supervisor.stop("a").await.unwrap();
    let ended = |handle: &Handle<Published>| {
        let error = handle.get().unwrap_err();
        let HandleError::Ended { name, origin, incarnation } = &error else { panic!("{error}") };
        assert_eq!((name.as_str(), origin.file, *incarnation), ("a", "a", 1));
    };
    ended(&old);
    kit.supervisor.start("a").await.unwrap();
    ended(&old);
    ended(&old.clone());
    let new = kit.supervisor.handle::<Published>("a").unwrap();
    assert_eq!((new.incarnation(), new.get().unwrap().incarnation), (2, 2));
    assert_eq!(kept.incarnation, 1, "what is in use stays whole");

    a.order(Do::Fail("no"));
    settle().await;
    assert!(matches!(new.get(), Err(HandleError::Ended { incarnation: 2, .. })));
}

#[tokio::test(start_paused = true)]
async fn s03_a_handle_serves_while_the_service_drains() {
    let a = Probe::new("a").on_stop(OnStop::Ignore);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let handle = kit.supervisor.handle::<Published>("a").unwrap();
    let stop = kit.stopping("a").await;
    assert_eq!(kit.state("a"), "stopping (asked)");
    handle.get().unwrap();
    a.order(Do::Complete);
    stop.await.unwrap().unwrap();
    handle.get().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn s03_what_was_published_is_dropped_when_the_run_ends() {
    let value = Arc::new(());
    let weak = Arc::downgrade(&value);
    let publish = Do::call(move |cx| {
        cx.ready(Arc::clone(&value));
        async {}
    });
    let a = Probe::new("a").begin([publish]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let handle = kit.supervisor.handle::<Arc<()>>("a").unwrap();
    assert_eq!(weak.strong_count(), 2);
    kit.supervisor.stop("a").await.unwrap();
    assert_eq!(weak.strong_count(), 1, "the script's own is left");
    handle.get().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn s03_a_service_gets_what_its_dependencies_have_published() {
    let found = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&found);
    let look = Do::call(move |cx: ServiceContext| {
        let text = |name| match cx.dependency::<Published>(name) {
            Ok(handle) => format!("run {}", handle.get().unwrap().incarnation),
            Err(error) => error.to_string(),
        };
        *kept.lock() = ["a", "test:a", "later", "stranger", "nobody", "other:a"].map(text).to_vec();
        let error = cx.dependency::<String>("a").unwrap_err();
        assert!(matches!(error, HandleError::Type { .. }), "{error}");
        async {}
    });
    let b = Probe::new("b").requires("a").after("later").begin([look, Do::Ready]);
    let kit = Kit::new([&Probe::new("a"), &b, &Probe::new("later"), &Probe::new("stranger")]);
    kit.supervisor.start("stranger").await.unwrap();
    kit.supervisor.start("b").await.unwrap();
    let found = found.lock().clone();
    assert_eq!(found[..2], ["run 1", "run 1"]);
    assert!(found[2].contains("is not ready"), "{}", found[2]);
    for error in &found[3..] {
        assert!(error.contains("add it to its `requires`"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn s03_ending_before_ready_is_a_start_failure() {
    let a = Probe::new("a");
    let kit = Kit::new([&a]);
    for (order, word) in [
        (Do::Complete, "completed"),
        (Do::Fail("no port"), "no port"),
        (Do::Panic("oh no"), "oh no"),
    ] {
        a.clone().begin([order]);
        let failure = failure(kit.supervisor.start("a").await.unwrap_err());
        let ServiceFailure::BeforeReady(exit) = &*failure else { panic!("{failure}") };
        assert!(exit.to_string().contains(word), "{exit}");
        assert_eq!(
            matches!(exit, Exit::Completed | Exit::Failed(_) | Exit::Panicked(_)),
            failure.source().is_some()
        );
        assert!(kit.state("a").starts_with("failed: it ended before it was ready"));
        assert_eq!(a.live(), 0);
    }
    a.clone().begin([Do::Ready]);
    assert_eq!(kit.supervisor.start("a").await.unwrap(), StartOutcome::Started);
}

#[tokio::test(start_paused = true)]
async fn s03_completing_after_ready_is_an_initialiser_which_stays_met() {
    let init = Probe::new("init").begin([Do::Ready, Do::Complete]);
    let b = Probe::new("b").requires("init").begin([Do::Take(SECOND), Do::Ready]);
    let kit = Kit::new([&init, &b]);
    assert_eq!(kit.supervisor.start("b").await.unwrap(), StartOutcome::Started);
    assert_eq!(kit.state("init"), "stopped (completed)");
    assert_eq!(kit.state("b"), "running");

    // Pulled, it is not run again; named, it is.
    kit.supervisor.stop("b").await.unwrap();
    kit.supervisor.start("b").await.unwrap();
    assert_eq!((kit.incarnation("init"), kit.incarnation("b")), (1, 2));
    kit.supervisor.stop("b").await.unwrap();
    assert_eq!(kit.supervisor.start("init").await.unwrap(), StartOutcome::Started);
    assert_eq!(kit.incarnation("init"), 2);
}

#[tokio::test(start_paused = true)]
async fn s03_an_initialiser_that_completes_later_leaves_its_dependents_alone() {
    let (init, b) = (Probe::new("init"), Probe::new("b").requires("init"));
    let kit = Kit::new([&init, &b]);
    kit.supervisor.start("b").await.unwrap();
    init.order(Do::Complete);
    settle().await;
    assert_eq!(kit.state("init"), "stopped (completed)");
    assert_eq!(kit.events.states("b"), ["waiting", "starting", "running"]);
}

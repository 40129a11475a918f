//! A shutdown that panics and errors do not stop, and the one that begins when the last handle is
//! dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use plux::{Exit, StopHow};

use crate::kit::{Do, Kit, OnStop, Probe, SECOND, settle};

fn slow(name: &'static str, seconds: u32) -> Probe {
    Probe::new(name).on_stop(OnStop::Take(seconds * SECOND))
}

#[tokio::test(start_paused = true)]
async fn x06_panics_and_errors_while_stopping_are_reported_and_stop_nothing() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in the published value");
        }
    }
    let base = slow("base", 1);
    let error = Probe::new("error").requires("base").on_stop(OnStop::Fail("disk full"));
    let panics = Probe::new("panics").requires("base").on_stop(OnStop::Panic("oh no"));
    let destructor = Probe::new("destructor").requires("base").panic_in_destructor("too late");
    let aborted = Probe::new("aborted").requires("base").on_stop(OnStop::Ignore);
    let aborted = aborted.panic_in_destructor("while dropped");
    let publishes = Do::call(async |cx| assert!(cx.ready(Bomb)));
    let published = Probe::new("published").requires("base").begin([publishes]);
    let task = Do::call(async |cx| {
        let own = cx.clone();
        cx.spawn(async move {
            own.stopping().await;
            panic!("in a task");
        });
    });
    let spawned = Probe::new("spawned").requires("base").begin([Do::Ready, task]);
    let all = [&base, &error, &panics, &destructor, &aborted, &published, &spawned];
    let kit = Kit::new(all);
    assert!(kit.supervisor.start_all().await.is_ok());
    let report = kit.supervisor.shutdown().await.unwrap();
    let how = |name| &report.row(name).unwrap().how;
    let panic = |name| match how(name) {
        StopHow::Error(Exit::Panicked(panic)) => panic.message.as_str(),
        other => panic!("{name}: {other}"),
    };
    assert!(
        matches!(how("error"), StopHow::Error(Exit::Failed(error)) if error.to_string() == "disk full")
    );
    assert_eq!(panic("panics"), "oh no");
    assert_eq!(panic("destructor"), "too late");
    assert_eq!(panic("aborted"), "while dropped");
    assert_eq!(panic("published"), "in the published value");
    assert_eq!(panic("spawned"), "in a task");
    assert!(matches!(how("base"), StopHow::Clean));
    assert!(!report.is_clean());
    // As every stop, it is one that was asked for.
    for probe in ["error", "panics", "destructor", "aborted", "published", "spawned", "base"] {
        assert_eq!(kit.state(probe), "stopped (shutdown)");
    }
}

#[tokio::test(start_paused = true)]
async fn x07_dropping_the_last_handle_begins_a_graceful_shutdown() {
    let (a, b) = (slow("a", 1), slow("b", 3).requires("a"));
    let Kit { supervisor, log, events } = Kit::new([&a, &b]);
    supervisor.start("b").await.unwrap();
    let (clone, weak) = (supervisor.clone(), supervisor.downgrade());
    drop(supervisor);
    settle().await;
    assert_eq!(log.count("b stopping"), 0);
    drop(weak.upgrade().expect("a clone owns it"));
    settle().await;
    assert_eq!(log.count("b stopping"), 0);
    drop(clone);
    settle().await;
    assert!(weak.upgrade().is_none());
    log.before("b ready", "b stopping shutdown");
    tokio::time::sleep(5 * SECOND).await;
    log.before("b ended", "a stopping shutdown");
    assert_eq!(log.count("a ended"), 1);
    assert_eq!(events.states("a").last().unwrap(), "stopped (shutdown)");
}

#[tokio::test(start_paused = true)]
async fn x07_a_services_reference_keeps_nothing_alive() {
    let gone = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&gone);
    let keeps = Do::call(move |cx| {
        let (weak, own, seen) = (cx.supervisor(), cx.clone(), Arc::clone(&seen));
        drop(weak.upgrade().expect("the test owns it"));
        cx.spawn(async move {
            own.stopping().await;
            seen.store(weak.upgrade().is_none(), Ordering::SeqCst);
        });
        std::future::ready(())
    });
    let a = Probe::new("a").begin([keeps, Do::Ready]);
    let Kit { supervisor, log, events } = Kit::new([&a]);
    supervisor.start("a").await.unwrap();
    settle().await;
    assert_eq!(log.count("a stopping"), 0);
    drop(supervisor);
    settle().await;
    log.before("a stopping shutdown", "a ended");
    assert!(gone.load(Ordering::SeqCst));
    assert_eq!(events.states("a").last().unwrap(), "stopped (shutdown)");
}

#[tokio::test(start_paused = true)]
async fn x07_dropping_a_supervisor_that_began_nothing_does_nothing() {
    let a = Probe::new("a");
    let Kit { supervisor, log, .. } = Kit::new([&a]);
    let weak = supervisor.downgrade();
    drop(supervisor);
    settle().await;
    assert!(weak.upgrade().is_none());
    assert_eq!(log.lines(), [""; 0]);
}

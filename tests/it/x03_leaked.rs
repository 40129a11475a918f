//! What can not be ended: a thread that is really blocked. So the clock is real here, and the bounds
//! are small.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use parking_lot::Mutex;
use plux::{
    Event, EventKind, GracePeriod, Listener, RestartError, ServiceFailure, ServiceState,
    StartError, StartOutcome, StopError, StopHow, SupervisorBuilder,
};
use tokio::time::{Instant, sleep, timeout};

use crate::kit::{Do, Kit, Load, OnStop, Probe, spawn, tireless};

const JOIN: Duration = Duration::from_millis(60);

/// Blocks a worker when it is told to stop, and is given up soon.
fn blocks(name: &'static str) -> Probe {
    let grace = GracePeriod::Bounded(Duration::from_millis(20));
    Probe::new(name).on_stop(OnStop::Block).grace_period(grace)
}

pub(crate) fn short(builder: SupervisorBuilder) -> SupervisorBuilder {
    builder.join_timeout(JOIN)
}

/// Lets the thread go when the test is over, whichever way.
pub(crate) struct Unblock<'a>(pub(crate) &'a Probe);

impl Drop for Unblock<'_> {
    fn drop(&mut self) {
        self.0.unblock();
    }
}

/// How often a machine may be late that has too much to do; what is late each time is so for another reason.
pub(crate) const TRIES: usize = 5;

/// Whether the call takes less than that, at least once.
async fn takes_less(than: Duration, mut call: impl AsyncFnMut()) -> bool {
    for _ in 0..TRIES {
        let began = Instant::now();
        call().await;
        if began.elapsed() < than {
            return true;
        }
    }
    false
}

#[track_caller]
pub(crate) fn leaked(state: &ServiceState) {
    let ServiceState::Failed(failure) = state else { panic!("{state}") };
    assert!(matches!(**failure, ServiceFailure::Leaked), "{state}");
}

#[track_caller]
fn refused(error: &StartError, service: &str) {
    let StartError::Leaked { name, culprit, origin } = error else { panic!("{error}") };
    assert_eq!([name.as_str(), culprit.as_str()], [service, "leaks"]);
    assert_eq!((origin.file, origin.line), ("leaks", 7));
}

/// Starts when the supervisor has heard that the leaked run is over.
async fn startable(kit: &Kit, name: &str) -> Result<StartOutcome, StartError> {
    let started = async {
        loop {
            match kit.supervisor.start(name).await {
                Err(StartError::Leaked { .. }) => sleep(Duration::from_millis(1)).await,
                other => return other,
            }
        }
    };
    timeout(Duration::from_secs(10), started).await.expect("it has ended")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x03_a_shutdown_reports_what_leaked_and_does_not_wait_for_it() {
    let (base, leaks) = (Probe::new("base"), blocks("leaks").requires("base"));
    let _unblock = Unblock(&leaks);
    let other = Probe::new("other");
    let kit = Kit::with([&base, &leaks, &other], short);
    assert!(kit.supervisor.start_all().await.is_ok());
    let report = kit.supervisor.shutdown().await.unwrap();
    let row = report.row("leaks").unwrap();
    assert!(matches!(row.how, StopHow::Leaked) && row.ended.is_none(), "{}", row.how);
    assert_eq!(report.late().collect::<Vec<_>>(), ["leaks"]);
    assert!(!report.is_clean());
    leaked(&kit.raw_state("leaks"));
    // What it required went on stopping, after it was given up.
    let base_row = report.row("base").unwrap();
    assert!(matches!(base_row.how, StopHow::Clean));
    let (asked, ended) = (base_row.asked, base_row.ended.unwrap());
    assert!(ended - asked >= Duration::from_millis(20) + JOIN, "{:?}", ended - asked);
    assert!(matches!(report.row("other").unwrap().how, StopHow::Clean));
    assert_eq!([base.live(), other.live(), leaks.live()], [0, 0, 1]);
    assert_eq!([kit.state("base"), kit.state("other")], ["stopped (shutdown)"; 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x03_a_stop_says_who_leaked_and_stops_the_rest() {
    let (base, leaks) = (Probe::new("base"), blocks("leaks").requires("base"));
    let on_leaks = Probe::new("on_leaks").requires("leaks");
    let _unblock = Unblock(&leaks);
    let kit = Kit::with([&base, &leaks, &on_leaks], short);
    assert!(kit.supervisor.start_all().await.is_ok());
    let error = kit.supervisor.stop("base").await.unwrap_err();
    assert!(
        matches!(&error, StopError::Leaked { name, origin } if name == origin.file && *name == *"leaks"),
        "{error}"
    );
    leaked(&kit.raw_state("leaks"));
    assert_eq!(kit.state("base"), "stopped (asked)");
    assert_eq!(kit.state("on_leaks"), "stopped (dependency)");
    // Nothing is left to stop, and it is still not gone.
    let again = async || {
        let error = kit.supervisor.stop("leaks").await.unwrap_err();
        assert!(
            matches!(&error, StopError::Leaked { name, origin } if name == origin.file && *name == *"leaks"),
            "{error}"
        );
        assert_eq!(kit.supervisor.stop("base").await.unwrap().rows.len(), 0);
    };
    assert!(takes_less(JOIN, again).await, "it is waited for");
    leaked(&kit.supervisor.wait("leaks").await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x03_d04_a_stop_of_what_leaked_stops_who_waits_for_it() {
    let (leaks, near) = (blocks("leaks"), Probe::new("near").requires("leaks"));
    let far = Probe::new("far").requires("near");
    let _unblock = Unblock(&leaks);
    let kit = Kit::with([&leaks, &near, &far], short);
    kit.supervisor.start("far").await.unwrap();
    kit.supervisor.restart("leaks").await.unwrap_err();
    leaked(&kit.raw_state("leaks"));
    assert_eq!([kit.state("near"), kit.state("far")], ["waiting"; 2]);
    let error = kit.supervisor.stop("leaks").await.unwrap_err();
    assert!(matches!(&error, StopError::Leaked { name, .. } if name == "leaks"), "{error}");
    assert_eq!([kit.state("near"), kit.state("far")], ["stopped (dependency)"; 2]);
    leaked(&kit.raw_state("leaks"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x03_starts_of_it_and_of_what_requires_it_are_refused_until_it_has_ended() {
    let (base, leaks) = (Probe::new("base"), blocks("leaks").requires("base"));
    let near = Probe::new("near").requires("leaks");
    let far = Probe::new("far").requires("near");
    let soft = Probe::new("soft").wants("leaks");
    let _unblock = Unblock(&leaks);
    let kit = Kit::with([&base, &leaks, &near, &far, &soft], short);
    kit.supervisor.start("leaks").await.unwrap();
    kit.supervisor.stop("leaks").await.unwrap_err();
    kit.log.clear();
    for name in ["leaks", "near", "far"] {
        refused(&kit.supervisor.start(name).await.unwrap_err(), name);
        match kit.supervisor.restart(name).await.unwrap_err() {
            RestartError::Start(error) => refused(&error, name),
            other => panic!("{other}"),
        }
    }
    assert_eq!([kit.state("near"), kit.state("far")], ["stopped (never started)"; 2]);
    assert_eq!(kit.log.lines(), [""; 0]);
    // What merely wants it does without.
    kit.supervisor.start("soft").await.unwrap();
    kit.supervisor.start("base").await.unwrap();

    leaks.clone().on_stop(OnStop::Return).unblock();
    assert_eq!(startable(&kit, "leaks").await.unwrap(), StartOutcome::Started);
    assert_eq!((kit.state("leaks").as_str(), kit.incarnation("leaks")), ("running", 2));
    assert_eq!(leaks.most_live(), 1);
    kit.supervisor.start("far").await.unwrap();
    leaks.order(Do::Complete);
    assert_eq!(kit.supervisor.wait("leaks").await.unwrap().to_string(), "stopped (completed)");
    assert!(kit.supervisor.shutdown().await.unwrap().is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x03_what_leaked_comes_back_by_hand_only() {
    let (base, leaks) = (Probe::new("base"), blocks("leaks").requires("base"));
    let on_leaks = Probe::new("on_leaks").requires("leaks");
    let _unblock = Unblock(&leaks);
    let kit = Kit::with([&base, &leaks, &on_leaks], short);
    kit.supervisor.start("on_leaks").await.unwrap();
    // It would have begun again.
    let RestartError::Start(error) = kit.supervisor.restart("leaks").await.unwrap_err() else {
        panic!("the start was refused")
    };
    refused(&error, "leaks");
    leaks.clone().on_stop(OnStop::Return).unblock();
    while leaks.live() > 0 {
        sleep(Duration::from_millis(1)).await;
    }
    sleep(Duration::from_millis(20)).await;
    kit.supervisor.restart("base").await.unwrap();
    sleep(Duration::from_millis(20)).await;
    leaked(&kit.raw_state("leaks"));
    assert_eq!(kit.log.count("leaks begins"), 1);
    startable(&kit, "leaks").await.unwrap();
    assert_eq!(kit.log.count("leaks begins"), 2);
}

/// One whose task blocks a thread once it was told to complete.
pub(crate) fn completes_and_blocks() -> Probe {
    Probe::new("leaks").grace_period(GracePeriod::Bounded(Duration::ZERO))
}

async fn complete_and_block(leaks: &Probe, kit: &Kit) {
    let block = leaks.clone();
    leaks.order(Do::call(move |cx| {
        let (block, blocked) = (block.clone(), Arc::new(AtomicBool::new(false)));
        let blocks = Arc::clone(&blocked);
        cx.spawn(async move {
            blocks.store(true, Ordering::SeqCst);
            block.block();
        });
        // It is not to be dropped before it has begun.
        async move {
            while !blocked.load(Ordering::SeqCst) {
                sleep(Duration::from_millis(1)).await;
            }
        }
    }));
    leaks.order(Do::Complete);
    leaked(&kit.supervisor.wait("leaks").await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x03_what_leaked_is_held_by_nobody() {
    for _ in 0..TRIES {
        let (state, incarnation) = pulled_by_one_that_fails().await;
        // It has to end at once, and may be late.
        if !state.contains("has not ended") {
            assert_eq!((state.as_str(), incarnation), ("stopped (unneeded)", 2));
            return;
        }
    }
    panic!("it is late each time");
}

/// Where one stands that leaked once, and was pulled again by one that failed.
async fn pulled_by_one_that_fails() -> (String, u32) {
    let (leaks, soft) = (completes_and_blocks(), Probe::new("soft").wants("leaks"));
    let fails = Probe::new("fails").requires("leaks").begin([Do::Fail("no")]);
    let _unblock = Unblock(&leaks);
    let kit = Kit::with([&leaks, &soft, &fails], short);
    kit.supervisor.start("leaks").await.unwrap();
    complete_and_block(&leaks, &kit).await;
    // This one pulls it, and does without.
    kit.supervisor.start("soft").await.unwrap();
    leaks.unblock();
    let error = startable(&kit, "fails").await.unwrap_err();
    assert!(
        matches!(&error, StartError::Failed { culprit, .. } if *culprit == *"fails"),
        "{error}"
    );
    (kit.state("leaks"), kit.incarnation("leaks"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x03_a_completion_whose_task_leaks_takes_the_dependents_down() {
    let (leaks, b) = (completes_and_blocks(), Probe::new("b").requires("leaks"));
    let _unblock = Unblock(&leaks);
    let kit = Kit::with([&leaks, &b], short);
    kit.supervisor.start("b").await.unwrap();
    complete_and_block(&leaks, &kit).await;
    while b.live() > 0 {
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(kit.log.count("b stopping dependency"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x03_a_hung_start_that_is_stopped_leaks_too() {
    let leaks = Probe::new("leaks").grace_period(GracePeriod::Bounded(Duration::ZERO));
    let block = leaks.clone();
    let leaks = leaks.begin([Do::call(move |_| {
        block.block();
        std::future::ready(())
    })]);
    let _unblock = Unblock(&leaks);
    let waits = Probe::new("waits").requires("leaks");
    let kit = Kit::with([&leaks, &waits], |builder| {
        short(builder).start_timeout(Duration::from_millis(40))
    });
    let error = kit.supervisor.start("waits").await.unwrap_err();
    assert!(
        matches!(&error, StartError::Failed { culprit, .. } if *culprit == *"leaks"),
        "{error}"
    );
    leaked(&kit.raw_state("leaks"));
    assert_eq!(kit.state("waits"), "stopped (unneeded)");
    refused(&kit.supervisor.start("waits").await.unwrap_err(), "waits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x03_the_join_timeout_bounds_the_wait_for_what_was_aborted() {
    let stop = async || {
        let leaks = blocks("leaks");
        let _unblock = Unblock(&leaks);
        let kit = Kit::with([&leaks], short);
        kit.supervisor.start("leaks").await.unwrap();
        let began = Instant::now();
        kit.supervisor.stop("leaks").await.unwrap_err();
        let (took, least) = (began.elapsed(), Duration::from_millis(20) + JOIN);
        assert!(took >= least, "{took:?}");
    };
    assert!(takes_less(Duration::from_secs(1), stop).await, "that is the default");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x03_what_leaked_before_the_shutdown_is_named_in_its_report() {
    let leaks = blocks("leaks");
    let _unblock = Unblock(&leaks);
    let kit = Kit::with([&leaks], short);
    kit.supervisor.start("leaks").await.unwrap();
    kit.supervisor.stop("leaks").await.unwrap_err();
    let report = kit.supervisor.shutdown().await.unwrap();
    assert_eq!(report.failed_before(), ["leaks"]);
    // It is not asked again.
    assert!(report.rows().is_empty() && !report.is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x04_a_blocked_thread_delays_only_who_must_wait_for_it() {
    let grace = GracePeriod::Bounded(Duration::from_secs(30));
    let hung = Probe::new("hung").on_stop(OnStop::Block).grace_period(grace);
    let _unblock = Unblock(&hung);
    let other = Probe::new("other");
    let kit = Kit::new([&hung, &other]);
    assert!(kit.supervisor.start_all().await.is_ok());
    kit.supervisor.request_shutdown();
    while kit.state("other") != "stopped (shutdown)" {
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!((kit.state("hung").as_str(), hung.live()), ("stopping (shutdown)", 1));
    hung.unblock();
    assert!(kit.supervisor.shutdown().await.unwrap().is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x03_d01_nobody_waits_for_one_that_was_to_come_back_and_has_leaked() {
    let (leaks, after) = (blocks("leaks"), Probe::new("after").after("leaks"));
    let _unblock = Unblock(&leaks);
    let kit = Kit::with([&leaks, &after], |builder| short(tireless(builder)));
    assert!(kit.supervisor.start_all().await.is_ok());
    kit.supervisor.request_restart("leaks").unwrap();
    after.order(Do::Fail("no"));
    let begun_again = async {
        while kit.incarnation("after") == 1 || kit.state("after") != "running" {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(10), begun_again).await.expect("nobody waits for it");
    leaked(&kit.raw_state("leaks"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x03_a_load_that_can_not_be_ended_is_named_and_not_waited_for() {
    for _ in 0..TRIES {
        if !a_shutdown_is_late_for_a_load_that_hangs().await {
            return;
        }
    }
    panic!("it is late each time");
}

/// Plays that, unless the load that hangs has not been dropped when the wait for it is over.
async fn a_shutdown_is_late_for_a_load_that_hangs() -> bool {
    let blocks = Probe::new("blocks").load(Load::Block);
    let hangs = Probe::new("hangs").load(Load::Hang);
    let _unblock = Unblock(&blocks);
    let kit = Kit::with([&blocks, &hangs], short);
    let (first, second) = (kit.supervisor.clone(), kit.supervisor.clone());
    let first = spawn(async move { first.start("blocks").await });
    let second = spawn(async move { second.start("hangs").await });
    while kit.log.count("blocks loads") + kit.log.count("hangs loads") < 2 {
        sleep(Duration::from_millis(1)).await;
    }
    let began = Instant::now();
    let report = kit.supervisor.shutdown().await.unwrap();
    assert!(began.elapsed() >= JOIN);
    if report.pending_loads() == ["blocks", "hangs"] {
        return true;
    }
    assert_eq!(report.pending_loads(), ["blocks"]);
    assert!(!report.is_clean());
    assert!(report.to_string().contains("blocks: its load has not ended"), "{report}");
    for start in [first, second] {
        let error = start.await.unwrap().unwrap_err();
        assert!(matches!(error, StartError::Stopped { .. }), "{error}");
    }
    assert_eq!([kit.state("blocks"), kit.state("hangs")], ["stopped (shutdown)"; 2]);
    assert_eq!([kit.log.count("blocks begins"), kit.log.count("hangs begins")], [0, 0]);
    false
}

/// Holds the thread of the listeners from the first stop on, until it is let go.
struct Slow(Mutex<mpsc::Receiver<()>>);

impl Listener for Slow {
    fn on_event(&self, event: &Event) {
        if matches!(event.kind, EventKind::Service { state: ServiceState::Stopped(_), .. }) {
            // For ever is not needed to see the difference.
            let _ = self.0.lock().recv_timeout(Duration::from_secs(30));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x05_starts_are_refused_at_once_while_the_listeners_hear_the_end() {
    let a = Probe::new("a");
    let (release, held) = mpsc::channel();
    let slow = Slow(Mutex::new(held));
    let kit =
        Kit::with([&a], |builder| builder.listener(slow).join_timeout(Duration::from_secs(30)));
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.request_shutdown();
    while kit.state("a") != "stopped (shutdown)" {
        sleep(Duration::from_millis(1)).await;
    }
    let began = Instant::now();
    let error = kit.supervisor.start("a").await.unwrap_err();
    assert!(matches!(error, StartError::Shutdown { .. }), "{error}");
    assert_eq!(kit.supervisor.stop("a").await.unwrap().rows.len(), 0);
    assert_eq!(kit.supervisor.wait("a").await.unwrap().to_string(), "stopped (shutdown)");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    drop(release);
    assert!(kit.supervisor.shutdown().await.unwrap().is_clean());
}

//! The states of a service, and that every move between them is an event.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use parking_lot::Mutex;
use plux::{Event, Exit, Listener, ServiceFailure, ServiceState, StopReason, Stopped};

use crate::kit::{Do, Events, Kit, Load, OnStop, Probe, SECOND, plain, settle};

/// Asserts that the numbers have no gap, that only legal moves were made, that every attempt has
/// the next number, and that the last move led to where the service stands.
#[track_caller]
pub(crate) fn assert_legal(kit: &Kit) {
    for (at, event) in kit.events.all().iter().enumerate() {
        assert_eq!(event.number, at as u64 + 1, "a gap before {event:?}");
    }
    for status in kit.supervisor.list() {
        let name = status.id.name.as_str();
        let (mut state, mut run) = (ServiceState::Stopped(Stopped::NeverStarted), 0);
        for (next, incarnation) in kit.events.moves(name) {
            assert!(is_legal(&state, &next), "{name}: {state} to {next}");
            run += u32::from(matches!(next, ServiceState::Starting));
            assert_eq!(incarnation, run, "{name}: the number of the run that is {next}");
            state = next;
        }
        assert_eq!(state.to_string(), plain(status.state).to_string(), "{name}");
        assert_eq!(run, status.incarnation, "{name}");
    }
}

fn is_legal(from: &ServiceState, to: &ServiceState) -> bool {
    use ServiceState::{Backoff, Disabled, Failed, Running, Starting, Stopping, Waiting};
    match (from, to) {
        (_, ServiceState::Stopped(Stopped::NeverStarted)) => false,
        (Running, ServiceState::Stopped(Stopped::Completed)) => true,
        (_, ServiceState::Stopped(Stopped::Completed)) => false,
        (ServiceState::Stopped(_) | Failed(_) | Disabled(_), Waiting | Starting) => true,
        (Waiting, Starting | ServiceState::Stopped(_)) => true,
        (Starting, Running | Stopping(_) | Failed(_) | Disabled(_)) => true,
        (Running, Stopping(_) | Failed(_)) => true,
        (Starting | Running | Stopping(_), Backoff { .. }) => true,
        (Backoff { .. }, Waiting | Starting | ServiceState::Stopped(_)) => true,
        (Stopping(_), ServiceState::Stopped(_) | Failed(_)) => true,
        _ => false,
    }
}

#[tokio::test(start_paused = true)]
async fn s01_nothing_has_moved_before_the_first_start() {
    let kit = Kit::new([&Probe::new("a")]);
    settle().await;
    assert_eq!(kit.state("a"), "stopped (never started)");
    assert_eq!(kit.incarnation("a"), 0);
    assert!(kit.events.all().is_empty());
    assert_eq!(kit.log.lines(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn s01_every_move_of_a_life_is_an_event_with_the_number_of_its_run() {
    let kit = Kit::new([&Probe::new("a")]);
    for _ in 0..2 {
        kit.supervisor.start("a").await.unwrap();
        kit.supervisor.stop("a").await.unwrap();
    }
    settle().await;
    let life = ["starting", "running", "stopping (asked)", "stopped (asked)"];
    assert_eq!(kit.events.states("a"), [life, life].concat());
    let runs: Vec<u32> = kit.events.moves("a").into_iter().map(|(_, run)| run).collect();
    assert_eq!(runs, [1, 1, 1, 1, 2, 2, 2, 2]);
    assert_legal(&kit);
}

#[tokio::test(start_paused = true)]
async fn s01_waiting_is_published_only_when_there_is_something_to_wait_for() {
    let (a, b) = (Probe::new("a").begin([]), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    let start = kit.starting("b").await;
    assert_eq!(kit.state("a"), "starting");
    assert_eq!(kit.state("b"), "waiting");
    a.order(Do::Ready);
    start.await.unwrap().unwrap();
    settle().await;
    assert_eq!(kit.events.states("a"), ["starting", "running"]);
    assert_eq!(kit.events.states("b"), ["waiting", "starting", "running"]);

    // What it requires is there: nothing to wait for.
    kit.supervisor.stop("b").await.unwrap();
    settle().await;
    kit.events.clear();
    kit.supervisor.start("b").await.unwrap();
    settle().await;
    assert_eq!(kit.events.states("b"), ["starting", "running"]);
}

#[tokio::test(start_paused = true)]
async fn s01_each_state_is_published_while_it_lasts() {
    let a = Probe::new("a").begin([]).on_stop(OnStop::Ignore);
    let kit = Kit::new([&a]);
    let start = kit.starting("a").await;
    assert!(matches!(kit.raw_state("a"), ServiceState::Starting));
    a.order(Do::Ready);
    start.await.unwrap().unwrap();
    assert!(matches!(kit.raw_state("a"), ServiceState::Running));
    let stop = kit.stopping("a").await;
    assert!(matches!(kit.raw_state("a"), ServiceState::Stopping(StopReason::Asked)));
    a.order(Do::Complete);
    stop.await.unwrap().unwrap();
    assert!(matches!(kit.raw_state("a"), ServiceState::Stopped(Stopped::Asked)));
}

#[tokio::test(start_paused = true)]
async fn s01_a_load_is_part_of_starting() {
    let kit = Kit::new([&Probe::new("a").load(Load::Take(SECOND))]);
    let start = kit.starting("a").await;
    assert_eq!(kit.state("a"), "starting");
    assert_eq!(kit.log.lines(), ["a made", "a loads"]);
    start.await.unwrap().unwrap();
    settle().await;
    assert_eq!(kit.events.states("a"), ["starting", "running"]);
}

#[tokio::test(start_paused = true)]
async fn s01_stopped_carries_why_for_the_named_and_for_what_goes_with_it() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    kit.supervisor.stop("a").await.unwrap();
    assert!(matches!(kit.raw_state("a"), ServiceState::Stopped(Stopped::Asked)));
    assert!(matches!(kit.raw_state("b"), ServiceState::Stopped(Stopped::Dependency)));

    kit.supervisor.start("b").await.unwrap();
    kit.supervisor.shutdown().await.unwrap();
    assert!(matches!(kit.raw_state("a"), ServiceState::Stopped(Stopped::Shutdown)));
    assert!(matches!(kit.raw_state("b"), ServiceState::Stopped(Stopped::Shutdown)));
    assert_eq!(
        kit.events.states("b").iter().filter(|state| state.starts_with("stop")).collect::<Vec<_>>(),
        [
            "stopping (dependency)",
            "stopped (dependency)",
            "stopping (shutdown)",
            "stopped (shutdown)"
        ]
    );
    assert_legal(&kit);
}

#[tokio::test(start_paused = true)]
async fn s01_stopped_carries_why_for_what_nobody_needs_and_for_what_is_done() {
    let (a, bad) = (Probe::new("a"), Probe::new("bad").begin([Do::Fail("no")]));
    let done = Probe::new("done").begin([Do::Ready, Do::Complete]);
    let top = Probe::new("top").requires("a").requires("bad");
    let kit = Kit::new([&a, &bad, &done, &top]);
    kit.supervisor.start("top").await.unwrap_err();
    assert!(matches!(kit.raw_state("a"), ServiceState::Stopped(Stopped::Unneeded)));
    assert!(matches!(kit.raw_state("top"), ServiceState::Stopped(Stopped::Unneeded)));
    kit.supervisor.start("done").await.unwrap();
    settle().await;
    assert!(matches!(kit.raw_state("done"), ServiceState::Stopped(Stopped::Completed)));
    assert_eq!(kit.events.states("done"), ["starting", "running", "stopped (completed)"]);
    assert_legal(&kit);
}

#[tokio::test(start_paused = true)]
async fn s01_a_restart_shows_every_move_on_the_way() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    settle().await;
    kit.events.clear();
    kit.supervisor.restart("a").await.unwrap();
    settle().await;
    let of_a =
        ["stopping (restart)", "stopped (restart)", "starting", "running"].map(str::to_owned);
    let of_b = ["stopping (dependency)", "stopped (dependency)", "waiting", "starting", "running"]
        .map(str::to_owned);
    assert_eq!(kit.events.states("a"), of_a);
    assert_eq!(kit.events.states("b"), of_b);
}

#[tokio::test(start_paused = true)]
async fn s01_failed_carries_the_cause() {
    let kit = Kit::with(
        [
            &Probe::new("exit").begin([Do::Ready, Do::Fail("no net")]),
            &Probe::new("load").load(Load::Fail("no disk")),
            &Probe::new("slow").begin([]),
            &Probe::new("start").begin([Do::Fail("no port")]),
        ],
        |builder| builder.start_timeout(3 * SECOND),
    );
    let failure = |name| match kit.raw_state(name) {
        ServiceState::Failed(failure) => failure,
        other => panic!("{name} is {other}"),
    };
    for name in ["load", "slow", "start"] {
        kit.supervisor.start(name).await.unwrap_err();
    }
    kit.supervisor.start("exit").await.unwrap();
    settle().await;
    assert!(matches!(*failure("exit"), ServiceFailure::Exit(Exit::Failed(_))));
    assert!(failure("exit").to_string().contains("no net"));
    assert!(matches!(*failure("load"), ServiceFailure::Load(_)));
    assert!(failure("load").to_string().contains("no disk"));
    assert!(
        matches!(*failure("slow"), ServiceFailure::StartTimeout { timeout: time, .. } if time == 3 * SECOND)
    );
    assert!(matches!(*failure("start"), ServiceFailure::BeforeReady(Exit::Failed(_))));
    assert!(failure("start").to_string().contains("no port"));
    assert_eq!(kit.events.states("exit"), ["starting", "running", "failed: no net"]);
    assert_legal(&kit);
}

#[tokio::test(start_paused = true)]
async fn s01_disabled_is_neither_failed_nor_stopped() {
    let kit = Kit::new([&Probe::new("a").load(Load::Disabled("no licence"))]);
    kit.supervisor.start("a").await.unwrap_err();
    settle().await;
    assert!(matches!(kit.raw_state("a"), ServiceState::Disabled(why) if &*why == "no licence"));
    assert_eq!(kit.events.states("a"), ["starting", "disabled: no licence"]);
    assert_eq!(kit.log.count("a begins"), 0);
}

/// A listener that takes its time.
struct Slow(Events, Mutex<Receiver<()>>);

impl Listener for Slow {
    fn on_event(&self, event: &Event) {
        // Nothing is ever sent: it is the time that counts.
        let _ = self.1.lock().recv_timeout(Duration::from_millis(10));
        self.0.on_event(event);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s01_every_event_has_been_heard_when_the_shutdown_answers() {
    let (events, (_sender, never)) = (Events::default(), std::sync::mpsc::channel());
    let slow = Slow(events.clone(), Mutex::new(never));
    let kit = Kit::with([&Probe::new("a")], |builder| builder.listener(slow));
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.shutdown().await.unwrap();
    let life = ["starting", "running", "stopping (shutdown)", "stopped (shutdown)"];
    assert_eq!(events.states("a"), life);
}

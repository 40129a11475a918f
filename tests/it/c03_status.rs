//! Questions are answered while services hang in every phase.

use std::time::Duration;

use plux::{Backoff, ServiceState};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use crate::kit::{Do, Kit, Load, OnStop, Probe, SECOND, settle, tireless};

/// One service for each phase in which one can hang, and one that does not.
fn hanging() -> [Probe; 7] {
    [
        Probe::new("drains").on_stop(OnStop::Ignore),
        Probe::new("healthy"),
        Probe::new("loads").load(Load::Hang),
        Probe::new("not_ready").begin([]),
        Probe::new("runs").begin([Do::Ready, Do::call(|_| std::future::pending())]),
        Probe::new("waits").requires("not_ready"),
        Probe::new("waits_for_load").requires("loads"),
    ]
}

/// Brings every one of them into its phase.
async fn hang(kit: &Kit) {
    for name in ["drains", "runs"] {
        kit.supervisor.start(name).await.unwrap();
    }
    for name in ["waits", "waits_for_load"] {
        drop(kit.starting(name).await);
    }
    kit.supervisor.request_stop("drains").unwrap();
    settle().await;
}

const HANGING: [(&str, &str); 7] = [
    ("drains", "stopping (asked)"),
    ("healthy", "stopped (never started)"),
    ("loads", "starting"),
    ("not_ready", "starting"),
    ("runs", "running"),
    ("waits", "waiting"),
    ("waits_for_load", "waiting"),
];

#[tokio::test(start_paused = true)]
async fn c03_status_and_list_tell_where_each_hangs_at_once() {
    let kit = Kit::new(&hanging());
    hang(&kit).await;
    let began = Instant::now();
    let list = kit.supervisor.list();
    let found: Vec<_> =
        list.iter().map(|status| (status.id.to_string(), status.state.to_string())).collect();
    let wanted = HANGING.map(|(name, state)| (format!("test:{name}"), state.to_owned()));
    assert_eq!(found, wanted);
    for (name, state) in HANGING {
        let status = kit.supervisor.status(name).unwrap();
        assert_eq!(status.state.to_string(), state, "{name}");
        assert_eq!(
            kit.events.states(name).last().map(String::as_str),
            match name {
                "healthy" => None,
                _ => Some(state),
            }
        );
    }
    assert!(kit.supervisor.status("nobody").is_none());
    assert_eq!(began.elapsed(), std::time::Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn c03_calls_about_others_are_answered_at_once() {
    let kit = Kit::new(&hanging());
    hang(&kit).await;
    let began = Instant::now();
    for _ in 0..10 {
        kit.supervisor.start("healthy").await.unwrap();
        assert!(matches!(kit.raw_state("healthy"), ServiceState::Running));
        kit.supervisor.restart("healthy").await.unwrap();
        kit.supervisor.stop("healthy").await.unwrap();
    }
    assert_eq!(began.elapsed(), std::time::Duration::ZERO);
    assert_eq!(kit.incarnation("healthy"), 20);
}

#[tokio::test(start_paused = true)]
async fn c03_hundreds_that_hang_are_listed_like_one() {
    const NAME: [&str; 4] = ["x1", "x2", "x3", "x4"];
    let names: Vec<&'static str> = (0..300)
        .map(|at| &*Box::leak(format!("{}_{at:03}", NAME[at % 4]).into_boxed_str()))
        .collect();
    let probes: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(at, name)| match at % 2 {
            0 => Probe::new(name).begin([]),
            _ => Probe::new(name).load(Load::Hang),
        })
        .collect();
    let kit = Kit::new(&probes);
    let supervisor = kit.supervisor.clone();
    let all = crate::kit::spawn(async move { supervisor.start_all().await });
    settle().await;
    let list = kit.supervisor.list();
    assert_eq!(list.len(), 300);
    assert!(list.iter().all(|status| matches!(status.state, ServiceState::Starting)));
    assert!(!all.is_finished());
    sleep(31 * SECOND).await;
    assert_eq!(all.await.unwrap().failed().count(), 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn c03_threads_that_are_blocked_hold_up_nothing_while_one_worker_is_free() {
    let (one, two) =
        (Probe::new("one").on_stop(OnStop::Block), Probe::new("two").on_stop(OnStop::Block));
    let kit = Kit::new([&one, &two, &Probe::new("healthy")]);
    for name in ["one", "two"] {
        kit.supervisor.start(name).await.unwrap();
        kit.supervisor.request_stop(name).unwrap();
    }
    while kit.log.count("one stopping") + kit.log.count("two stopping") < 2 {
        tokio::task::yield_now().await;
    }
    for _ in 0..10 {
        kit.supervisor.start("healthy").await.unwrap();
        assert_eq!(kit.state("one"), "stopping (asked)");
        kit.supervisor.stop("healthy").await.unwrap();
    }
    one.unblock();
    two.unblock();
    assert_eq!(kit.supervisor.wait("one").await.unwrap().to_string(), "stopped (asked)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn c03_x04_those_who_block_their_threads_the_moment_they_are_ready_hold_up_nobody() {
    let blocking = ["a", "b"].map(Probe::new);
    let other = Probe::new("other");
    let kit = Kit::new([&blocking[0], &blocking[1], &other]);
    // Their plugins are loaded.
    for name in ["a", "b"] {
        kit.supervisor.start(name).await.unwrap();
        kit.supervisor.stop(name).await.unwrap();
    }
    let blocking = blocking.map(|probe| {
        let blocks = probe.clone();
        let block = Do::call(move |_| {
            blocks.block();
            async {}
        });
        probe.begin([Do::Ready, block])
    });
    let calls = async {
        for name in ["a", "b", "other"] {
            kit.supervisor.start(name).await.unwrap();
        }
    };
    let outcome = tokio::time::timeout(Duration::from_secs(10), calls).await;
    blocking.iter().for_each(Probe::unblock);
    assert!(outcome.is_ok(), "the calls waited for a thread");
    kit.supervisor.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c03_r03_deadlines_leave_no_task_behind() {
    let a = Probe::new("a").begin([Do::Ready, Do::Fail("no")]);
    let delay = Backoff::constant(Duration::from_millis(2));
    let kit = Kit::with([&a], |builder| tireless(builder).backoff(delay));
    kit.supervisor.start("a").await.unwrap();
    let alive = || Handle::current().metrics().num_alive_tasks();
    let reaches = async |run| {
        while kit.incarnation("a") < run {
            sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(10 * SECOND, reaches(10)).await.expect("it is restarted");
    let before = alive();
    tokio::time::timeout(10 * SECOND, reaches(60)).await.expect("it is restarted");
    assert!(alive() <= before + 3, "{before} tasks became {}", alive());
    kit.supervisor.shutdown().await.unwrap();
}

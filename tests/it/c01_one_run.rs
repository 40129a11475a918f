//! At most one live run per name, whatever happens at the same time, and late news changes nothing.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use plux::{ServiceContext, Supervisor};
use schedules::Dice;
use tokio::time::{Instant, sleep, timeout};

use crate::kit::{Do, Kit, OnStop, Probe, Published, SECOND, settle, spawn};
use crate::s01_states::assert_legal;

const NAMES: [&str; 5] = ["base", "mid", "side", "top", "lone"];

/// Edges of every kind, slow starts, slow and reluctant stops.
fn probes(tick: Duration) -> [Probe; 5] {
    let slowly = [Do::Take(tick), Do::Ready];
    [
        Probe::new("base").begin(slowly.clone()).on_stop(OnStop::Take(tick)),
        Probe::new("mid").requires("base").on_stop(OnStop::Fail("half done")),
        Probe::new("side").wants("base").after("mid").begin(slowly.clone()),
        Probe::new("top").requires("mid").requires("side").on_stop(OnStop::Ignore),
        Probe::new("lone").on_stop(OnStop::Panic("oh no")),
    ]
}

/// One call, or one crash, on a service that the dice choose.
async fn act(supervisor: &Supervisor, probes: &[Probe], dice: &mut Dice) {
    let at = dice.roll(5);
    let name = NAMES[at];
    match dice.roll(8) {
        0..=2 => drop(supervisor.start(name).await),
        3 => drop(supervisor.stop(name).await),
        4 => drop(supervisor.restart(name).await),
        5 => probes[at].order(Do::Fail("crashed")),
        6 => probes[at].order(Do::Panic("crashed")),
        _ => probes[at].order(Do::Complete),
    }
}

#[tokio::test(start_paused = true)]
async fn c01_one_run_at_most_under_random_calls_and_crashes() {
    for seed in 1..=25 {
        let probes = probes(Duration::from_millis(7));
        let kit = Kit::with(&probes, |builder| builder.grace_period(Duration::from_millis(20)));
        let tasks: Vec<_> = (0..24_u64)
            .map(|task| {
                let (supervisor, probes) = (kit.supervisor.clone(), probes.clone());
                let mut dice = Dice::new(seed * 1000 + task);
                spawn(async move {
                    for _ in 0..25 {
                        act(&supervisor, &probes, &mut dice).await;
                        sleep(Duration::from_millis(dice.roll(15) as u64)).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            let answered = timeout(3600 * SECOND, task).await;
            answered.unwrap_or_else(|_| panic!("seed {seed}: a call was not answered")).unwrap();
        }
        kit.supervisor.shutdown().await.unwrap();
        for probe in &probes {
            assert_eq!(probe.live(), 0, "seed {seed}");
            assert!(probe.most_live() <= 1, "seed {seed}: {} at once", probe.most_live());
        }
        assert_legal(&kit);
        let runs: u32 = NAMES.iter().map(|name| kit.incarnation(name)).sum();
        assert!(runs > 50, "seed {seed}: only {runs} runs");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c01_one_run_at_most_on_several_threads() {
    let probes = probes(Duration::from_millis(1));
    let kit = Kit::with(&probes, |builder| {
        // What is aborted ends, however late.
        builder.grace_period(Duration::from_millis(2)).join_timeout(60 * SECOND)
    });
    let tasks: Vec<_> = (0..16_u64)
        .map(|task| {
            let (supervisor, probes) = (kit.supervisor.clone(), probes.clone());
            let mut dice = Dice::new(77 + task);
            spawn(async move {
                for _ in 0..10 {
                    act(&supervisor, &probes, &mut dice).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    kit.supervisor.shutdown().await.unwrap();
    for probe in &probes {
        assert_eq!(probe.live(), 0);
        assert!(probe.most_live() <= 1);
    }
    assert_legal(&kit);
}

/// A script that keeps every run's context.
fn keeping() -> (Do, Arc<Mutex<Vec<ServiceContext>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&kept);
    let keep = Do::call(move |cx| {
        list.lock().push(cx);
        async {}
    });
    (keep, kept)
}

#[tokio::test(start_paused = true)]
async fn c01_a_context_of_an_earlier_run_says_nothing_about_the_next() {
    let (keep, kept) = keeping();
    let a = Probe::new("a").begin([keep]);
    let kit = Kit::new([&a]);
    let first = kit.starting("a").await;
    kit.supervisor.stop("a").await.unwrap();
    first.await.unwrap().unwrap_err();
    let second = kit.starting("a").await;
    let old = kept.lock()[0].clone();
    assert_eq!(old.incarnation(), 1);
    assert!(!old.ready(Published { incarnation: 1 }));
    old.spawn(async { panic!("of a run that is over") });
    settle().await;
    assert!(!second.is_finished());
    assert_eq!(kit.state("a"), "starting");
    let new = kept.lock()[1].clone();
    assert_eq!((new.incarnation(), new.stop_reason()), (2, None));
    a.order(Do::Ready);
    second.await.unwrap().unwrap();
    assert_eq!(kit.state("a"), "running");
}

#[tokio::test(start_paused = true)]
async fn c01_the_start_deadline_of_an_earlier_run_does_not_end_the_next() {
    let a = Probe::new("a").begin([]);
    let kit = Kit::new([&a]);
    let first = kit.starting("a").await;
    sleep(29 * SECOND).await;
    kit.supervisor.stop("a").await.unwrap();
    first.await.unwrap().unwrap_err();
    let began = Instant::now();
    kit.supervisor.start("a").await.unwrap_err();
    assert_eq!(began.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn c01_the_start_deadline_does_not_end_a_service_that_is_ready() {
    let kit = Kit::new([&Probe::new("a")]);
    kit.supervisor.start("a").await.unwrap();
    sleep(3600 * SECOND).await;
    assert_eq!((kit.state("a"), kit.incarnation("a")), ("running".into(), 1));
}

#[tokio::test(start_paused = true)]
async fn c01_the_grace_period_of_an_earlier_run_does_not_abort_the_next() {
    let a = Probe::new("a").on_stop(OnStop::Take(9 * SECOND));
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.restart("a").await.unwrap();
    sleep(5 * SECOND).await;
    assert_eq!((kit.state("a"), kit.incarnation("a")), ("running".into(), 2));

    // Nor does it cut the next one's own grace period short.
    let stop = kit.stopping("a").await;
    sleep(8 * SECOND).await;
    assert_eq!((kit.state("a"), a.live()), ("stopping (asked)".into(), 1));
    stop.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn c01_a_stop_that_was_asked_of_an_earlier_run_does_not_end_the_next() {
    let a = Probe::new("a").on_stop(OnStop::Take(3 * SECOND));
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    for _ in 0..3 {
        kit.supervisor.request_stop("a").unwrap();
    }
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    assert_eq!((kit.state("a"), kit.incarnation("a")), ("running".into(), 2));
    assert_eq!(kit.log.count("a stopping"), 1);
}

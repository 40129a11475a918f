//! Restarts without a delay, of a service that nothing depends on: its own task makes them.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use plux::{
    Backoff, Event, EventKind, GiveUp, Health, Intensity, Listener, Reaction, RestartPolicy,
    ServiceContext, ServiceFailure, ServiceState, StartOutcome, Supervisor,
};
use tokio::time::{Instant, sleep};

use crate::kit::{Do, Kit, OnStop, Probe, Published, SECOND, order, settle, spawn, tireless};
use crate::s01_states::assert_legal;

/// Ready, then failed, over and over.
fn looping(name: &'static str) -> Probe {
    Probe::new(name).begin([Do::Ready, Do::Fail("at once")])
}

async fn turns(kit: &Kit, name: &str, runs: u32) {
    while kit.incarnation(name) < runs {
        tokio::task::yield_now().await;
    }
}

fn give_up(kit: &Kit, name: &str) -> Arc<ServiceFailure> {
    match kit.raw_state(name) {
        ServiceState::Failed(failure) => failure,
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn s01_r03_every_move_is_told_with_its_run() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::Fail("no")).await;
    order(&a, Do::Panic("oh")).await;
    kit.supervisor.stop("a").await.unwrap();
    settle().await;
    let moves: Vec<_> =
        kit.events.moves("a").iter().map(|(state, run)| format!("{run} {state}")).collect();
    assert_eq!(moves[..3], ["1 starting", "1 running", "1 backoff for 0ns: no"]);
    assert_eq!(moves[3..5], ["2 starting", "2 running"]);
    assert!(moves[5].starts_with("2 backoff for 0ns: panicked"), "{moves:?}");
    assert_eq!(moves[6..], ["3 starting", "3 running", "3 stopping (asked)", "3 stopped (asked)"]);
    assert_eq!(a.most_live(), 1);
}

#[tokio::test(start_paused = true)]
async fn r06_the_old_run_has_ended_before_the_next_begins() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    kit.log.clear();
    order(&a, Do::Fail("no")).await;
    assert_eq!(kit.log.of("a"), ["ended", "begins", "ready"]);
}

#[tokio::test(start_paused = true)]
async fn r03_restarts_that_concern_nobody_else_follow_in_the_task_that_has_failed() {
    let tasks: Arc<Mutex<Vec<_>>> = Arc::default();
    let seen = Arc::clone(&tasks);
    let look = Do::call(move |_| {
        seen.lock().push(tokio::task::id());
        async {}
    });
    let a = Probe::new("a").begin([look.clone(), Do::Ready]);
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    let a = a.begin([look, Do::Ready, Do::Fail("at once")]);
    a.order(Do::Fail("no"));
    turns(&kit, "a", 30).await;
    kit.supervisor.stop("a").await.unwrap();
    let tasks = tasks.lock();
    assert!(tasks.len() >= 29, "{tasks:?}");
    assert!(tasks.iter().all(|task| *task == tasks[0]), "{tasks:?}");
}

#[tokio::test(start_paused = true)]
async fn r01_completions_of_a_permanent_service_are_restarted_and_those_of_others_are_not() {
    let policy = |name, policy| Probe::new(name).options(|options| options.with_restart(policy));
    let [a, b] = [policy("a", RestartPolicy::Permanent), policy("b", RestartPolicy::Transient)];
    let kit = Kit::with([&a, &b], tireless);
    assert!(kit.supervisor.start_all().await.is_ok());
    for run in 2..5 {
        order(&a, Do::Complete).await;
        assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", run));
    }
    order(&b, Do::Fail("no")).await;
    order(&b, Do::Complete).await;
    assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("stopped (completed)", 2));
}

#[tokio::test(start_paused = true)]
async fn r02_a_fatal_error_ends_the_turns() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::Fail("no")).await;
    order(&a, Do::FailForGood("never again")).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("failed: fatal: never again", 2));
}

#[tokio::test(start_paused = true)]
async fn r04_calls_between_them_neither_cost_nor_give_back_restarts() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], |builder| {
        builder.intensity(Intensity::new(3, 60 * SECOND)).backoff(Backoff::NONE)
    });
    kit.supervisor.start("a").await.unwrap();
    for run in 2..5 {
        order(&a, Do::Fail("no")).await;
        assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", run));
        // Each of these is the supervisor's to decide, which then knows of the restarts before.
        let again = kit.supervisor.start("a").await.unwrap();
        assert_eq!(again, StartOutcome::AlreadyRunning);
    }
    order(&a, Do::Fail("the last")).await;
    let failure = give_up(&kit, "a");
    assert!(matches!(&*failure, ServiceFailure::GaveUp { restarts: 3, .. }), "{failure}");
    assert_eq!(kit.incarnation("a"), 4);
}

#[tokio::test(start_paused = true)]
async fn r04_one_more_than_the_intensity_is_given_up_in_the_midst_of_a_loop() {
    let a = looping("a");
    let kit = Kit::with([&a], |builder| {
        builder.intensity(Intensity::new(40, 60 * SECOND)).backoff(Backoff::NONE)
    });
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    let failure = give_up(&kit, "a");
    assert!(matches!(&*failure, ServiceFailure::GaveUp { restarts: 40, .. }), "{failure}");
    assert_eq!(kit.incarnation("a"), 41);
    let states = kit.events.states("a");
    assert_eq!(states.iter().filter(|state| *state == "running").count(), 41);
}

#[tokio::test(start_paused = true)]
async fn r07_failures_further_apart_than_the_period_never_add_up_at_once_either() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], |builder| {
        builder.intensity(Intensity::new(1, 10 * SECOND)).backoff(Backoff::NONE)
    });
    kit.supervisor.start("a").await.unwrap();
    for run in 2..6 {
        order(&a, Do::Fail("no")).await;
        assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", run));
        sleep(11 * SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn r07_failures_before_it_is_ready_count_at_once_too() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], |builder| {
        builder.intensity(Intensity::new(3, 60 * SECOND)).backoff(Backoff::NONE)
    });
    kit.supervisor.start("a").await.unwrap();
    let a = a.begin([Do::Fail("too early")]);
    order(&a, Do::Fail("no")).await;
    let failure = give_up(&kit, "a");
    assert!(matches!(&*failure, ServiceFailure::GaveUp { restarts: 3, .. }), "{failure}");
    assert!(failure.to_string().ends_with("too early"), "{failure}");
    assert_eq!(kit.incarnation("a"), 4);
}

#[tokio::test(start_paused = true)]
async fn s08_a_run_that_is_not_ready_at_once_has_its_start_deadline() {
    let a = Probe::new("a").start_timeout(5 * SECOND);
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    let a = a.begin([]);
    let began = Instant::now();
    order(&a, Do::Fail("no")).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("starting", 2));
    let a = a.begin([Do::Ready]);
    while kit.incarnation("a") == 2 {
        sleep(Duration::from_millis(100)).await;
    }
    assert!((5 * SECOND..6 * SECOND).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert_eq!(kit.state("a"), "running");
    let states = kit.events.states("a");
    assert!(states.contains(&"stopping (start_deadline)".to_owned()), "{states:?}");
    // And its restarts are its own again.
    order(&a, Do::Fail("no")).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 4));
}

#[tokio::test(start_paused = true)]
async fn s02_a_start_while_it_comes_back_by_itself_waits_until_it_is_ready() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    let a = a.begin([Do::Take(3 * SECOND), Do::Ready]);
    order(&a, Do::Fail("no")).await;
    let began = Instant::now();
    assert_eq!(kit.supervisor.start("a").await.unwrap(), StartOutcome::Joined);
    assert!(began.elapsed() >= 2 * SECOND, "{:?}", began.elapsed());
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 2));
}

#[tokio::test(start_paused = true)]
async fn d05_what_it_requires_fails_in_the_midst_of_a_loop() {
    let (db, a) = (Probe::new("db"), looping("a").requires("db"));
    let kit = Kit::with([&db, &a], tireless);
    kit.supervisor.start("a").await.unwrap();
    turns(&kit, "a", 20).await;
    db.order(Do::Fail("no"));
    while kit.incarnation("db") < 2 || kit.state("db") != "running" {
        tokio::task::yield_now().await;
    }
    let runs = kit.incarnation("a");
    turns(&kit, "a", runs + 20).await;
    kit.supervisor.stop("db").await.unwrap();
    settle().await;
    assert_eq!(kit.state("a"), "stopped (dependency)");
    assert_legal(&kit);
    let moves = kit.events.moves("a");
    let stops = moves.iter().filter(|(state, _)| state.to_string() == "stopping (dependency)");
    assert_eq!(stops.count(), 2);
    assert_eq!((a.most_live(), a.live()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn c05_a_restart_by_hand_in_the_midst_of_a_loop_is_answered() {
    let a = looping("a");
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    for _ in 0..10 {
        let before = kit.incarnation("a");
        turns(&kit, "a", before + 7).await;
        kit.supervisor.restart("a").await.unwrap();
        assert!(kit.incarnation("a") > before + 7);
    }
    kit.supervisor.stop("a").await.unwrap();
    settle().await;
    assert_legal(&kit);
    assert_eq!(a.most_live(), 1);
}

#[tokio::test(start_paused = true)]
async fn r09_a_shutdown_ends_a_loop_and_nothing_begins_after_it() {
    let a = looping("a");
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    turns(&kit, "a", 30).await;
    let report = kit.supervisor.shutdown().await.unwrap();
    assert_eq!(report.rows().len(), 1);
    let runs = kit.incarnation("a");
    settle().await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("stopped (shutdown)", runs));
    assert_eq!(a.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn x08_abort_now_ends_a_loop() {
    let a = looping("a");
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    turns(&kit, "a", 30).await;
    kit.supervisor.abort_now();
    kit.supervisor.shutdown().await.unwrap();
    assert_eq!((kit.state("a").as_str(), a.live()), ("stopped (shutdown)", 0));
}

#[tokio::test(start_paused = true)]
async fn r05_r09_a_loop_that_is_given_up_can_escalate() {
    let a = looping("a");
    let kit = Kit::with([&a, &Probe::new("b")], |builder| {
        let budget = Intensity::new(5, 60 * SECOND);
        builder.intensity(budget).backoff(Backoff::NONE).give_up(GiveUp::Escalate)
    });
    kit.supervisor.start("b").await.unwrap();
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    let report = kit.supervisor.shutdown().await.unwrap();
    assert_eq!(report.failed_before().len(), 1);
    assert_eq!(kit.incarnation("a"), 6);
    assert_eq!(kit.state("b"), "stopped (shutdown)");
}

#[tokio::test(start_paused = true)]
async fn s10_health_is_told_of_each_run_in_order() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    let degraded = Do::call(|cx: ServiceContext| async move {
        cx.health(Health::Degraded(format!("run {}", cx.incarnation()).into()));
    });
    for _ in 0..3 {
        a.order(degraded.clone());
        order(&a, Do::Fail("no")).await;
    }
    let told = kit.events.all().into_iter().filter_map(|event| match event.kind {
        EventKind::Health { health, incarnation } => Some(format!("{incarnation} {health}")),
        EventKind::Service { state: ServiceState::Backoff { .. }, incarnation } => {
            Some(format!("{incarnation} failed"))
        }
        _ => None,
    });
    let told: Vec<_> = told.collect();
    assert_eq!(
        told,
        [
            "1 degraded: run 1",
            "1 failed",
            "2 degraded: run 2",
            "2 failed",
            "3 degraded: run 3",
            "3 failed"
        ]
    );
    assert_eq!(kit.supervisor.status("a").unwrap().health, Health::Healthy);
}

#[tokio::test(start_paused = true)]
async fn s11_tasks_of_a_run_have_ended_before_the_next_begins() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    let log = kit.log.clone();
    a.order(Do::call(move |cx: ServiceContext| {
        let log = log.clone();
        async move {
            let inner = cx.clone();
            cx.spawn(async move {
                inner.stopping().await;
                sleep(SECOND).await;
                log.add("a task ended");
            });
        }
    }));
    settle().await;
    kit.log.clear();
    order(&a, Do::Fail("no")).await;
    sleep(2 * SECOND).await;
    assert_eq!(kit.log.of("a"), ["ended", "task ended", "begins", "ready"]);
}

#[tokio::test(start_paused = true)]
async fn s03_a_handle_of_an_earlier_run_is_an_error_and_the_present_one_is_there() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    let old = kit.supervisor.handle::<Published>("a").unwrap();
    order(&a, Do::Fail("no")).await;
    assert!(old.get().is_err());
    let new = kit.supervisor.handle::<Published>("a").unwrap();
    assert_eq!(new.get().unwrap().incarnation, 2);
}

#[tokio::test(start_paused = true)]
async fn c01_a_context_of_an_earlier_run_makes_no_later_one_ready() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], tireless);
    let kept: Arc<Mutex<Option<ServiceContext>>> = Arc::default();
    let keep = Arc::clone(&kept);
    kit.supervisor.start("a").await.unwrap();
    a.order(Do::call(move |cx| {
        *keep.lock() = Some(cx);
        async {}
    }));
    settle().await;
    let a = a.begin([]);
    order(&a, Do::Fail("no")).await;
    let old = kept.lock().take().unwrap();
    old.ready(Published { incarnation: 1 });
    old.health(Health::Unhealthy("I am gone".into()));
    settle().await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("starting", 2));
    assert_eq!(kit.supervisor.status("a").unwrap().health, Health::Healthy);
}

/// Asks the supervisor at every event.
struct Curious(Arc<Mutex<Option<Supervisor>>>);

impl Listener for Curious {
    fn on_event(&self, event: &Event) {
        if let Some(supervisor) = &*self.0.lock() {
            let status = supervisor.status(event.id.name.as_str()).expect("a known service");
            assert!(!supervisor.list().is_empty(), "{}", status.state);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn c02_a_listener_may_ask_in_the_midst_of_a_loop() {
    let (a, asks) = (looping("a"), Arc::new(Mutex::new(None)));
    let listener = Curious(Arc::clone(&asks));
    let kit = Kit::with([&a], |builder| tireless(builder).listener(listener));
    *asks.lock() = Some(kit.supervisor.clone());
    kit.supervisor.start("a").await.unwrap();
    turns(&kit, "a", 200).await;
    kit.supervisor.stop("a").await.unwrap();
    asks.lock().take();
    assert_eq!(kit.state("a"), "stopped (asked)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn c01_c06_callers_on_several_threads_agree_about_a_service_that_fails_all_the_time() {
    let a = looping("a").on_stop(OnStop::Return);
    let kit = Kit::with([&a], tireless);
    let callers: Vec<_> = (0..6_u32)
        .map(|caller| {
            let supervisor = kit.supervisor.clone();
            spawn(async move {
                for turn in 0..60 {
                    match (caller + turn) % 4 {
                        0 | 1 => drop(supervisor.start("a").await),
                        2 => drop(supervisor.restart("a").await),
                        _ => drop(supervisor.stop("a").await),
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    kit.supervisor.stop("a").await.unwrap();
    kit.supervisor.shutdown().await.unwrap();
    assert_eq!((a.most_live(), a.live()), (1, 0));
    assert!(kit.state("a").starts_with("stopped"), "{}", kit.state("a"));
    assert_legal(&kit);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s08_c03_x03_a_run_that_blocks_before_it_gives_way_has_its_start_deadline_too() {
    let mut tries = 0..5;
    let (a, kit) = loop {
        assert!(tries.next().is_some(), "the first run is late each time");
        let a = Probe::new("a").start_timeout(Duration::from_millis(60));
        let kit = Kit::with([&a], |builder| {
            tireless(builder)
                .grace_period(Duration::from_millis(20))
                .join_timeout(Duration::from_millis(20))
        });
        // The first run has that deadline too.
        if kit.supervisor.start("a").await.is_ok() {
            break (a, kit);
        }
    };
    let blocks = a.clone();
    let a = a.begin([Do::call(move |_| {
        blocks.block();
        async {}
    })]);
    let began = Instant::now();
    a.order(Do::Fail("no"));
    while !kit.state("a").starts_with("failed") {
        if began.elapsed() > 5 * SECOND {
            a.unblock();
            panic!("{}", kit.state("a"));
        }
        sleep(Duration::from_millis(2)).await;
    }
    assert!(began.elapsed() >= Duration::from_millis(100), "{:?}", began.elapsed());
    assert_eq!(kit.incarnation("a"), 2);
    a.unblock();
    kit.supervisor.shutdown().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn r03_d01_who_wants_or_comes_after_one_that_is_starting_waits_for_it() {
    let (wants, after) = (Probe::new("a").wants("b"), Probe::new("a").after("b"));
    for a in [wants, after] {
        let b = Probe::new("b");
        let kit = Kit::with([&a, &b], tireless);
        kit.supervisor.start("a").await.unwrap();
        kit.supervisor.stop("b").await.unwrap();
        let b = b.begin([]);
        let start = kit.starting("b").await;
        order(&a, Do::Fail("no")).await;
        assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("waiting", 1));
        order(&b, Do::Ready).await;
        assert_eq!(start.await.unwrap().unwrap(), StartOutcome::Started);
        assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 2));
    }
}

#[tokio::test(start_paused = true)]
async fn r03_d06_who_went_on_without_what_it_requires_waits_for_it_to_begin_again() {
    let (a, b) = (Probe::new("a").requires_to(Reaction::Keep, "b"), Probe::new("b"));
    let kit = Kit::with([&a, &b], tireless);
    kit.supervisor.start("a").await.unwrap();
    order(&b, Do::FailForGood("no")).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 1));
    order(&a, Do::Fail("no")).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("waiting", 1));
    kit.supervisor.start("b").await.unwrap();
    settle().await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 2));
}

//! Tasks that a service spawns through its context end with it.

use std::future::pending;
use std::sync::Arc;

use parking_lot::Mutex;
use plux::{Exit, GracePeriod, HandleError, ServiceContext, ServiceState, StopHow, StopReason};
use tokio::time::{Instant, sleep};

use crate::kit::{Do, Kit, Log, OnStop, Probe, Published, SECOND, plain, settle, spawn};

/// Says so when it is dropped.
struct Said(Log, &'static str);

impl Drop for Said {
    fn drop(&mut self) {
        self.0.add(self.1);
    }
}

/// Spawns, in a run, a task that logs `task ended` when it is dropped or done.
fn task<F>(log: &Log, body: impl Fn(ServiceContext) -> F + Clone + Send + Sync + 'static) -> Do
where
    F: Future<Output = ()> + Send + 'static,
{
    let log = log.clone();
    Do::call(move |cx| {
        let (said, body) = (Said(log.clone(), "task ended"), body.clone());
        let future = body(cx.clone());
        cx.spawn(async move {
            let _said = said;
            future.await;
        });
        async {}
    })
}

/// A task that takes this many seconds once the service is to stop.
fn drains(
    seconds: u32,
) -> impl Fn(ServiceContext) -> futures::future::BoxFuture<'static, ()> + Clone {
    move |cx| {
        Box::pin(async move {
            cx.stopping().await;
            sleep(seconds * SECOND).await;
        })
    }
}

#[tokio::test(start_paused = true)]
async fn s11_a_stop_awaits_the_tasks() {
    let log = Log::default();
    let kit = Kit::new([&Probe::new("a").begin([task(&log, drains(3)), Do::Ready])]);
    kit.supervisor.start("a").await.unwrap();
    let began = Instant::now();
    let stop = kit.stopping("a").await;
    assert_eq!((kit.log.count("a ended"), log.count("task ended")), (1, 0));
    assert_eq!(kit.state("a"), "stopping (asked)");
    let report = stop.await.unwrap().unwrap();
    assert_eq!((began.elapsed().as_secs(), log.count("task ended")), (3, 1));
    assert!(matches!(report.rows[0].how, StopHow::Clean), "{}", report.rows[0].how);
}

#[tokio::test(start_paused = true)]
async fn s11_a_task_that_is_still_there_at_the_deadline_is_aborted_with_the_service() {
    let log = Log::default();
    let hangs = task(&log, |_| pending());
    let a = Probe::new("a").begin([hangs, Do::Ready]);
    let kit = Kit::new([&a.grace_period(GracePeriod::Bounded(5 * SECOND))]);
    kit.supervisor.start("a").await.unwrap();
    let began = Instant::now();
    let report = kit.supervisor.stop("a").await.unwrap();
    assert_eq!((began.elapsed().as_secs(), log.count("task ended")), (5, 1));
    assert!(matches!(report.rows[0].how, StopHow::Aborted), "{}", report.rows[0].how);
    assert_eq!(kit.state("a"), "stopped (asked)");
}

#[tokio::test(start_paused = true)]
async fn s11_all_tasks_are_awaited_also_those_that_a_task_spawns_while_it_drains() {
    let log = Log::default();
    let nested = {
        let log = log.clone();
        task(&log.clone(), move |cx: ServiceContext| {
            let said = Said(log.clone(), "nested ended");
            async move {
                cx.stopping().await;
                sleep(SECOND).await;
                cx.clone().spawn(async move {
                    sleep(2 * SECOND).await;
                    drop(said);
                });
            }
        })
    };
    let a = Probe::new("a").begin([task(&log, drains(1)), nested, Do::Ready]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let began = Instant::now();
    kit.supervisor.stop("a").await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 3);
    assert_eq!((log.count("task ended"), log.count("nested ended")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn s11_a_panic_in_a_task_is_the_services_failure() {
    let log = Log::default();
    let panics = task(&log, |_| async {
        sleep(SECOND).await;
        panic!("the task is cursed");
    });
    let a = Probe::new("a").begin([task(&log, drains(0)), panics, Do::Ready]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    sleep(2 * SECOND).await;
    let state = kit.state("a");
    assert!(state.starts_with("failed: panicked") && state.ends_with("is cursed"), "{state}");
    assert_eq!((a.live(), log.count("task ended")), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn s11_a_panic_in_a_task_before_readiness_fails_the_start() {
    let log = Log::default();
    let kit = Kit::new([&Probe::new("a").begin([task(&log, |_| async { panic!("cursed") })])]);
    let error = kit.supervisor.start("a").await.unwrap_err();
    assert!(error.to_string().contains("cursed"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn s11_a_panic_in_a_task_that_drains_is_reported_of_the_stop() {
    let log = Log::default();
    let panics = task(&log, |cx: ServiceContext| async move {
        cx.stopping().await;
        sleep(SECOND).await;
        panic!("the task is cursed");
    });
    let kit = Kit::new([&Probe::new("a").begin([panics, task(&log, drains(2)), Do::Ready])]);
    kit.supervisor.start("a").await.unwrap();
    let report = kit.supervisor.stop("a").await.unwrap();
    let StopHow::Error(Exit::Panicked(panic)) = &report.rows[0].how else { panic!("{report:?}") };
    assert_eq!(panic.message, "the task is cursed");
    assert_eq!((kit.state("a"), log.count("task ended")), ("stopped (asked)".into(), 2));
}

#[tokio::test(start_paused = true)]
async fn s11_a_future_that_is_spawned_after_the_end_is_dropped_unpolled() {
    let (log, kept) = (Log::default(), Arc::new(Mutex::new(None)));
    let slot = Arc::clone(&kept);
    let keep = Do::call(move |cx| {
        *slot.lock() = Some(cx);
        async {}
    });
    let kit = Kit::new([&Probe::new("a").begin([keep, Do::Ready])]);
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.stop("a").await.unwrap();
    let cx: ServiceContext = kept.lock().take().unwrap();
    let (polled, dropped) = (log.clone(), Said(log.clone(), "dropped"));
    cx.spawn(async move {
        polled.add("polled");
        drop(dropped);
    });
    assert_eq!(log.lines(), ["dropped"], "at once");
    settle().await;
    assert_eq!(log.lines(), ["dropped"]);
}

#[tokio::test(start_paused = true)]
async fn s11_a_run_that_ends_tells_its_tasks_and_has_ended_when_they_have() {
    let log = Log::default();
    let a = Probe::new("a").begin([task(&log, drains(3)), Do::Ready, Do::Complete]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let supervisor = kit.supervisor.clone();
    let wait = spawn(async move { supervisor.wait("a").await });
    settle().await;
    assert_eq!(kit.log.count("a ended"), 1);
    assert!(!wait.is_finished(), "it was answered while a task was there");
    let state = wait.await.unwrap().unwrap();
    assert_eq!((state.to_string(), log.count("task ended")), ("stopped (completed)".into(), 1));
}

#[tokio::test(start_paused = true)]
async fn s11_tasks_of_a_run_that_ended_by_itself_are_aborted_after_the_grace_period_too() {
    let log = Log::default();
    let a = Probe::new("a").begin([task(&log, |_| pending()), Do::Ready, Do::Fail("no net")]);
    let kit = Kit::with([&a], |builder| builder.grace_period(5 * SECOND));
    kit.supervisor.start("a").await.unwrap();
    let began = Instant::now();
    let state = plain(kit.supervisor.wait("a").await.unwrap());
    assert_eq!((began.elapsed().as_secs(), log.count("task ended")), (5, 1));
    assert!(matches!(state, ServiceState::Failed(_)) && state.to_string() == "failed: no net");
}

#[tokio::test(start_paused = true)]
async fn s11_no_new_run_begins_while_a_task_of_the_old_one_is_there() {
    let log = Log::default();
    let a = Probe::new("a").begin([task(&log, drains(3)), Do::Ready]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    a.order(Do::Complete);
    settle().await;
    assert_eq!(kit.log.count("a ended"), 1);
    let began = Instant::now();
    kit.supervisor.start("a").await.unwrap();
    assert_eq!((began.elapsed().as_secs(), log.count("task ended")), (2, 1));
    assert_eq!(kit.incarnation("a"), 2);
}

#[tokio::test(start_paused = true)]
async fn s11_the_end_of_run_is_the_end_for_who_uses_the_service() {
    let log = Log::default();
    let a = Probe::new("a").begin([task(&log, drains(3)), Do::Ready]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let handle = kit.supervisor.handle::<Published>("a").unwrap();
    a.order(Do::Complete);
    settle().await;
    assert_eq!(log.count("task ended"), 0);
    assert!(matches!(handle.get(), Err(HandleError::Ended { .. })));
    assert!(matches!(kit.supervisor.handle::<Published>("a"), Err(HandleError::NotReady { .. })));
}

#[tokio::test(start_paused = true)]
async fn s11_dependents_of_a_failed_run_are_stopped_at_its_end_not_at_that_of_its_tasks() {
    let log = Log::default();
    let a = Probe::new("a").begin([task(&log, drains(3)), Do::Ready]);
    let b = Probe::new("b").requires("a");
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    a.order(Do::Fail("no net"));
    settle().await;
    assert_eq!(log.count("task ended"), 0);
    assert_eq!(kit.log.of("b")[4..], ["stopping dependency", "ended"]);
    sleep(4 * SECOND).await;
    assert_eq!((log.count("task ended"), kit.state("a")), (1, "failed: no net".into()));
}

#[tokio::test(start_paused = true)]
async fn s11_a_dependent_does_not_begin_on_a_run_that_is_over() {
    let log = Log::default();
    let a = Probe::new("a").begin([task(&log, drains(3)), Do::Ready]);
    let b = Probe::new("b").requires("a");
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("a").await.unwrap();
    a.order(Do::Fail("no net"));
    settle().await;
    kit.supervisor.start("b").await.unwrap();
    assert_eq!((kit.incarnation("a"), log.count("task ended")), (2, 1));
    assert_eq!(kit.log.count("b begins"), 1);
}

#[tokio::test(start_paused = true)]
async fn s11_a_failed_start_answers_when_the_tasks_have_ended_too() {
    let log = Log::default();
    let a = Probe::new("a").begin([task(&log, drains(3)), Do::Fail("no port")]);
    let kit = Kit::new([&a]);
    let began = Instant::now();
    kit.supervisor.start("a").await.unwrap_err();
    assert_eq!((began.elapsed().as_secs(), log.count("task ended")), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn s11_tasks_learn_why_the_service_stops() {
    let reasons = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&reasons);
    let log = Log::default();
    let tells = task(&log, move |cx: ServiceContext| {
        let kept = Arc::clone(&kept);
        async move {
            assert_eq!(cx.stop_reason(), None);
            let reason = cx.stopping().await;
            kept.lock().push((reason, cx.stop_reason()));
        }
    });
    let a = Probe::new("a").begin([tells, Do::Ready]).on_stop(OnStop::Return);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.restart("a").await.unwrap();
    kit.supervisor.stop("a").await.unwrap();
    let told = |reason| (reason, Some(reason));
    assert_eq!(*reasons.lock(), [told(StopReason::Restart), told(StopReason::Asked)]);
}

#[tokio::test(start_paused = true)]
async fn s11_a_stop_of_a_run_that_is_over_awaits_its_tasks() {
    let log = Log::default();
    let a = Probe::new("a").begin([task(&log, drains(3)), Do::Ready]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    a.order(Do::Complete);
    settle().await;
    let stop = kit.stopping("a").await;
    assert_eq!((log.count("task ended"), kit.state("a")), (0, "stopping (asked)".into()));
    stop.await.unwrap().unwrap();
    assert_eq!((log.count("task ended"), kit.state("a")), (1, "stopped (asked)".into()));
    settle().await;
    let states = kit.events.states("a");
    assert_eq!(states, ["starting", "running", "stopping (asked)", "stopped (asked)"]);
}

#[tokio::test(start_paused = true)]
async fn s11_of_tasks_that_are_aborted_a_panic_counts_most() {
    struct Cursed;
    impl Drop for Cursed {
        fn drop(&mut self) {
            panic!("the destructor of a task");
        }
    }
    let log = Log::default();
    let hangs = task(&log, |_| pending());
    let panics = task(&log, |_| {
        let cursed = Cursed;
        async move {
            let _cursed = cursed;
            pending().await
        }
    });
    let kit = Kit::new([&Probe::new("a").begin([hangs.clone(), panics, hangs, Do::Ready])]);
    kit.supervisor.start("a").await.unwrap();
    let report = kit.supervisor.stop("a").await.unwrap();
    let StopHow::Error(Exit::Panicked(panic)) = &report.rows[0].how else { panic!("{report:?}") };
    assert_eq!((panic.message.as_str(), log.count("task ended")), ("the destructor of a task", 3));
}

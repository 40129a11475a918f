//! That a service sees why it is to stop.

use std::sync::Arc;

use parking_lot::Mutex;
use plux::{Group, Health, OnUnhealthy, ServiceContext, StopReason};
use tokio::time::sleep;

use crate::kit::{Do, Kit, OnStop, Probe, SECOND, order, settle, spawn, tireless};

/// The context of the newest run of a probe.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Option<ServiceContext>>>);

impl Kept {
    /// The order by which a run hands it over.
    fn keep(&self) -> Do {
        let kept = self.clone();
        Do::call(move |cx| {
            *kept.0.lock() = Some(cx);
            async {}
        })
    }

    fn context(&self) -> ServiceContext {
        self.0.lock().clone().expect("it runs")
    }
}

/// Two services, of which `b` requires `a`, and a third beside them that is in a group with `a`.
struct Three {
    kit: Kit,
    a: Probe,
    b: Kept,
    c: Kept,
}

impl Three {
    async fn up() -> Self {
        let (b, c) = (Kept::default(), Kept::default());
        let a = Probe::new("a");
        let probes = [
            a.clone(),
            Probe::new("b").requires("a").begin([b.keep(), Do::Ready]),
            Probe::new("c").begin([c.keep(), Do::Ready]),
        ];
        let kit = Kit::with(&probes, |builder| {
            tireless(builder).group(Group::one_for_all("store", ["a", "c"]))
        });
        assert!(kit.supervisor.start_all().await.is_ok());
        Self { kit, a, b, c }
    }
}

/// Asserts what a run was told that is over.
#[track_caller]
fn told(run: &ServiceContext, reason: StopReason, word: &str) {
    assert_eq!(run.stop_reason(), Some(reason));
    assert_eq!(reason.to_string(), word);
}

#[tokio::test(start_paused = true)]
async fn s12_nobody_is_told_to_stop_while_it_runs() {
    let three = Three::up().await;
    let run = three.b.context();
    let waits = spawn(async move { run.stopping().await });
    sleep(3600 * SECOND).await;
    assert!(!waits.is_finished());
    assert_eq!(three.b.context().stop_reason(), None);
    three.kit.supervisor.stop("b").await.unwrap();
    assert_eq!(waits.await.unwrap(), StopReason::Asked);
}

#[tokio::test(start_paused = true)]
async fn s12_one_that_is_stopped_by_name_was_asked() {
    let three = Three::up().await;
    three.kit.supervisor.stop("b").await.unwrap();
    told(&three.b.context(), StopReason::Asked, "asked");
}

#[tokio::test(start_paused = true)]
async fn s12_one_is_stopped_for_its_dependency() {
    let three = Three::up().await;
    let run = three.b.context();
    three.kit.supervisor.stop("a").await.unwrap();
    told(&run, StopReason::Dependency, "dependency");
    // And also when that has failed.
    let three = Three::up().await;
    let run = three.b.context();
    order(&three.a, Do::Fail("no")).await;
    told(&run, StopReason::Dependency, "dependency");
    assert_eq!(three.b.context().stop_reason(), None, "the next run is another one");
}

#[tokio::test(start_paused = true)]
async fn s12_one_is_stopped_for_its_restart() {
    let three = Three::up().await;
    let run = three.b.context();
    three.kit.supervisor.restart("b").await.unwrap();
    told(&run, StopReason::Restart, "restart");
}

#[tokio::test(start_paused = true)]
async fn s12_one_is_stopped_for_the_shutdown() {
    let three = Three::up().await;
    three.kit.supervisor.shutdown().await.unwrap();
    told(&three.b.context(), StopReason::Shutdown, "shutdown");
}

#[tokio::test(start_paused = true)]
async fn s12_one_is_stopped_for_its_group() {
    let three = Three::up().await;
    let run = three.c.context();
    order(&three.a, Do::Fail("no")).await;
    told(&run, StopReason::Group, "group");
}

#[tokio::test(start_paused = true)]
async fn s12_what_a_failed_start_had_pulled_is_not_needed() {
    let kept = Kept::default();
    let a = Probe::new("a").begin([kept.keep(), Do::Ready]);
    let kit = Kit::new([&a, &Probe::new("b").requires("a").begin([Do::Fail("no")])]);
    kit.supervisor.start("b").await.unwrap_err();
    told(&kept.context(), StopReason::Unneeded, "unneeded");
}

#[tokio::test(start_paused = true)]
async fn s12_one_that_is_not_ready_in_time_sees_its_deadline() {
    let kept = Kept::default();
    let kit = Kit::new([&Probe::new("a").begin([kept.keep()])]);
    kit.supervisor.start("a").await.unwrap_err();
    told(&kept.context(), StopReason::StartTimeout, "start_deadline");
}

#[tokio::test(start_paused = true)]
async fn s12_one_that_does_not_beat_sees_its_watchdog() {
    let kept = Kept::default();
    let a = Probe::new("a").begin([kept.keep(), Do::Ready]);
    let kit = Kit::with([&a], |builder| builder.watchdog(SECOND));
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.wait("a").await.unwrap();
    told(&kept.context(), StopReason::Watchdog, "watchdog");
}

#[tokio::test(start_paused = true)]
async fn s12_one_that_is_unhealthy_sees_that() {
    let kept = Kept::default();
    let a = Probe::new("a").begin([kept.keep(), Do::Ready]);
    let kit = Kit::with([&a], |builder| builder.on_unhealthy(OnUnhealthy::Restart));
    kit.supervisor.start("a").await.unwrap();
    kept.context().health(Health::Unhealthy("ill".into()));
    kit.supervisor.wait("a").await.unwrap();
    told(&kept.context(), StopReason::Health, "health");
}

#[tokio::test(start_paused = true)]
async fn s12_the_first_reason_stays() {
    let kept = Kept::default();
    let a = Probe::new("a").begin([kept.keep(), Do::Ready]).on_stop(OnStop::Take(5 * SECOND));
    let kit =
        Kit::with([&a], |builder| builder.on_unhealthy(OnUnhealthy::Restart).watchdog(2 * SECOND));
    kit.supervisor.start("a").await.unwrap();
    let stop = kit.stopping("a").await;
    kept.context().health(Health::Unhealthy("ill".into()));
    kit.supervisor.request_restart("a").unwrap();
    kit.supervisor.request_shutdown();
    settle().await;
    assert_eq!(kit.state("a"), "stopping (asked)");
    stop.await.unwrap().unwrap();
    told(&kept.context(), StopReason::Asked, "asked");
}

#[tokio::test(start_paused = true)]
async fn s11_s12_its_tasks_see_the_reason_too() {
    let seen: Arc<Mutex<Vec<StopReason>>> = Arc::default();
    let see = Arc::clone(&seen);
    let watch = Do::call(move |cx| {
        let (run, seen) = (cx.clone(), Arc::clone(&see));
        cx.spawn(async move {
            let reason = run.stopping().await;
            seen.lock().push(reason);
        });
        async {}
    });
    let a = Probe::new("a").begin([watch, Do::Ready]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.stop("a").await.unwrap();
    kit.supervisor.start("a").await.unwrap();
    // A run that is over by itself does not need them any more.
    order(&a, Do::Complete).await;
    assert_eq!(*seen.lock(), [StopReason::Asked, StopReason::Unneeded]);
}

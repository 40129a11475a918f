//! How well a run says that it is: seen, heard, and what becomes of one that is unhealthy.

use std::sync::Arc;

use parking_lot::Mutex;
use plux::{
    EventKind, GracePeriod, Group, Health, Intensity, OnUnhealthy, RestartPolicy, ServiceContext,
    ServiceFailure, ServiceOptions, ServiceState, StartError,
};
use tokio::time::{Instant, sleep};

use crate::kit::{Do, Kit, OnStop, Probe, SECOND, order, settle, tireless};

const ILL: &str =
    "failed: it was unhealthy: no replica answers; with OnUnhealthy::Ignore it would go on";

fn healthy() -> Do {
    feel(Health::Healthy)
}

fn degraded(reason: &str) -> Do {
    feel(Health::Degraded(reason.into()))
}

fn unhealthy() -> Do {
    feel(Health::Unhealthy("no replica answers".into()))
}

fn feel(health: Health) -> Do {
    Do::call(move |cx| {
        let health = health.clone();
        async move { cx.health(health) }
    })
}

/// One that is stopped when it is unhealthy.
fn judged(name: &'static str) -> Probe {
    Probe::new(name).options(|options| options.with_on_unhealthy(OnUnhealthy::Restart))
}

fn health(kit: &Kit, name: &str) -> String {
    kit.supervisor.status(name).unwrap().health.to_string()
}

/// What was heard of a service's health, with the number of the run.
fn heard(kit: &Kit, name: &str) -> Vec<String> {
    let of_name = kit.events.all().into_iter().filter(|event| event.id.name == *name);
    let told = of_name.filter_map(|event| match event.kind {
        EventKind::Health { health, incarnation } => Some(format!("{incarnation} {health}")),
        _ => None,
    });
    told.collect()
}

#[tokio::test(start_paused = true)]
async fn s07_s10_an_unhealthy_service_that_is_judged_has_failed_whatever_it_returns() {
    let ends = [OnStop::Return, OnStop::Fail("half written"), OnStop::Panic("oh no")];
    for on_stop in ends {
        let a = judged("a").on_stop(on_stop);
        let kit = Kit::new([&a]);
        kit.supervisor.start("a").await.unwrap();
        order(&a, unhealthy()).await;
        assert_eq!(kit.state("a"), ILL);
        assert_eq!(kit.log.of("a")[4..], ["stopping health", "ended"]);
        let ServiceState::Failed(failure) = kit.raw_state("a") else { panic!() };
        let ServiceFailure::Unhealthy { reason } = &*failure else { panic!("{failure}") };
        assert_eq!(&**reason, "no replica answers");
        assert_eq!(health(&kit, "a"), "healthy", "the health went with the run");
    }
}

#[tokio::test(start_paused = true)]
async fn s10_who_is_well_again_before_it_has_stopped_has_failed_all_the_same() {
    let a = judged("a").on_stop(OnStop::Ignore);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    for change in [unhealthy(), healthy(), unhealthy(), healthy()] {
        order(&a, change).await;
    }
    assert_eq!((kit.state("a").as_str(), health(&kit, "a").as_str()), {
        ("stopping (health)", "healthy")
    });
    order(&a, Do::Complete).await;
    assert_eq!(kit.state("a"), ILL);
}

#[tokio::test(start_paused = true)]
async fn s10_who_does_not_stop_either_is_aborted_after_its_grace_period() {
    let a = judged("a").on_stop(OnStop::Ignore);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let began = Instant::now();
    order(&a, unhealthy()).await;
    kit.supervisor.wait("a").await.unwrap();
    assert_eq!((began.elapsed().as_secs(), a.live()), (10, 0));
    assert_eq!(kit.state("a"), ILL);
}

#[tokio::test(start_paused = true)]
async fn s10_what_is_unhealthy_before_it_is_ready_starts_and_is_judged_then() {
    let a = judged("a").begin([unhealthy()]);
    let kit = Kit::new([&a]);
    let start = kit.starting("a").await;
    assert_eq!((kit.state("a").as_str(), health(&kit, "a").as_str()), {
        ("starting", "unhealthy: no replica answers")
    });
    order(&a, Do::Ready).await;
    start.await.unwrap().unwrap();
    settle().await;
    assert_eq!(kit.state("a"), ILL);
    assert_eq!(kit.events.states("a")[..3], ["starting", "running", "stopping (health)"]);
}

#[tokio::test(start_paused = true)]
async fn s10_what_was_unhealthy_only_before_it_was_ready_goes_on() {
    let a = judged("a").begin([unhealthy(), healthy(), Do::Ready]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    sleep(3600 * SECOND).await;
    assert_eq!(kit.state("a"), "running");
    assert_eq!(heard(&kit, "a"), ["1 unhealthy: no replica answers", "1 healthy"]);
}

#[tokio::test(start_paused = true)]
async fn s10_an_unhealthy_start_that_ends_has_failed_by_its_end() {
    let a = judged("a").begin([unhealthy(), Do::Fail("no")]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap_err();
    assert_eq!(kit.state("a"), "failed: it ended before it was ready: no");
}

#[tokio::test(start_paused = true)]
async fn s10_the_health_of_one_that_stops_is_seen_and_changes_nothing() {
    let long = GracePeriod::Bounded(60 * SECOND);
    let a = judged("a").on_stop(OnStop::Ignore).grace_period(long);
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    let stop = kit.stopping("a").await;
    order(&a, unhealthy()).await;
    assert_eq!((kit.state("a").as_str(), health(&kit, "a").as_str()), {
        ("stopping (asked)", "unhealthy: no replica answers")
    });
    order(&a, Do::Complete).await;
    stop.await.unwrap().unwrap();
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("stopped (asked)", 1));
    assert_eq!(health(&kit, "a"), "healthy");
    assert_eq!(heard(&kit, "a"), ["1 unhealthy: no replica answers"]);
    // What it requires waits for it, and is to stop already.
    let b = Probe::new("b").requires("a").on_stop(OnStop::Take(5 * SECOND));
    let kit = Kit::with([&a.clone().on_stop(OnStop::Return), &b], tireless);
    kit.supervisor.start("b").await.unwrap();
    let stop = kit.stopping("a").await;
    order(&a, unhealthy()).await;
    assert_eq!(kit.state("a"), "running");
    stop.await.unwrap().unwrap();
    assert_eq!(kit.state("a"), "stopped (asked)");
}

#[tokio::test(start_paused = true)]
async fn s10_in_a_shutdown_nobody_is_judged() {
    let a = judged("a").on_stop(OnStop::Ignore);
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.request_shutdown();
    settle().await;
    order(&a, unhealthy()).await;
    order(&a, Do::Complete).await;
    let report = kit.supervisor.shutdown().await.unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(kit.state("a"), "stopped (shutdown)");
}

#[tokio::test(start_paused = true)]
async fn s10_a_shutdown_or_a_stop_while_it_is_stopped_leaves_it_failed() {
    for shutdown in [true, false] {
        let a = judged("a").on_stop(OnStop::Take(3 * SECOND));
        let kit = Kit::with([&a], tireless);
        kit.supervisor.start("a").await.unwrap();
        order(&a, unhealthy()).await;
        if shutdown {
            kit.supervisor.shutdown().await.unwrap();
        } else {
            kit.supervisor.stop("a").await.unwrap();
        }
        sleep(10 * SECOND).await;
        assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), (ILL, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn s10_what_an_old_run_says_is_nothing_to_the_next() {
    let kept: Arc<Mutex<Option<ServiceContext>>> = Arc::default();
    let keep = Arc::clone(&kept);
    let a = judged("a").begin([
        Do::call(move |cx| {
            keep.lock().get_or_insert(cx);
            async {}
        }),
        Do::Ready,
    ]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.restart("a").await.unwrap();
    let old = kept.lock().clone().unwrap();
    old.health(Health::Unhealthy("I am gone".into()));
    settle().await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 2));
    assert_eq!(health(&kit, "a"), "healthy");
    assert_eq!(heard(&kit, "a"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn s10_after_the_end_of_its_run_nobody_is_heard() {
    let kept: Arc<Mutex<Option<ServiceContext>>> = Arc::default();
    let keep = Arc::clone(&kept);
    let a = judged("a").begin([
        Do::call(move |cx| {
            *keep.lock() = Some(cx);
            async {}
        }),
        Do::Ready,
    ]);
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.stop("a").await.unwrap();
    let over = kept.lock().take().unwrap();
    over.health(Health::Unhealthy("I am gone".into()));
    settle().await;
    assert_eq!((kit.state("a").as_str(), health(&kit, "a").as_str()), {
        ("stopped (asked)", "healthy")
    });
    assert_eq!(heard(&kit, "a"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn s10_unless_it_is_set_an_unhealthy_service_goes_on_and_can_be_seen_to_be_so() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    assert_eq!(health(&kit, "a"), "healthy");
    for (change, seen) in [
        (degraded("slow"), "degraded: slow"),
        (unhealthy(), "unhealthy: no replica answers"),
        (healthy(), "healthy"),
    ] {
        order(&a, change).await;
        assert_eq!(health(&kit, "a"), seen);
        assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 1));
    }
    assert_eq!(
        heard(&kit, "a"),
        ["1 degraded: slow", "1 unhealthy: no replica answers", "1 healthy"]
    );
}

#[tokio::test(start_paused = true)]
async fn s10_each_change_is_heard_once_and_in_order() {
    let a = Probe::new("a");
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let mut all = Vec::new();
    for at in 0..100 {
        a.order(healthy());
        a.order(degraded(&at.to_string()));
        a.order(degraded(&at.to_string()));
        all.extend((at > 0).then(|| "1 healthy".to_owned()));
        all.push(format!("1 degraded: {at}"));
    }
    settle().await;
    settle().await;
    assert_eq!(heard(&kit, "a"), all);
}

#[tokio::test(start_paused = true)]
async fn s10_a_degraded_service_is_not_judged() {
    let a = judged("a");
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    order(&a, degraded("slow")).await;
    sleep(3600 * SECOND).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 1));
}

#[tokio::test(start_paused = true)]
async fn r01_s10_the_policy_says_whether_it_comes_back() {
    let policies = [
        (RestartPolicy::Permanent, "running", 2),
        (RestartPolicy::Transient, "running", 2),
        (RestartPolicy::Temporary, ILL, 1),
    ];
    for (policy, state, run) in policies {
        let a = judged("a").options(|options| options.with_restart(policy));
        let kit = Kit::with([&a], tireless);
        kit.supervisor.start("a").await.unwrap();
        order(&a, unhealthy()).await;
        assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), (state, run), "{policy:?}");
        assert_eq!(health(&kit, "a"), "healthy", "a fresh run is");
    }
}

#[tokio::test(start_paused = true)]
async fn d05_s10_what_stands_on_it_is_stopped_first_and_comes_back_with_it() {
    let a = judged("a");
    let kit = Kit::with([&a, &Probe::new("b").requires("a")], tireless);
    kit.supervisor.start("b").await.unwrap();
    kit.log.clear();
    order(&a, unhealthy()).await;
    kit.log.before("b ended", "a stopping health");
    assert_eq!((kit.incarnation("a"), kit.incarnation("b")), (2, 2));
    assert_eq!(kit.state("b"), "running");
}

#[tokio::test(start_paused = true)]
async fn s02_s10_a_start_that_stands_on_it_fails_and_names_it() {
    let (a, b) = (judged("a"), Probe::new("b").requires("a").begin([]));
    let kit = Kit::new([&a, &b]);
    let start = kit.starting("b").await;
    order(&a, unhealthy()).await;
    let error = start.await.unwrap().unwrap_err();
    let StartError::Failed { culprit, source, .. } = &error else { panic!("{error}") };
    assert_eq!(culprit.as_str(), "a");
    assert!(matches!(**source, ServiceFailure::Unhealthy { .. }), "{source}");
    assert_eq!((kit.state("a").as_str(), b.live()), (ILL, 0));
    // It is not even begun on one that is unhealthy when it gets ready.
    let a = a.begin([unhealthy(), Do::Ready]);
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap_err();
    assert_eq!(kit.log.count("b begins"), 0);
}

#[tokio::test(start_paused = true)]
async fn s10_what_is_set_by_name_goes_before_the_service_and_that_before_all() {
    let ignores = |options: ServiceOptions| options.with_on_unhealthy(OnUnhealthy::Ignore);
    let (named, own, plain) =
        (judged("named"), Probe::new("own").options(ignores), Probe::new("plain"));
    let kit = Kit::with([&named, &own, &plain], |builder| {
        builder.on_unhealthy(OnUnhealthy::Restart).service("named", ignores(ServiceOptions::NONE))
    });
    for (probe, name, state) in
        [(&named, "named", "running"), (&own, "own", "running"), (&plain, "plain", ILL)]
    {
        kit.supervisor.start(name).await.unwrap();
        order(probe, unhealthy()).await;
        assert_eq!(kit.state(name), state, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn s10_the_service_itself_sees_its_health_at_once() {
    let a = Probe::new("a");
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let (supervisor, seen) = (kit.supervisor.clone(), Arc::new(Mutex::new(Health::Healthy)));
    let kept = Arc::clone(&seen);
    let look = move |cx: ServiceContext| {
        cx.health(Health::Degraded("slow".into()));
        *kept.lock() = supervisor.status("a").unwrap().health;
        async {}
    };
    order(&a, Do::call(look)).await;
    assert_eq!(*seen.lock(), Health::Degraded("slow".into()));
}

#[tokio::test(start_paused = true)]
async fn r06_s10_its_group_stops_with_it_at_once_and_in_order() {
    let a = judged("a").on_stop(OnStop::Take(5 * SECOND));
    let (b, c) = (Probe::new("b").requires("a"), Probe::new("c"));
    let kit = Kit::with([&a, &b, &c], |builder| {
        tireless(builder).group(Group::one_for_all("store", ["a", "b", "c"]))
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    kit.log.clear();
    order(&a, unhealthy()).await;
    kit.log.before("b ended", "a stopping health");
    assert_eq!([kit.log.of("b"), kit.log.of("c")], [["stopping group", "ended"]; 2]);
    assert_eq!([kit.state("b"), kit.state("c")], ["waiting"; 2]);
    sleep(5 * SECOND).await;
    for name in ["a", "b", "c"] {
        assert_eq!((kit.state(name).as_str(), kit.incarnation(name)), ("running", 2), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn r05_r06_s10_when_it_is_given_up_its_group_does_not_come_back() {
    let (a, b) = (judged("a"), Probe::new("b"));
    let kit = Kit::with([&a, &b], |builder| {
        let group = Group::one_for_all("store", ["a", "b"]);
        tireless(builder).intensity(Intensity::new(1, 60 * SECOND)).group(group)
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&a, unhealthy()).await;
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [2, 2]);
    order(&a, unhealthy()).await;
    assert!(kit.state("a").starts_with("failed: it was given up"), "{}", kit.state("a"));
    assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("stopped (group)", 2));
}

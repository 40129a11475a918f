//! After which ends a service is started again, and which configurations are refused.

use std::time::Duration;

use plux::{GiveUp, Intensity, ListFinder, PluginManager, Reaction, RestartPolicy, Supervisor};
use tokio::time::sleep;

use crate::kit::{Do, Kit, Load, Probe, SECOND, Scripted, at_most, order, settle, tireless};

const MS: Duration = Duration::from_millis(1);

fn policy(name: &'static str, policy: RestartPolicy) -> Probe {
    Probe::new(name).options(|options| options.with_restart(policy))
}

#[tokio::test(start_paused = true)]
async fn r01_a_permanent_service_is_restarted_after_every_end() {
    let a = policy("a", RestartPolicy::Permanent);
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    for (end, run) in [(Do::Complete, 2), (Do::Fail("no"), 3), (Do::Panic("oh"), 4)] {
        order(&a, end).await;
        assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", run));
    }
    assert_eq!(kit.supervisor.stop("a").await.unwrap().rows.len(), 1);
    settle().await;
    assert_eq!(kit.state("a"), "stopped (asked)", "an end that was asked for is no end to repair");
}

#[tokio::test(start_paused = true)]
async fn r01_a_transient_service_is_restarted_after_failures_and_not_after_completion() {
    let a = policy("a", RestartPolicy::Transient);
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::Fail("no")).await;
    order(&a, Do::Panic("oh")).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 3));
    order(&a, Do::Complete).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("stopped (completed)", 3));
}

#[tokio::test(start_paused = true)]
async fn r01_a_temporary_service_never_is_and_not_for_the_sake_of_another() {
    let a = policy("a", RestartPolicy::Transient);
    let b = policy("b", RestartPolicy::Temporary).requires("a");
    let kit = Kit::with([&a, &b], tireless);
    kit.supervisor.start("b").await.unwrap();
    order(&b, Do::Fail("no")).await;
    assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("failed: no", 1));
    kit.supervisor.start("b").await.unwrap();
    order(&a, Do::Fail("no")).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 2));
    assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("stopped (dependency)", 2));
}

#[tokio::test(start_paused = true)]
async fn r01_what_is_not_set_is_transient() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], |builder| builder.intensity(Intensity::new(5, 60 * SECOND)));
    kit.supervisor.start("a").await.unwrap();
    a.order(Do::Fail("no"));
    // At most 100 ms, and a timer is exact to one.
    sleep(102 * MS).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 2));
}

#[tokio::test(start_paused = true)]
async fn r02_a_fatal_error_ends_it_whatever_the_policy() {
    let a = policy("a", RestartPolicy::Permanent);
    let b = Probe::new("b").requires("a");
    let kit = Kit::with([&a, &b], tireless);
    kit.supervisor.start("b").await.unwrap();
    order(&a, Do::FailForGood("the licence is over")).await;
    assert_eq!(kit.state("a"), "failed: fatal: the licence is over");
    assert_eq!((kit.incarnation("a"), kit.state("b").as_str()), (1, "waiting"));
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    assert_eq!(kit.state("b"), "running", "by hand it can be started all the same");
}

#[tokio::test(start_paused = true)]
async fn r02_a_fatal_error_before_it_is_ready_ends_a_restart_too() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], at_most(9));
    kit.supervisor.start("a").await.unwrap();
    let a = a.begin([Do::FailForGood("gone")]);
    order(&a, Do::Fail("no")).await;
    sleep(5 * SECOND).await;
    assert_eq!(kit.state("a"), "failed: it ended before it was ready: fatal: gone");
    assert_eq!(kit.incarnation("a"), 2);
}

#[tokio::test(start_paused = true)]
async fn s02_what_fails_in_its_first_start_is_not_tried_again() {
    let a = Probe::new("a").begin([Do::Fail("not ready")]);
    let b = Probe::new("b").load(Load::Fail("no"));
    let kit = Kit::with([&a, &b], tireless);
    for name in ["a", "b"] {
        kit.supervisor.start(name).await.unwrap_err();
        sleep(10 * SECOND).await;
        assert_eq!((kit.raw_state(name).word(), kit.incarnation(name)), ("failed", 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a03_all_that_can_not_work_is_refused_at_once_with_name_and_place() {
    let log = crate::kit::Log::default();
    let specs = [
        Probe::new("a").options(|options| {
            let zero = Intensity::new(1, Duration::ZERO);
            options.with_intensity(zero).with_give_up(GiveUp::CoolDown(Duration::ZERO))
        }),
        policy("b", RestartPolicy::Temporary)
            .options(|options| options.with_reaction(Reaction::Restart)),
        Probe::new("c").start_timeout(Duration::ZERO),
        policy("d", RestartPolicy::Temporary)
            .requires_to(Reaction::Keep, "c")
            .requires_to(Reaction::Restart, "a"),
        policy("e", RestartPolicy::Temporary).requires_to(Reaction::Keep, "a"),
    ]
    .map(|probe| probe.spec(&log));
    let manager = PluginManager::<dyn Scripted>::builder(()).finder(ListFinder::new(specs)).build();
    let error = Supervisor::builder().manager(manager).build().unwrap_err();
    let problems: Vec<_> = error.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "`a` (registered at a:7 (probes 1.0.0)) has an intensity period of zero: set one, or \
             Intensity::UNLIMITED",
            "`a` (registered at a:7 (probes 1.0.0)) has a cool-down of zero: set one, or Intensity::UNLIMITED",
            "`b` (registered at b:7 (probes 1.0.0)) is temporary and asks for the reaction `restart`, for \
             all that it requires or for one: ask for `stop` or `keep`, or set another restart policy",
            "`c` (registered at c:7 (probes 1.0.0)) has a start_timeout of zero: set one, or \
             StartTimeout::Unlimited",
            "`d` (registered at d:7 (probes 1.0.0)) is temporary and asks for the reaction `restart`, for \
             all that it requires or for one: ask for `stop` or `keep`, or set another restart policy",
        ]
    );
    assert!(log.lines().is_empty(), "nothing of theirs has run");
}

//! How many restarts a service may need, and what becomes of one that needs more.

use std::sync::Arc;

use plux::{
    GiveUp, Reaction, RestartPolicy, ServiceFailure, ServiceState, StartError, StartOutcome,
    StartTimeout,
};
use tokio::time::sleep;

use crate::kit::{Do, Kit, OnStop, Probe, SECOND, at_most, order, settle, spawn};

fn policy(name: &'static str, policy: RestartPolicy) -> Probe {
    Probe::new(name).options(|options| options.with_restart(policy))
}

#[track_caller]
fn failure(kit: &Kit, name: &str) -> Arc<ServiceFailure> {
    match kit.raw_state(name) {
        ServiceState::Failed(failure) => failure,
        other => panic!("{name} is {other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn r04_one_restart_more_than_the_intensity_and_it_is_given_up() {
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let kit = Kit::with([&a, &b], at_most(2));
    assert!(kit.supervisor.start_all().await.is_ok());
    for run in [2, 3] {
        order(&a, Do::Fail("no")).await;
        sleep(SECOND).await;
        assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", run));
    }
    order(&a, Do::Fail("the last")).await;
    let failure = failure(&kit, "a");
    let ServiceFailure::GaveUp { restarts: 2, again: None, source, .. } = &*failure else {
        panic!("{failure}")
    };
    assert_eq!(source.to_string(), "the last");
    assert_eq!(failure.to_string(), "it was given up after 2 restarts within 60s: the last");
    // The budget of one is not that of another.
    order(&b, Do::Fail("no")).await;
    sleep(SECOND).await;
    assert_eq!(kit.state("b"), "running");
    // By hand everything begins anew.
    assert_eq!(kit.supervisor.start("a").await.unwrap(), StartOutcome::Started);
    order(&a, Do::Fail("no")).await;
    assert_eq!(kit.state("a"), "backoff for 1s: no");
}

#[tokio::test(start_paused = true)]
async fn r04_completions_of_a_permanent_service_count_too() {
    let a = policy("a", RestartPolicy::Permanent);
    let kit = Kit::with([&a], at_most(1));
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::Complete).await;
    assert_eq!(kit.state("a"), "backoff for 1s: completed");
    sleep(SECOND).await;
    order(&a, Do::Complete).await;
    assert_eq!(kit.state("a"), "failed: it was given up after 1 restart within 60s: completed");
}

#[tokio::test(start_paused = true)]
async fn r04_restarts_by_hand_and_for_the_sake_of_another_cost_nothing() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let kit = Kit::with([&a, &b], at_most(3));
    kit.supervisor.start("b").await.unwrap();
    for _ in 0..9 {
        kit.supervisor.restart("b").await.unwrap();
    }
    for _ in 0..3 {
        order(&a, Do::Fail("no")).await;
        sleep(SECOND).await;
        assert_eq!(kit.state("b"), "running");
    }
    order(&b, Do::Fail("no")).await;
    assert_eq!(kit.state("b"), "backoff for 1s: no");
}

#[tokio::test(start_paused = true)]
async fn r07_failures_further_apart_than_the_period_never_add_up() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], at_most(1));
    kit.supervisor.start("a").await.unwrap();
    for run in 2..20 {
        order(&a, Do::Fail("no")).await;
        sleep(61 * SECOND).await;
        assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", run));
    }
}

#[tokio::test(start_paused = true)]
async fn r07_attempts_that_fail_to_start_count() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], at_most(3));
    kit.supervisor.start("a").await.unwrap();
    let a = a.begin([Do::Panic("not ready")]);
    order(&a, Do::Fail("no")).await;
    sleep(10 * SECOND).await;
    let failure = failure(&kit, "a");
    assert!(matches!(&*failure, ServiceFailure::GaveUp { restarts: 3, .. }), "{failure}");
    assert_eq!(kit.incarnation("a"), 4);
}

#[tokio::test(start_paused = true)]
async fn r07_an_attempt_that_can_not_begin_does_not_count() {
    let a = Probe::new("a").options(|options| options.with_reaction(Reaction::Keep));
    let b = Probe::new("b").requires("a").options(|options| options.with_reaction(Reaction::Keep));
    let kit = Kit::with([&a, &b], at_most(1));
    kit.supervisor.start("b").await.unwrap();
    let a = a.begin([]);
    // a comes back and is not ready; b fails, and can not begin before that.
    order(&a, Do::Fail("no")).await;
    sleep(SECOND).await;
    order(&b, Do::Fail("no")).await;
    sleep(10 * SECOND).await;
    assert_eq!(["starting", "waiting"], [kit.state("a").as_str(), &kit.state("b")]);
    order(&a, Do::Ready).await;
    assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("running", 2));
}

#[tokio::test(start_paused = true)]
async fn r07_a_restart_that_is_not_ready_in_time_is_a_failure_and_tried_again() {
    let a = Probe::new("a")
        .options(|options| options.with_start_timeout(StartTimeout::Bounded(2 * SECOND)));
    let kit = Kit::with([&a], at_most(5));
    kit.supervisor.start("a").await.unwrap();
    let a = a.begin([]);
    order(&a, Do::Fail("no")).await;
    sleep(3 * SECOND).await;
    assert!(kit.state("a").starts_with("backoff for 1s: it was not ready within 2s"));
    let _a = a.begin([Do::Ready]);
    sleep(SECOND).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 3));
}

#[tokio::test(start_paused = true)]
async fn r05_a_cool_down_is_one_attempt_at_a_time_until_a_stable_run() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], |builder| {
        at_most(1)(builder).give_up(GiveUp::CoolDown(100 * SECOND)).stable_after(10 * SECOND)
    });
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::Fail("no")).await;
    sleep(SECOND).await;
    let broken = a.clone().begin([Do::Fail("still")]);
    order(&a, Do::Fail("no")).await;
    assert_eq!(
        kit.state("a"),
        "failed: it was given up after 1 restart within 60s, and is tried again after 100s: no"
    );
    for run in [3, 4] {
        sleep(100 * SECOND).await;
        assert_eq!(kit.incarnation("a"), run);
        assert!(kit.state("a").starts_with("failed: it was given up"), "{}", kit.state("a"));
    }
    let _whole = broken.begin([Do::Ready]);
    sleep(100 * SECOND).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 5));
    // It has been stable: its restarts are its own again.
    sleep(10 * SECOND).await;
    order(&a, Do::Fail("no")).await;
    assert_eq!(kit.state("a"), "backoff for 1s: no");
}

#[tokio::test(start_paused = true)]
async fn r05_a_run_after_a_cool_down_that_fails_before_it_was_stable_is_given_up_again() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], |builder| {
        at_most(1)(builder).give_up(GiveUp::CoolDown(100 * SECOND)).stable_after(10 * SECOND)
    });
    kit.supervisor.start("a").await.unwrap();
    for _ in 0..2 {
        order(&a, Do::Fail("no")).await;
        sleep(SECOND).await;
    }
    sleep(100 * SECOND).await;
    assert_eq!(kit.state("a"), "running");
    sleep(5 * SECOND).await;
    order(&a, Do::Fail("no")).await;
    assert!(kit.state("a").ends_with("tried again after 100s: no"), "{}", kit.state("a"));
}

#[tokio::test(start_paused = true)]
async fn r05_a_stop_ends_the_cool_down_and_leaves_the_cause() {
    let a = Probe::new("a");
    let kit =
        Kit::with([&a], |builder| at_most(1)(builder).give_up(GiveUp::CoolDown(100 * SECOND)));
    kit.supervisor.start("a").await.unwrap();
    for _ in 0..2 {
        order(&a, Do::Fail("no")).await;
        sleep(SECOND).await;
    }
    kit.supervisor.stop("a").await.unwrap();
    assert_eq!(kit.state("a"), "failed: it was given up after 1 restart within 60s: no");
    sleep(1_000 * SECOND).await;
    assert_eq!(kit.incarnation("a"), 2);
}

#[tokio::test(start_paused = true)]
async fn r05_a_start_ends_the_cool_down_and_begins_anew() {
    let a = Probe::new("a");
    let kit =
        Kit::with([&a], |builder| at_most(1)(builder).give_up(GiveUp::CoolDown(100 * SECOND)));
    kit.supervisor.start("a").await.unwrap();
    for _ in 0..2 {
        order(&a, Do::Fail("no")).await;
        sleep(SECOND).await;
    }
    kit.supervisor.start("a").await.unwrap();
    sleep(1_000 * SECOND).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 3));
}

#[tokio::test(start_paused = true)]
async fn r05_r09_escalating_shuts_the_supervisor_down() {
    let (a, b) = (Probe::new("a"), Probe::new("b").on_stop(OnStop::Take(5 * SECOND)));
    let kit = Kit::with([&a, &b], |builder| at_most(0)(builder).give_up(GiveUp::Escalate));
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&a, Do::Fail("no")).await;
    assert_eq!(kit.state("b"), "stopping (shutdown)");
    // While it shuts down, nothing is started again.
    b.order(Do::Fail("in the way"));
    let report = kit.supervisor.shutdown().await.unwrap();
    let failed: Vec<_> = report.failed_before().iter().map(|name| name.as_str()).collect();
    assert_eq!(failed, ["a"]);
    assert!(!report.is_clean());
    assert_eq!((kit.incarnation("a"), kit.incarnation("b")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn r05_s02_pending_starts_fail_when_it_is_given_up() {
    let a = Probe::new("a");
    let b = Probe::new("b").requires("a").begin([]);
    let kit = Kit::with([&a, &b], at_most(0));
    kit.supervisor.start("a").await.unwrap();
    let call = kit.starting("b").await;
    order(&a, Do::Fail("no")).await;
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(&error, StartError::Failed { culprit, .. } if *culprit == "a"), "{error}");
    assert_eq!(kit.state("b"), "stopped (dependency)");
}

#[tokio::test(start_paused = true)]
async fn r05_c06_who_waits_for_the_end_goes_on_to_wait_through_a_cool_down() {
    let a = Probe::new("a");
    let kit =
        Kit::with([&a], |builder| at_most(0)(builder).give_up(GiveUp::CoolDown(100 * SECOND)));
    kit.supervisor.start("a").await.unwrap();
    let supervisor = kit.supervisor.clone();
    let before = spawn(async move { supervisor.wait("a").await });
    order(&a, Do::Fail("no")).await;
    let supervisor = kit.supervisor.clone();
    let within = spawn(async move { supervisor.wait("a").await });
    sleep(200 * SECOND).await;
    assert_eq!(kit.state("a"), "running");
    assert!(!before.is_finished() && !within.is_finished(), "it was about to run");
    kit.supervisor.stop("a").await.unwrap();
    for wait in [before, within] {
        assert_eq!(wait.await.unwrap().unwrap().to_string(), "stopped (asked)");
    }
}

#[tokio::test(start_paused = true)]
async fn r05_c06_a_stop_in_the_cool_down_answers_who_waits_for_the_end() {
    let a = Probe::new("a");
    let kit =
        Kit::with([&a], |builder| at_most(0)(builder).give_up(GiveUp::CoolDown(100 * SECOND)));
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::Fail("no")).await;
    let supervisor = kit.supervisor.clone();
    let wait = spawn(async move { supervisor.wait("a").await });
    settle().await;
    kit.supervisor.stop("a").await.unwrap();
    settle().await;
    assert!(wait.is_finished(), "it is over for good");
    let state = wait.await.unwrap().unwrap().to_string();
    assert_eq!(state, "failed: it was given up after 0 restarts within 60s: no");
}

#[tokio::test(start_paused = true)]
async fn r04_who_may_have_no_restart_is_given_up_at_once() {
    let (a, b) = (Probe::new("a"), policy("b", RestartPolicy::Permanent));
    let kit = Kit::with([&a, &b], at_most(0));
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&a, Do::Fail("no")).await;
    order(&b, Do::Complete).await;
    for (name, source) in [("a", "no"), ("b", "completed")] {
        let state = kit.supervisor.status(name).unwrap().state.to_string();
        assert_eq!(state, format!("failed: it was given up after 0 restarts within 60s: {source}"));
    }
}

//! Services that are restarted together, and groups that have a budget.

use std::time::Duration;

use plux::{
    Backoff, BuildProblem, GiveUp, Group, Intensity, ListFinder, PluginManager, Reaction,
    RestartPolicy, ServiceFailure, ServiceState, Supervisor, SupervisorBuilder,
};
use tokio::time::sleep;

use crate::kit::{Do, Kit, OnStop, Probe, SECOND, Scripted, at_most, order, settle, tireless};

fn all(builder: SupervisorBuilder, members: [&'static str; 2]) -> SupervisorBuilder {
    builder.group(Group::one_for_all("store", members))
}

#[tokio::test(start_paused = true)]
async fn r06_the_failure_of_one_restarts_all_that_are_live_and_no_other() {
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let (idle, beside) = (Probe::new("idle"), Probe::new("beside"));
    let kit = Kit::with([&a, &b, &idle, &beside], |builder| {
        tireless(builder).group(Group::one_for_all("store", ["a", "b", "idle"]))
    });
    for name in ["a", "b", "beside"] {
        kit.supervisor.start(name).await.unwrap();
    }
    order(&a, Do::Fail("no")).await;
    assert_eq!(kit.log.count("b stopping group"), 1);
    assert_eq!([kit.state("a"), kit.state("b")], ["running"; 2]);
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [2, 2]);
    assert_eq!(kit.state("idle"), "stopped (never started)");
    assert_eq!(kit.incarnation("beside"), 1);
}

#[tokio::test(start_paused = true)]
async fn r06_none_begins_before_all_have_ended() {
    let (a, b) = (Probe::new("a"), Probe::new("b").on_stop(OnStop::Take(5 * SECOND)));
    let kit = Kit::with([&a, &b], |builder| all(tireless(builder), ["a", "b"]));
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&a, Do::Fail("no")).await;
    assert_eq!([kit.state("a").as_str(), &kit.state("b")], ["waiting", "stopping (group)"]);
    sleep(5 * SECOND).await;
    assert_eq!([kit.state("a"), kit.state("b")], ["running"; 2]);
    assert_eq!([a.most_live(), b.most_live()], [1, 1]);
    kit.log.before("b stopping group", "b ended");
}

#[tokio::test(start_paused = true)]
async fn r06_all_wait_for_the_delay_of_the_one_that_failed() {
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let kit = Kit::with([&a, &b], |builder| all(at_most(9)(builder), ["a", "b"]));
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&a, Do::Fail("no")).await;
    assert_eq!([kit.raw_state("a").word(), kit.raw_state("b").word()], ["backoff", "waiting"]);
    sleep(SECOND).await;
    assert_eq!([kit.state("a"), kit.state("b")], ["running"; 2]);
}

#[tokio::test(start_paused = true)]
async fn r06_a_start_by_hand_of_one_waits_for_no_delay_of_another() {
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let kit = Kit::with([&a, &b], |builder| all(at_most(9)(builder), ["a", "b"]));
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&a, Do::Fail("no")).await;
    kit.supervisor.start("b").await.unwrap();
    assert_eq!([kit.raw_state("a").word(), kit.raw_state("b").word()], ["backoff", "running"]);
    sleep(SECOND).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("b")), ("running", 2));
}

#[tokio::test(start_paused = true)]
async fn r06_a_stop_of_the_one_that_failed_lets_the_others_come_back() {
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let kit = Kit::with([&a, &b], |builder| all(at_most(9)(builder), ["a", "b"]));
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&a, Do::Fail("no")).await;
    kit.supervisor.stop("a").await.unwrap();
    settle().await;
    assert_eq!([kit.state("a").as_str(), &kit.state("b")], ["stopped (asked)", "running"]);
}

#[tokio::test(start_paused = true)]
async fn r06_in_a_group_its_strategy_goes_before_the_edges_and_outside_they_hold() {
    let a = Probe::new("a");
    let keeps = |name| Probe::new(name).options(|options| options.with_reaction(Reaction::Keep));
    let b = keeps("b").requires("a");
    let outside = Probe::new("outside").requires("b");
    let keeper = keeps("keeper").requires("b");
    let kit = Kit::with([&a, &b, &outside, &keeper], |builder| all(tireless(builder), ["a", "b"]));
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&a, Do::Fail("no")).await;
    assert_eq!(kit.incarnation("b"), 2, "by itself it would keep on");
    assert_eq!((kit.state("outside").as_str(), kit.incarnation("outside")), ("running", 2));
    assert_eq!((kit.state("keeper").as_str(), kit.incarnation("keeper")), ("running", 1));
    kit.log.before("outside stopping dependency", "b stopping group");
}

#[tokio::test(start_paused = true)]
async fn r01_r06_a_temporary_member_stops_with_the_others_and_stays_so() {
    let a = Probe::new("a");
    let b = Probe::new("b").options(|options| options.with_restart(RestartPolicy::Temporary));
    let kit = Kit::with([&a, &b], |builder| all(tireless(builder), ["a", "b"]));
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&a, Do::Fail("no")).await;
    assert_eq!([kit.state("a").as_str(), &kit.state("b")], ["running", "stopped (group)"]);
    // Its own end restarts nobody.
    kit.supervisor.start("b").await.unwrap();
    order(&b, Do::Fail("no")).await;
    assert_eq!([kit.state("a").as_str(), &kit.state("b")], ["running", "failed: no"]);
    assert_eq!(kit.incarnation("a"), 2);
}

#[tokio::test(start_paused = true)]
async fn r06_a_restart_by_hand_takes_the_group_along() {
    let (a, b) = (Probe::new("a").on_stop(OnStop::Take(2 * SECOND)), Probe::new("b"));
    let kit = Kit::with([&a, &b], |builder| all(tireless(builder), ["a", "b"]));
    assert!(kit.supervisor.start_all().await.is_ok());
    let report = kit.supervisor.restart("a").await.unwrap();
    assert_eq!(report.dependents.len(), 1);
    settle().await;
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [2, 2]);
    let lines = kit.log.lines();
    let begins: Vec<_> = lines.iter().filter(|line| line.ends_with("begins")).collect();
    let ended = lines.iter().rposition(|line| line.ends_with("ended")).unwrap();
    assert_eq!(begins.len(), 4);
    assert!(lines[ended..].iter().filter(|line| line.ends_with("begins")).count() == 2);
}

#[tokio::test(start_paused = true)]
async fn r06_a_failure_while_the_group_stops_is_part_of_the_same_round() {
    let (a, b) = (Probe::new("a"), Probe::new("b").on_stop(OnStop::Fail("in a hurry")));
    let kit = Kit::with([&a, &b], |builder| all(tireless(builder), ["a", "b"]));
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&a, Do::Fail("no")).await;
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [2, 2]);
}

#[tokio::test(start_paused = true)]
async fn r05_r06_when_one_is_given_up_the_others_stop_with_it() {
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let kit = Kit::with([&a, &b], |builder| all(at_most(1)(builder), ["a", "b"]));
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&a, Do::Fail("no")).await;
    sleep(SECOND).await;
    order(&a, Do::Fail("no")).await;
    assert_eq!([kit.raw_state("a").word(), &kit.state("b")], ["failed", "stopped (group)"]);
    sleep(100 * SECOND).await;
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [2, 2]);
}

#[tokio::test(start_paused = true)]
async fn r05_r06_a_cool_down_of_one_is_that_of_all() {
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let kit = Kit::with([&a, &b], |builder| {
        all(at_most(0)(builder).give_up(GiveUp::CoolDown(50 * SECOND)), ["a", "b"])
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&a, Do::Fail("no")).await;
    assert_eq!([kit.raw_state("a").word(), &kit.state("b")], ["failed", "waiting"]);
    sleep(50 * SECOND).await;
    assert_eq!([kit.state("a"), kit.state("b")], ["running"; 2]);
}

#[tokio::test(start_paused = true)]
async fn r04_a_group_has_a_budget_beside_those_of_its_members() {
    let (a, b, c) = (Probe::new("a"), Probe::new("b"), Probe::new("c"));
    let kit = Kit::with([&a, &b, &c], |builder| {
        let group = Group::one_for_one("store", ["a", "b"])
            .with_intensity(Intensity::new(3, 60 * SECOND), GiveUp::Fail);
        builder.intensity(Intensity::new(2, 60 * SECOND)).backoff(Backoff::NONE).group(group)
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    for probe in [&a, &b, &a] {
        order(probe, Do::Fail("no")).await;
    }
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [3, 2], "each is restarted alone");
    order(&b, Do::Fail("once too often")).await;
    let ServiceState::Failed(failure) = kit.raw_state("b") else { panic!("{}", kit.state("b")) };
    assert!(
        matches!(&*failure, ServiceFailure::GaveUp { restarts: 3, group: Some(group), .. }
            if &**group == "store"),
        "{failure}"
    );
    assert_eq!(
        failure.to_string(),
        "it was given up after 3 restarts of its group `store` within 60s: once too often"
    );
    // Who is in no group has nothing to do with it, and the innocent member runs on.
    order(&c, Do::Fail("no")).await;
    assert_eq!([kit.state("a"), kit.state("c")], ["running"; 2]);
    // By hand the group begins anew.
    kit.supervisor.start("b").await.unwrap();
    order(&b, Do::Fail("no")).await;
    assert_eq!(kit.state("b"), "running");
}

#[tokio::test(start_paused = true)]
async fn r05_a_group_may_escalate() {
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let kit = Kit::with([&a, &b], |builder| {
        let group = Group::one_for_one("store", ["a", "b"])
            .with_intensity(Intensity::new(1, 60 * SECOND), GiveUp::Escalate);
        tireless(builder).group(group)
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&a, Do::Fail("no")).await;
    assert_eq!(kit.state("a"), "running");
    order(&b, Do::Fail("no")).await;
    assert_eq!(kit.state("a"), "stopped (shutdown)");
}

#[test]
fn a03_groups_that_can_not_be_are_refused_all_at_once() {
    let log = crate::kit::Log::default();
    let specs = [Probe::new("alpha").spec(&log), Probe::new("beta").spec(&log)];
    let manager = PluginManager::<dyn Scripted>::builder(()).finder(ListFinder::new(specs)).build();
    let error = Supervisor::builder()
        .manager(manager)
        .group(Group::one_for_all("one", ["alpha", "alpa"]))
        .group(
            Group::one_for_one("two", ["alpha"])
                .with_intensity(Intensity::new(1, Duration::ZERO), GiveUp::Fail),
        )
        .build()
        .unwrap_err();
    let [unknown, twice, zero] = &error.problems[..] else { panic!("{error}") };
    assert!(matches!(unknown, BuildProblem::UnknownMember { group, .. } if group == "one"));
    assert!(unknown.to_string().contains("`alpa`") && unknown.to_string().contains("`alpha`"));
    assert!(matches!(twice, BuildProblem::TwoGroups { .. }), "{twice}");
    assert!(matches!(zero, BuildProblem::ZeroPeriod { group } if group == "two"), "{zero}");
}

#[tokio::test(start_paused = true)]
async fn r04_r06_who_has_used_up_its_own_budget_does_not_blame_the_group() {
    let a = Probe::new("a").options(|options| {
        let cool_down = GiveUp::CoolDown(50 * SECOND);
        options.with_intensity(Intensity::new(0, 60 * SECOND)).with_give_up(cool_down)
    });
    let b = Probe::new("b");
    let kit = Kit::with([&a, &b], |builder| {
        let budget = Intensity::new(0, 60 * SECOND);
        let group = Group::one_for_one("store", ["a", "b"]);
        tireless(builder).group(group.with_intensity(budget, GiveUp::Fail))
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&b, Do::Fail("no")).await;
    assert!(kit.state("b").contains("of its group `store`"), "{}", kit.state("b"));
    order(&a, Do::Fail("no")).await;
    assert!(!kit.state("a").contains("group"), "{}", kit.state("a"));
}

#[tokio::test(start_paused = true)]
async fn r06_d05_who_does_not_run_passes_nothing_on_to_its_group() {
    let a = Probe::new("a");
    let (idle, companion) = (Probe::new("idle").requires("a"), Probe::new("companion"));
    let kit =
        Kit::with([&a, &idle, &companion], |builder| all(tireless(builder), ["idle", "companion"]));
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.start("companion").await.unwrap();
    order(&a, Do::Fail("no")).await;
    kit.supervisor.restart("a").await.unwrap();
    assert_eq!((kit.state("companion").as_str(), kit.incarnation("companion")), ("running", 1));
    assert_eq!(kit.incarnation("a"), 3);
}

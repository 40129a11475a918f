//! Services are added to a supervisor that runs: all that a manager has, or nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::FutureExt;
use plux::{
    AddError, BoxError, BuildProblem, Found, GracePeriod, GraphError, ListFinder, Namespace,
    PluginFinder, PluginManager, PluginSpec, Reaction, RestartPolicy, StartError, StartOutcome,
};

use crate::kit::{Do, Kit, Probe, Published, SECOND, Scripted, manager, settle, spawn};

#[track_caller]
fn problems(error: AddError) -> Vec<BuildProblem> {
    match error {
        AddError::Refused { problems } => problems,
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a02_a_name_that_is_there_is_refused_with_both_places() {
    let a = Probe::new("a");
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let error = kit.add([&Probe::new("a"), &Probe::new("b")]).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("two services are called `a`") && text.contains("probes"), "{text}");
    assert!(matches!(problems(error)[..], [BuildProblem::DuplicateName { .. }]));
    assert_eq!((kit.names(), kit.state("a")), (vec!["a".to_owned()], "running".into()));
}

#[tokio::test(start_paused = true)]
async fn a02_requirements_that_are_not_there_are_refused_all_at_once_with_near_names() {
    let kit = Kit::new([&Probe::new("store")]);
    let added = [&Probe::new("a").requires("storey"), &Probe::new("b").requires("nobody")];
    let error = kit.add(added).await.unwrap_err();
    assert!(error.to_string().contains("did you mean `store`"), "{error}");
    let problems = problems(error);
    let unknown = |problem: &BuildProblem| matches!(problem, BuildProblem::Graph(graph) if matches!(**graph, GraphError::Unknown { .. }));
    assert!(problems.len() == 2 && problems.iter().all(unknown), "{problems:?}");
}

#[tokio::test(start_paused = true)]
async fn a02_who_only_depends_on_what_can_not_be_is_not_told_of_twice() {
    let kit = Kit::new([]);
    let added = [&Probe::new("a").requires("nobody"), &Probe::new("b").requires("a")];
    let problems = problems(kit.add(added).await.unwrap_err());
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[tokio::test(start_paused = true)]
async fn a02_a_cycle_is_refused_with_its_path() {
    let kit = Kit::new([]);
    let added = [&Probe::new("a").requires("b"), &Probe::new("b").after("a")];
    let error = kit.add(added).await.unwrap_err();
    assert!(error.to_string().contains("dependency cycle"), "{error}");
    let problems = problems(error);
    let [BuildProblem::Graph(cycle)] = &problems[..] else { panic!("{problems:?}") };
    let GraphError::Cycle { path } = &**cycle else { panic!("{cycle}") };
    assert_eq!(path.iter().map(|(id, _)| id.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(kit.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a02_a_cycle_through_a_service_that_is_there_is_refused_and_that_goes_on() {
    let kit = Kit::new([&Probe::new("old").wants("new")]);
    kit.supervisor.start("old").await.unwrap();
    let error = kit.add([&Probe::new("new").requires("old")]).await.unwrap_err();
    assert!(matches!(problems(error)[..], [BuildProblem::Graph(_)]));
    assert_eq!(kit.state("old"), "running");
    assert_eq!(kit.supervisor.start("old").await.unwrap(), StartOutcome::AlreadyRunning);
    assert!(matches!(kit.supervisor.start("new").await, Err(StartError::Unknown { .. })));
}

#[tokio::test(start_paused = true)]
async fn a02_all_that_is_wrong_is_told_at_once() {
    let kit = Kit::new([&Probe::new("there")]);
    let never = |options: plux::ServiceOptions| {
        options.with_restart(RestartPolicy::Temporary).with_reaction(Reaction::Restart)
    };
    let added = [
        &Probe::new("there"),
        &Probe::new("endless").grace_period(GracePeriod::Unlimited),
        &Probe::new("hasty").start_timeout(std::time::Duration::ZERO),
        &Probe::new("never").options(never),
        &Probe::new("lost").requires("nobody"),
    ];
    let problems = problems(kit.add(added).await.unwrap_err());
    assert_eq!(problems.len(), 5, "{problems:#?}");
    assert_eq!(kit.names(), ["there"]);
    assert!(kit.events.all().is_empty() && kit.log.lines().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a02_a_failed_add_leaves_no_residue() {
    let kit = Kit::new([&Probe::new("store").wants("good")]);
    let added = [&Probe::new("good"), &Probe::new("bad").requires("nobody")];
    for _ in 0..3 {
        kit.add(added).await.unwrap_err();
    }
    assert_eq!(kit.supervisor.plan_start("store").unwrap().steps.len(), 1);
    assert!(kit.supervisor.status("good").is_none());
    assert!(matches!(kit.supervisor.start("good").await, Err(StartError::Unknown { .. })));
    // Neither is in the way of the one that follows, under the same names.
    assert_eq!(kit.add([&Probe::new("bad"), &Probe::new("good")]).await.unwrap(), ["bad", "good"]);
    assert_eq!(kit.supervisor.plan_start("store").unwrap().steps.len(), 2);
    settle().await;
    assert_eq!(kit.events.facts("good"), ["added"]);
    assert_eq!(kit.events.facts("bad"), ["added"]);
}

#[tokio::test(start_paused = true)]
async fn a02_of_two_adds_of_one_name_at_once_one_is_refused() {
    let kit = Kit::new([]);
    let add = || {
        let (supervisor, services) =
            (kit.supervisor.clone(), manager([&Probe::new("a")], &kit.log));
        spawn(async move { supervisor.add(services).await })
    };
    let (one, other) = (add(), add());
    let answers = [one.await.unwrap(), other.await.unwrap()];
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(kit.names(), ["a"]);
    assert_eq!(kit.supervisor.start("a").await.unwrap(), StartOutcome::Started);
}

#[tokio::test(start_paused = true)]
async fn a02_an_add_during_and_after_the_shutdown_is_refused_at_once() {
    let slow = Probe::new("slow").on_stop(crate::kit::OnStop::Take(SECOND));
    let kit = Kit::new([&slow]);
    kit.supervisor.start("slow").await.unwrap();
    kit.supervisor.request_shutdown();
    settle().await;
    assert!(matches!(kit.add([&Probe::new("a")]).await, Err(AddError::Shutdown)));
    assert_eq!(slow.live(), 1);
    let report = kit.supervisor.shutdown().await.unwrap();
    assert!(matches!(kit.add([&Probe::new("a")]).await, Err(AddError::Shutdown)));
    assert!(report.is_clean());
    assert_eq!(kit.names(), ["slow"]);
}

#[tokio::test(start_paused = true)]
async fn a02_an_add_may_be_the_first_call_and_to_a_supervisor_of_nothing() {
    let kit = Kit::new([]);
    assert_eq!(
        kit.add([&Probe::new("b").requires("a"), &Probe::new("a")]).await.unwrap(),
        ["a", "b"]
    );
    assert_eq!(kit.supervisor.start("b").await.unwrap(), StartOutcome::Started);
    assert_eq!((kit.state("a"), kit.state("b")), ("running".into(), "running".into()));
    settle().await;
    assert_eq!(kit.events.facts("b"), ["added", "waiting", "starting", "running"]);
}

#[tokio::test(start_paused = true)]
async fn a02_an_add_of_nothing_adds_nothing() {
    let kit = Kit::new([&Probe::new("a")]);
    assert!(kit.add([]).await.unwrap().is_empty());
    assert_eq!(kit.names(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a02_an_add_goes_on_when_its_future_is_dropped() {
    let kit = Kit::new([]);
    assert!(kit.add([&Probe::new("a")]).now_or_never().is_none());
    settle().await;
    assert_eq!(kit.names(), ["a"]);
    // One that was never polled asks for nothing.
    drop(kit.add([&Probe::new("b")]));
    settle().await;
    assert_eq!(kit.names(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a02_what_is_added_is_as_if_it_had_been_there() {
    let store = Probe::new("store");
    let kit = Kit::new([&store, &Probe::new("front").wants("later")]);
    kit.supervisor.start("front").await.unwrap();
    kit.supervisor.start("store").await.unwrap();
    kit.add([&Probe::new("later").requires("store")]).await.unwrap();
    assert_eq!(kit.names(), ["front", "later", "store"]);
    assert_eq!(kit.state("later"), "stopped (never started)");
    // Who wants it pulls it from now on, and stops before it.
    kit.supervisor.stop("front").await.unwrap();
    kit.supervisor.start("front").await.unwrap();
    assert_eq!(kit.state("later"), "running");
    // Its edges are heard: it stops before what it requires.
    let report = kit.supervisor.stop("store").await.unwrap();
    assert_eq!(report.stopped().collect::<Vec<_>>(), ["later", "store"]);
    kit.supervisor.start("later").await.unwrap();
    kit.log.clear();
    let report = kit.supervisor.shutdown().await.unwrap();
    let names: Vec<_> = report.rows().iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["front", "later", "store"]);
    kit.log.before("front ended", "later stopping");
    kit.log.before("later ended", "store stopping");
}

#[tokio::test(start_paused = true)]
async fn a02_d02_what_could_not_be_used_can_be_when_what_it_requires_is_added() {
    let kit = Kit::new([&Probe::new("front").requires("store")]);
    assert!(matches!(kit.supervisor.start("front").await, Err(StartError::Graph(_))));
    kit.add([&Probe::new("store")]).await.unwrap();
    assert_eq!(kit.supervisor.start("front").await.unwrap(), StartOutcome::Started);
    assert_eq!(kit.state("store"), "running");
}

#[tokio::test(start_paused = true)]
async fn a02_a_stop_under_way_is_not_disturbed_by_what_is_added_below_it() {
    let front = Probe::new("front").after("later").on_stop(crate::kit::OnStop::Take(SECOND));
    let kit = Kit::new([&front]);
    kit.supervisor.start("front").await.unwrap();
    let stop = kit.stopping("front").await;
    kit.add([&Probe::new("later")]).await.unwrap();
    kit.supervisor.start("later").await.unwrap();
    let later = kit.stopping("later").await;
    // The later one ends after the one that comes after it, as if it had been there.
    assert_eq!(
        (kit.state("front"), kit.state("later")),
        ("stopping (asked)".into(), "running".into())
    );
    stop.await.unwrap().unwrap();
    later.await.unwrap().unwrap();
    kit.log.before("front ended", "later stopping");
    kit.supervisor.start("later").await.unwrap();
    kit.supervisor.stop("later").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a02_a_service_may_add_services_through_its_context() {
    let host = Probe::new("host");
    let kit = Kit::new([&host]);
    kit.supervisor.start("host").await.unwrap();
    let log = kit.log.clone();
    host.order(Do::call(move |cx| {
        let services = manager([&Probe::new("guest").requires("host")], &log);
        let log = log.clone();
        async move {
            let supervisor = cx.supervisor().upgrade().unwrap();
            supervisor.add(services).await.unwrap();
            supervisor.start("guest").await.unwrap();
            log.add(format!("host: {}", supervisor.remove("host").await.unwrap_err()));
        }
    }));
    settle().await;
    assert_eq!(kit.state("guest"), "running");
    assert_eq!(kit.log.count("host: `host`"), 1);
    let guest = kit.supervisor.handle::<Published>("guest").unwrap();
    assert_eq!(guest.get().unwrap().incarnation, 1);
    assert!(kit.supervisor.shutdown().await.unwrap().is_clean());
    kit.log.before("guest ended", "host stopping");
}

#[tokio::test(start_paused = true)]
async fn a02_a_thousand_services_are_added_one_by_one_and_at_once() {
    let kit = Kit::new([&Probe::new("store")]);
    let names: Vec<&'static str> = (0..1000)
        .map(|number| &*Box::leak(format!("tenant-{number:03}").into_boxed_str()))
        .collect();
    let probes: Vec<_> = names.iter().map(|name| Probe::new(name).requires("store")).collect();
    let (one_by_one, at_once) = probes.split_at(500);
    for probe in one_by_one {
        kit.add([probe]).await.unwrap();
    }
    assert_eq!(kit.add(at_once).await.unwrap().len(), 500);
    assert!(kit.supervisor.start_all().await.is_ok());
    assert_eq!(kit.supervisor.list().len(), 1001);
    let stopped = kit.supervisor.stop("store").await.unwrap();
    assert_eq!(stopped.stopped().count(), 1001);
    for name in &names {
        kit.supervisor.remove(name).await.unwrap();
    }
    assert_eq!(kit.names(), ["store"]);
}

struct Broken;

impl PluginFinder for Broken {
    fn find(&self, _: &Namespace) -> Result<Found, BoxError> {
        panic!("no answer")
    }
}

#[tokio::test(start_paused = true)]
async fn a02_a_manager_without_an_answer_or_without_what_it_must_have_is_refused() {
    let kit = Kit::new([]);
    let broken = PluginManager::<dyn Scripted>::builder(()).finder(Broken).build();
    let problems = problems(kit.supervisor.add(broken).await.unwrap_err());
    assert!(matches!(problems[..], [BuildProblem::Find(_)]), "{problems:?}");
    let lacks = PluginManager::<dyn Scripted>::builder(())
        .finder(ListFinder::new(Vec::<PluginSpec>::new()))
        .require(["a"])
        .build();
    let error = kit.supervisor.add(lacks).await.unwrap_err();
    assert!(matches!(self::problems(error)[..], [BuildProblem::Required(_)]));
}

#[test]
fn a02_c06_an_add_as_the_first_call_outside_a_runtime_panics_and_adds_nothing() {
    let kit = Kit::new([]);
    let added = catch_unwind(AssertUnwindSafe(|| kit.add([&Probe::new("a")]).now_or_never()));
    assert!(added.is_err() && kit.names().is_empty());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(runtime.block_on(kit.add([&Probe::new("a")])).is_ok());
}

//! Supervisors in supervisors.

use std::sync::Arc;

use plux::{
    BoxError, Exit, GiveUp, GracePeriod, Handle, Intensity, ListFinder, Name, Namespace, Nested,
    NestedFailure, PluginManager, PluginSpec, ServiceFailure, ServiceState, StopHow, Supervisor,
    SupervisorBuilder, WeakSupervisor,
};
use tokio::time::sleep;

use crate::kit::{Do, Load, Log, OnStop, Probe, SECOND, manager, order, plain, settle, tireless};

#[plux::extension_point(namespace = "outer", output = Arc<Nested>)]
trait Outer {}

struct Cell(Arc<Nested>);

#[plux::async_trait]
impl Outer for Cell {
    async fn load(&self, _: &()) -> Result<Arc<Nested>, BoxError> {
        Ok(Arc::clone(&self.0))
    }
}

type Configure = fn(SupervisorBuilder) -> SupervisorBuilder;

/// An outer supervisor with one service, `cell`, which is a supervisor over these.
fn nested<const N: usize>(
    probes: [&Probe; N],
    log: &Log,
    inner: Configure,
    outer: Configure,
) -> Supervisor {
    let (probes, log) = (probes.map(Clone::clone), log.clone());
    cell(outer, move || inner(Supervisor::builder().manager(manager(&probes, &log))))
}

/// An outer supervisor with one service, `cell`, which is made so.
fn cell(
    outer: Configure,
    make: impl Fn() -> SupervisorBuilder + Send + Sync + 'static,
) -> Supervisor {
    let cell = Arc::new(Nested::new(move || make().build()));
    let make =
        move || -> Result<Arc<dyn Outer>, BoxError> { Ok(Arc::new(Cell(Arc::clone(&cell)))) };
    let spec =
        PluginSpec::new::<dyn Outer>(Namespace::literal("outer"), Name::literal("cell"), make);
    let manager = PluginManager::<dyn Outer>::builder(()).finder(ListFinder::new([spec])).build();
    outer(Supervisor::builder().manager(manager)).build().unwrap()
}

fn as_it_is(builder: SupervisorBuilder) -> SupervisorBuilder {
    builder
}

/// The first failure shuts it down.
fn fragile(builder: SupervisorBuilder) -> SupervisorBuilder {
    builder.intensity(Intensity::new(0, SECOND)).give_up(GiveUp::Escalate)
}

/// What has ended stays so.
fn patient(builder: SupervisorBuilder) -> SupervisorBuilder {
    builder.intensity(Intensity::new(0, SECOND))
}

fn word(supervisor: &Supervisor) -> &'static str {
    supervisor.status("cell").unwrap().state.word()
}

#[tokio::test(start_paused = true)]
async fn a04_it_is_ready_when_all_inside_are_and_stops_them_in_order() {
    let log = Log::default();
    let (a, b) =
        (Probe::new("a").begin([Do::Take(SECOND), Do::Ready]), Probe::new("b").requires("a"));
    let supervisor = nested([&a, &b], &log, as_it_is, as_it_is);
    let call = tokio::time::Instant::now();
    supervisor.start("cell").await.unwrap();
    assert!(call.elapsed() >= SECOND);
    let inside: Handle<WeakSupervisor> = supervisor.handle("cell").unwrap();
    let inside = inside.get().unwrap().upgrade().unwrap();
    assert_eq!(inside.status("b").unwrap().state.word(), "running");
    assert!(supervisor.shutdown().await.unwrap().is_clean());
    log.before("b ended", "a stopping shutdown");
    assert_eq!((a.live(), b.live()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a04_a_service_that_does_not_start_inside_is_a_failed_start_and_nothing_is_left() {
    let log = Log::default();
    let (a, b) = (Probe::new("a"), Probe::new("b").load(Load::Fail("no")));
    let supervisor = nested([&a, &b], &log, as_it_is, as_it_is);
    let error = supervisor.start("cell").await.unwrap_err();
    assert!(error.to_string().contains("inside, `b` did not start"), "{error}");
    assert_eq!((word(&supervisor), a.live()), ("failed", 0));
    log.before("a begins", "a ended");
}

#[tokio::test(start_paused = true)]
async fn a04_what_is_disabled_inside_is_no_failure() {
    let log = Log::default();
    let (a, b) = (Probe::new("a"), Probe::new("b").load(Load::Disabled("not here")));
    let supervisor = nested([&a, &b], &log, as_it_is, as_it_is);
    supervisor.start("cell").await.unwrap();
    assert_eq!(a.live(), 1);
}

#[tokio::test(start_paused = true)]
async fn a04_a_supervisor_that_can_not_be_built_is_a_failed_start() {
    let log = Log::default();
    let a = Probe::new("a");
    let endless: Configure = |builder| builder.grace_period(GracePeriod::Unlimited);
    let supervisor = nested([&a], &log, endless, as_it_is);
    let error = supervisor.start("cell").await.unwrap_err();
    assert!(error.to_string().contains("can not be built: "), "{error}");
    assert!(error.to_string().contains("set a shutdown_timeout"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a04_giving_up_inside_is_an_exit_that_the_outer_policy_repairs_with_a_fresh_one() {
    let log = Log::default();
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let supervisor = nested([&a, &b], &log, fragile, tireless);
    supervisor.start("cell").await.unwrap();
    order(&a, Do::Fail("no")).await;
    assert_eq!((word(&supervisor), supervisor.status("cell").unwrap().incarnation), ("running", 2));
    assert_eq!((a.live(), b.live(), b.most_live()), (1, 1, 1));
    assert_eq!(log.count("b stopping shutdown"), 1);
}

#[tokio::test(start_paused = true)]
async fn a04_the_report_inside_is_the_cause_and_can_be_had() {
    let log = Log::default();
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let supervisor = nested([&a, &b], &log, fragile, patient);
    supervisor.start("cell").await.unwrap();
    order(&a, Do::Fail("no")).await;
    let ServiceState::Failed(failure) = plain(supervisor.status("cell").unwrap().state) else {
        panic!("{}", word(&supervisor))
    };
    assert_eq!(failure.to_string(), "inside, not all was clean: a: failed");
    let ServiceFailure::Exit(Exit::Failed(error)) = &*failure else { panic!("{failure}") };
    let Some(NestedFailure::ShutDown { report }) = error.downcast_ref() else { panic!("{error}") };
    assert_eq!(report.failed_before(), ["a"]);
    assert!(report.row("b").is_some());
}

#[tokio::test(start_paused = true)]
async fn a04_reports_nest_when_a_stop_inside_was_not_clean() {
    let log = Log::default();
    let a = Probe::new("a").on_stop(OnStop::Fail("in a hurry"));
    let supervisor = nested([&a], &log, as_it_is, as_it_is);
    supervisor.start("cell").await.unwrap();
    let report = supervisor.shutdown().await.unwrap();
    let row = report.row("cell").unwrap();
    assert!(matches!(row.how, StopHow::Error(_)), "{}", row.how);
    let inside = row.nested().expect("the report inside");
    assert_eq!(inside.row("a").unwrap().how.to_string(), "error: in a hurry");
}

#[tokio::test(start_paused = true)]
async fn a04_a_stop_while_it_starts_ends_what_has_begun_inside() {
    let log = Log::default();
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a").begin([]));
    let supervisor = nested([&a, &b], &log, as_it_is, as_it_is);
    let starts = supervisor.clone();
    let call = crate::kit::spawn(async move { starts.start("cell").await });
    settle().await;
    assert_eq!((a.live(), b.live()), (1, 1));
    supervisor.stop("cell").await.unwrap();
    assert!(call.await.unwrap().is_err());
    assert_eq!((a.live(), b.live()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a04_past_the_outer_grace_period_all_inside_is_aborted() {
    let log = Log::default();
    let a = Probe::new("a").on_stop(OnStop::Ignore);
    let supervisor = nested([&a], &log, as_it_is, |builder| builder.grace_period(SECOND));
    supervisor.start("cell").await.unwrap();
    let report = supervisor.shutdown().await.unwrap();
    assert!(matches!(report.row("cell").unwrap().how, StopHow::Aborted));
    settle().await;
    assert_eq!(a.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a04_a_shutdown_asked_for_inside_completes_it_when_it_was_clean() {
    let log = Log::default();
    let a = Probe::new("a");
    let supervisor = nested([&a], &log, as_it_is, as_it_is);
    supervisor.start("cell").await.unwrap();
    let inside: Handle<WeakSupervisor> = supervisor.handle("cell").unwrap();
    inside.get().unwrap().upgrade().unwrap().request_shutdown();
    sleep(SECOND).await;
    assert_eq!(supervisor.status("cell").unwrap().state.to_string(), "stopped (completed)");
    // A start by hand makes a fresh one.
    supervisor.start("cell").await.unwrap();
    assert_eq!(a.live(), 1);
}

#[tokio::test(start_paused = true)]
async fn a02_a04_what_is_added_inside_stops_with_the_outer_one_and_is_not_in_the_next_run() {
    let (a, log) = (Probe::new("a"), Log::default());
    let supervisor = nested([&a], &log, as_it_is, tireless);
    supervisor.start("cell").await.unwrap();
    let inside = async || {
        let inside: Handle<WeakSupervisor> = supervisor.handle("cell").unwrap();
        inside.get().unwrap().upgrade().unwrap()
    };
    let guest = Probe::new("guest").requires("a").on_stop(OnStop::Fail("half done"));
    inside().await.add(manager([&guest], &log)).await.unwrap();
    inside().await.start("guest").await.unwrap();
    supervisor.restart("cell").await.unwrap();
    log.before("guest ended", "a stopping");
    let names = inside().await.list().into_iter().map(|status| status.id.name);
    assert_eq!(names.collect::<Vec<_>>(), ["a"]);
    inside().await.add(manager([&guest], &log)).await.unwrap();
    inside().await.start("guest").await.unwrap();
    let report = supervisor.shutdown().await.unwrap();
    let inner = report.row("cell").unwrap().nested().expect("it was not clean inside");
    let rows: Vec<_> = inner.rows().iter().map(|row| row.name.as_str()).collect();
    assert_eq!(rows, ["a", "guest"]);
}

#[tokio::test(start_paused = true)]
async fn a04_of_a_manager_that_is_cloned_into_each_run_only_what_has_loaded_runs_again() {
    let (log, a) = (Log::default(), Probe::new("a"));
    let b = Probe::new("b").requires("a").load(Load::Fail("no"));
    let kept = manager([&a, &b], &log);
    let supervisor = cell(as_it_is, move || Supervisor::builder().manager(kept.clone()));
    supervisor.start("cell").await.unwrap_err();
    let _b = b.clone().load(Load::Return);
    let error = supervisor.start("cell").await.unwrap_err();
    assert!(error.to_string().contains("inside, `b` did not start"), "{error}");
    assert_eq!((log.count("b loads"), log.count("a loads"), log.count("a begins")), (1, 1, 2));
}

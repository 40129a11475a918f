//! How a service ended by itself, told apart and kept.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use plux::{
    BoxError, Exit, ListFinder, Name, Namespace, Panic, PluginManager, PluginSpec, RestartPolicy,
    Service, ServiceContext, ServiceFailure, ServiceState, StartError, StopHow, Supervisor,
};

use crate::kit::{Do, Kit, OnStop, Probe, SECOND, Scripted, plain, settle};

#[derive(Debug)]
struct Outer(Inner);

#[derive(Debug)]
struct Inner;

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the index can not be opened")
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the disk is gone")
    }
}

impl Error for Inner {}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// What an incarnation that fails with a chain of errors, or panics in odd ways, is made of.
#[derive(Clone, Copy)]
enum Odd {
    ErrorWithSource,
    PanicBeforeTheFuture,
    PanicWithANumber,
}

#[plux::async_trait]
impl Scripted for Odd {
    async fn load(&self, _: &()) -> Result<Arc<dyn Service>, BoxError> {
        Ok(Arc::new(*self))
    }
}

type Run<'a> = futures::future::BoxFuture<'a, Result<(), BoxError>>;

impl Service for Odd {
    fn run<'life, 'run>(&'life self, cx: ServiceContext) -> Run<'run>
    where
        'life: 'run,
        Self: 'run,
    {
        match self {
            Self::PanicBeforeTheFuture => panic!("no future"),
            Self::PanicWithANumber => Box::pin(async move {
                cx.ready(());
                std::panic::panic_any(7_u8)
            }),
            Self::ErrorWithSource => Box::pin(async move {
                cx.ready(());
                Err(Outer(Inner).into())
            }),
        }
    }
}

/// Starts one odd service, and waits for its end.
async fn end_of(odd: Odd) -> (Result<(), StartError>, Arc<ServiceFailure>) {
    let spec = PluginSpec::new::<dyn Scripted>(
        Namespace::literal("test"),
        Name::literal("odd"),
        move || Ok(Arc::new(odd)),
    );
    let manager =
        PluginManager::<dyn Scripted>::builder(()).finder(ListFinder::new([spec])).build();
    let supervisor =
        Supervisor::builder().manager(manager).restart(RestartPolicy::Temporary).build().unwrap();
    let start = supervisor.start("odd").await.map(drop);
    match supervisor.wait("odd").await.unwrap() {
        ServiceState::Failed(failure) => (start, failure),
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn s04_an_error_is_kept_with_the_chain_of_its_sources() {
    let (start, failure) = end_of(Odd::ErrorWithSource).await;
    start.unwrap();
    assert_eq!(failure.to_string(), "the index can not be opened");
    let ServiceFailure::Exit(Exit::Failed(error)) = &*failure else { panic!("{failure}") };
    assert!(error.is::<Outer>(), "{error:?}");
    let mut last: &dyn Error = &*failure;
    while let Some(source) = last.source() {
        last = source;
    }
    assert!(last.is::<Inner>(), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn s04_a_panic_is_kept_with_message_and_place() {
    plux::install_panic_hook();
    let a = Probe::new("a").begin([Do::Ready, Do::Panic("the cache is cursed")]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    let ServiceState::Failed(failure) = kit.raw_state("a") else { panic!("{}", kit.state("a")) };
    let ServiceFailure::Exit(Exit::Panicked(panic)) = &*failure else { panic!("{failure}") };
    assert_eq!(panic.message, "the cache is cursed");
    let place = panic.place.as_deref().unwrap();
    assert!(place.contains("kit/probe.rs:"), "{place}");
    assert_eq!(a.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn s04_a_panic_before_there_is_a_future_is_a_panic_like_any_other() {
    let (start, failure) = end_of(Odd::PanicBeforeTheFuture).await;
    start.unwrap_err();
    let panic = |panic: &Panic| panic.message == "no future";
    assert!(
        matches!(&*failure, ServiceFailure::BeforeReady(Exit::Panicked(p)) if panic(p)),
        "{failure}"
    );
}

#[tokio::test(start_paused = true)]
async fn s04_a_panic_without_a_message_says_so() {
    let (start, failure) = end_of(Odd::PanicWithANumber).await;
    start.unwrap();
    let ServiceFailure::Exit(Exit::Panicked(panic)) = &*failure else { panic!("{failure}") };
    assert_eq!(panic.message, "a payload that is no string");
}

#[tokio::test(start_paused = true)]
async fn s04_completed_failed_and_panicked_are_told_apart() {
    let (done, error, panic) = (Probe::new("done"), Probe::new("error"), Probe::new("panic"));
    let kit = Kit::new([&done, &error, &panic]);
    kit.supervisor.start_all().await;
    done.order(Do::Complete);
    error.order(Do::Fail("no net"));
    panic.order(Do::Panic("oh no"));
    settle().await;
    assert_eq!(kit.state("done"), "stopped (completed)");
    assert_eq!(kit.state("error"), "failed: no net");
    let panic = kit.state("panic");
    assert!(panic.starts_with("failed: panicked") && panic.ends_with("oh no"), "{panic}");
}

#[tokio::test(start_paused = true)]
async fn s04_what_is_dropped_at_the_end_of_its_grace_period_is_aborted() {
    let a = Probe::new("a").on_stop(OnStop::Ignore);
    let kit = Kit::with([&a], |builder| builder.grace_period(2 * SECOND));
    kit.supervisor.start("a").await.unwrap();
    let report = kit.supervisor.stop("a").await.unwrap();
    assert!(matches!(report.rows[0].how, StopHow::Aborted), "{}", report.rows[0].how);
    assert_eq!(kit.log.of("a")[4..], ["stopping asked", "ended"]);
    assert_eq!(kit.state("a"), "stopped (asked)");
}

#[tokio::test(start_paused = true)]
async fn s04_the_cause_is_kept_until_the_next_start() {
    let (a, b) = (Probe::new("a").begin([Do::Ready, Do::Fail("no net")]), Probe::new("b"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    kit.supervisor.start("b").await.unwrap();
    kit.supervisor.stop("b").await.unwrap();
    tokio::time::sleep(3600 * SECOND).await;
    assert_eq!(kit.state("a"), "failed: no net");
    let state = kit.supervisor.wait("a").await.unwrap();
    assert_eq!(plain(state).to_string(), "failed: no net");
    a.clone().begin([]);
    let start = kit.starting("a").await;
    assert_eq!(kit.state("a"), "starting");
    a.order(Do::Ready);
    start.await.unwrap().unwrap();
    assert_eq!(kit.state("a"), "running");
}

#[tokio::test(start_paused = true)]
async fn s04_a_panic_in_the_destructor_of_a_run_that_completed_is_a_panic() {
    let a = Probe::new("a").begin([Do::Ready, Do::Complete]).panic_in_destructor("the destructor");
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    let state = kit.state("a");
    assert!(state.starts_with("failed: panicked") && state.ends_with("the destructor"), "{state}");
    assert_eq!(a.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn s04_a_panic_in_the_destructor_of_a_run_that_is_aborted_is_reported() {
    let a = Probe::new("a").on_stop(OnStop::Ignore).panic_in_destructor("the destructor");
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let report = kit.supervisor.stop("a").await.unwrap();
    let StopHow::Error(Exit::Panicked(panic)) = &report.rows[0].how else { panic!("{report:?}") };
    assert_eq!(panic.message, "the destructor");
    assert_eq!(kit.state("a"), "stopped (asked)");
}

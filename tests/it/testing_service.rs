//! Tests of one service with stand-ins: what is wrong is named, and what is right passes.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use plux::testing::{Finding, ServiceTest};
use plux::{
    BoxError, Disabled, Exit, FnService, GracePeriod, Phase, Reaction, RestartPolicy, Service,
    ServiceContext, ServiceOptions, StartTimeout,
};

const SECOND: Duration = Duration::from_secs(1);

/// A service that is what a function does.
struct Does<F>(F);

impl<F, R> Service for Does<F>
where
    F: Fn(ServiceContext) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    fn run<'life, 'run>(&'life self, cx: ServiceContext) -> BoxFuture<'run, Result<(), BoxError>>
    where
        'life: 'run,
        Self: 'run,
    {
        Box::pin((self.0)(cx))
    }
}

fn does<F, R>(run: F) -> ServiceTest
where
    F: Fn(ServiceContext) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    ServiceTest::of("api", Does(run))
}

async fn good(cx: ServiceContext) -> Result<(), BoxError> {
    cx.ready(AtomicU32::new(0));
    cx.stopping().await;
    Ok(())
}

async fn found(test: ServiceTest) -> Finding {
    test.check().await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_what_it_should_passes() {
    does(good).publishes::<AtomicU32>().check().await.unwrap();
    let given = does(async |cx: ServiceContext| {
        let db = cx.dependency::<&str>("db")?.get()?;
        let config = cx.dependency::<u8>("other:config")?.get()?;
        cx.ready(format!("{db} {config}"));
        cx.stopping().await;
        Ok(())
    });
    let given = given.given("db", || "data").given("other:config", || 7_u8).publishes::<String>();
    given.check().await.unwrap();
    let trial = given.start().await.unwrap();
    assert_eq!(*trial.handle::<String>().unwrap().get().unwrap(), "data 7");
    trial.lose("other:config").await.unwrap();
    trial.recorder().assert_order(["config backoff", "api stopping (dependency)", "api running"]);
    let finding = trial.lose("cache").await.unwrap_err();
    assert!(matches!(finding, Finding::NotADependency { .. }), "{finding}");
    trial.finish().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_never_ready_is_told_so_with_the_time_it_had() {
    let never = does(async |cx: ServiceContext| {
        cx.stopping().await;
        Ok(())
    });
    let timeout = StartTimeout::Bounded(3 * SECOND);
    let finding = found(never.options(ServiceOptions::NONE.with_start_timeout(timeout))).await;
    let Finding::NeverReady { incarnation: 1, timeout, reached: Phase::Run, .. } = finding else {
        panic!("{finding}");
    };
    assert_eq!(timeout, 3 * SECOND);
    assert_eq!(
        finding.to_string(),
        "`api#1` was never ready: it was still in its `run` after 3s; does it call \
         ServiceContext::ready?"
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_that_ends_before_it_is_ready_is_told_how() {
    let finding = found(does(async |_| Err("no port".into()))).await;
    assert_eq!(finding.to_string(), "`api#1` ended before it was ready: no port");
    let finding = found(does(async |_| panic!("no port"))).await;
    let Finding::EndedBeforeReady { exit: Exit::Panicked(panic), .. } = finding else {
        panic!("{finding}");
    };
    assert_eq!(panic.message, "no port");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_ignores_a_stop_is_told_so() {
    let deaf = does(async |cx: ServiceContext| {
        cx.ready(());
        pending().await
    });
    let finding = found(deaf.clone()).await;
    assert!(matches!(finding, Finding::IgnoresStop { incarnation: 1, .. }), "{finding}");
    let trial = deaf.start().await.unwrap();
    let finding = trial.stop().await.unwrap_err();
    assert!(matches!(finding, Finding::IgnoresStop { incarnation: 1, .. }), "{finding}");
    let trial = deaf.start().await.unwrap();
    let finding = trial.finish().await.unwrap_err();
    assert!(matches!(finding, Finding::IgnoresStop { incarnation: 1, .. }), "{finding}");
    // Nobody asked it to end by itself.
    let at_once = ServiceOptions::NONE.with_grace_period(GracePeriod::Bounded(Duration::ZERO));
    deaf.options(at_once).check().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ignores_a_stop_is_told_apart_from_its_service() {
    let finding = found(does(async |cx: ServiceContext| {
        cx.spawn(pending());
        good(cx).await
    }))
    .await;
    assert!(matches!(finding, Finding::TaskIgnoresStop { incarnation: 1, .. }), "{finding}");
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the lock file is gone");
    }
}

/// A future that keeps something beside itself.
struct Holds(BoxFuture<'static, Result<(), BoxError>>, Bomb);

impl Future for Holds {
    type Output = Result<(), BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_destructor_is_told_apart_from_one_of_the_run() {
    let local = does(async |cx: ServiceContext| {
        let _bomb = Bomb;
        good(cx).await
    });
    // It is dropped with the future, and not at the end of its body.
    let captured = does(|cx: ServiceContext| {
        let bomb = Bomb;
        Holds(Box::pin(good(cx)), bomb)
    });
    for test in [local, captured] {
        let finding = found(test).await;
        let Finding::PanickedInDestructor { incarnation: 1, panic, .. } = &finding else {
            panic!("{finding}");
        };
        assert_eq!(panic.message, "the lock file is gone");
        assert!(panic.place.as_ref().unwrap().contains("testing_service.rs"), "{finding}");
    }
    let finding = found(does(async |cx: ServiceContext| {
        cx.ready(());
        cx.stopping().await;
        panic!("the lock file is gone")
    }))
    .await;
    let Finding::FailedToStop { exit: Exit::Panicked(_), .. } = finding else {
        panic!("{finding}");
    };
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_while_it_stops_is_told_so() {
    let finding = found(does(async |cx: ServiceContext| {
        cx.ready(());
        cx.stopping().await;
        Err("can not flush".into())
    }))
    .await;
    let text = "`api#1` was told to stop, and ended with: can not flush";
    assert_eq!(finding.to_string(), text);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_publishes_nothing_or_something_else_is_told_so() {
    let nothing = does(async |cx: ServiceContext| {
        cx.ready(());
        cx.stopping().await;
        Ok(())
    });
    let finding = found(nothing.publishes::<String>()).await;
    assert!(matches!(finding, Finding::PublishedNothing { .. }), "{finding}");
    let finding = found(does(good).publishes::<String>()).await;
    let Finding::PublishedOther { expected, .. } = finding else { panic!("{finding}") };
    assert_eq!(expected, "alloc::string::String");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_survive_a_restart_is_told_so() {
    let once = Arc::new(AtomicU32::new(0));
    let finding = found(does(move |cx: ServiceContext| {
        let runs = once.fetch_add(1, Ordering::SeqCst);
        async move { if runs == 0 { good(cx).await } else { Err("the port is taken".into()) } }
    }))
    .await;
    let Finding::EndedBeforeReady { incarnation: 2, .. } = finding else { panic!("{finding}") };
}

#[tokio::test(start_paused = true)]
async fn state_that_outlives_a_run_is_found() {
    let count = |cell: &Arc<AtomicU32>| cell.load(Ordering::SeqCst);
    let add = |cell: &Arc<AtomicU32>| cell.store(1, Ordering::SeqCst);
    let kept = Arc::new(AtomicU32::new(0));
    let stale = does(move |cx: ServiceContext| {
        let kept = Arc::clone(&kept);
        async move {
            cx.ready(kept);
            cx.stopping().await;
            Ok(())
        }
    });
    let trial = stale.start().await.unwrap();
    let Err(Finding::NotFresh { first, again, .. }) = trial.restart_fresh(add, count).await else {
        panic!("the same cell is as fresh as before");
    };
    assert_eq!((first.as_str(), again.as_str()), ("0", "1"));
    trial.finish().await.unwrap();
    let fresh = does(async |cx: ServiceContext| {
        cx.ready(Arc::new(AtomicU32::new(0)));
        cx.stopping().await;
        Ok(())
    });
    let trial = fresh.start().await.unwrap();
    trial.restart_fresh(add, count).await.unwrap();
    trial.finish().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn tasks_that_outlive_the_service_are_counted() {
    let finding = found(does(async |cx: ServiceContext| {
        #[expect(clippy::disallowed_methods, reason = "this is what a service must not do")]
        drop(tokio::spawn(pending::<()>()));
        good(cx).await
    }))
    .await;
    // One for each of its three runs.
    assert!(matches!(finding, Finding::LeakedTasks { tasks: 3, .. }), "{finding}");
}

#[tokio::test(start_paused = true)]
async fn a_service_does_what_its_edge_says_when_what_it_requires_is_lost() {
    let needs = does(good).given("db", || "data");
    for reaction in [Reaction::Restart, Reaction::Keep, Reaction::Stop] {
        let test = needs.clone().options(ServiceOptions::NONE.with_reaction(reaction));
        test.check().await.unwrap();
        let trial = test.start().await.unwrap();
        trial.lose("db").await.unwrap();
        let status = trial.supervisor().status("api").unwrap();
        let runs = if reaction == Reaction::Restart { 2 } else { 1 };
        assert_eq!(
            (status.incarnation, status.state.is_live()),
            (runs, reaction != Reaction::Stop)
        );
        trial.finish().await.unwrap();
    }
    let temporary = ServiceOptions::NONE.with_restart(RestartPolicy::Temporary);
    needs.options(temporary).check().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_service_that_can_not_come_back_from_a_loss_is_told_so() {
    let lost = Arc::new(AtomicU32::new(0));
    let test = does(async |cx: ServiceContext| {
        let connections = cx.dependency::<Arc<AtomicU32>>("db")?.get()?;
        if connections.fetch_add(1, Ordering::SeqCst) == 0 {
            return good(cx).await;
        }
        Err("the first connection is not closed".into())
    });
    let once = ServiceOptions::NONE.with_restart(RestartPolicy::Transient);
    let trial = test.given("db", move || Arc::clone(&lost)).options(once).start().await.unwrap();
    let finding = trial.lose("db").await.unwrap_err();
    let Finding::DidNotReact { reaction: Reaction::Restart, dependency, .. } = &finding else {
        panic!("{finding}");
    };
    assert_eq!(dependency, "db");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_ended_by_itself_is_gone() {
    let brief = does(async |cx: ServiceContext| {
        cx.ready(());
        tokio::time::sleep(SECOND).await;
        Ok(())
    });
    let trial = brief.start().await.unwrap();
    tokio::time::sleep(2 * SECOND).await;
    let finding = trial.stop().await.unwrap_err();
    assert!(finding.to_string().contains("it is stopped (completed)"), "{finding}");
    assert!(matches!(finding, Finding::Gone { .. }));
}

#[plux::service(requires = ["testing-store"], wants = ["testing-cache"], grace_period = "2s")]
async fn testing_shop(cx: ServiceContext) -> Result<(), BoxError> {
    let store = cx.dependency::<Vec<&'static str>>("testing-store")?.get()?;
    cx.ready(store.len());
    cx.stopping().await;
    tokio::time::sleep(SECOND).await;
    Ok(())
}

#[plux::extension_point(namespace = "testing.shops", context = String, output = Arc<dyn Service>)]
trait Shop {}

#[derive(Default)]
struct Closed;

#[plux::plugin(name = "closed", requires = ["plux.services:testing-shop"])]
impl Shop for Closed {
    async fn should_load(&self, open: &String) -> Result<bool, BoxError> {
        Ok(open == "open")
    }

    async fn load(&self, open: &String) -> Result<Arc<dyn Service>, BoxError> {
        if open == "open" { Ok(Arc::new(Does(good))) } else { Err(Disabled::because("?").into()) }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_registered_is_tested_with_what_its_attribute_says() {
    let shop = ServiceTest::plugin::<dyn FnService>("testing-shop", ());
    let finding = found(shop.clone()).await;
    let Finding::NoStandIn { dependency, .. } = &finding else { panic!("{finding}") };
    assert_eq!(dependency, "testing-store");
    let given = shop.given("testing-store", || vec!["tea"]).publishes::<usize>();
    given.check().await.unwrap();
    let short = ServiceOptions::NONE.with_grace_period(GracePeriod::Bounded(SECOND / 2));
    let finding = found(given.clone().options(short)).await;
    assert!(matches!(finding, Finding::IgnoresStop { .. }), "{finding}");
    let wanted = given.clone().given("testing-cache", || "warm");
    wanted.check().await.unwrap();
    let finding = found(given.given("testing-queue", || ())).await;
    assert!(matches!(finding, Finding::NotADependency { .. }), "{finding}");

    let shop = |open: &str| {
        let test = ServiceTest::plugin::<dyn Shop>("closed", open.to_owned());
        test.given("plux.services:testing-shop", || 1_usize)
    };
    shop("open").check().await.unwrap();
    let finding = found(shop("closed")).await;
    assert!(matches!(finding, Finding::Disabled { .. }), "{finding}");
    let finding = found(ServiceTest::plugin::<dyn Shop>("opened", String::new())).await;
    assert!(matches!(finding, Finding::Unknown { .. }), "{finding}");
}

#[tokio::test]
#[should_panic(expected = "\"no name\" is no valid name")]
async fn a_name_that_is_none_is_refused_where_it_is_given() {
    drop(does(good).given("no name", || ()));
}

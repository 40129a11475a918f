//! What the attributes take and leave: names, configured items, names that come through macros.

use std::time::Duration;

use plux::{
    Backoff, BoxError, Dependency, DependencyKind, FailureCause, FromService, GiveUp, GracePeriod,
    Handle, Intensity, LoadError, Name, OnUnhealthy, Phase, PluginManager, PluginState, Reaction,
    RestartPolicy, Service, ServiceContext, ServiceOptions, StartTimeout, Supervisor, async_trait,
};

/// Any plugin whose name is of interest.
#[plux::extension_point(namespace = "it.registration", output = Own)]
trait Named {}

macro_rules! types {
    ($($type:ident)+) => { $(
        #[derive(Default)]
        struct $type;

        #[plux::plugin]
        impl Named for $type {
            async fn load(&self, (): &()) -> Result<Own, BoxError> {
                Err("it is not loaded".into())
            }
        }
    )+ };
}

types! { SqsQueue HTTPServer S3 Ec2Instance Plain __Padded }

macro_rules! factories {
    ($($function:ident)+) => { $(
        #[plux::plugin(extension = dyn Named)]
        fn $function() -> Plain {
            Plain
        }
    )+ };
}

factories! { sqs_dead_letters r#type _leading v2 }

/// A literal, a list and a type that come through a macro are the same as written ones.
macro_rules! through_a_macro {
    ($name:literal, $requires:literal, $trait:ty, $duration:literal) => {
        #[plux::plugin(
                                                                    extension = $trait,
                                                                    name = $name,
                                                                    requires = [$requires],
                                                                    grace_period = $duration,
                                                                    start_timeout = $duration
                                                                )]
        fn given() -> Plain {
            Plain
        }
    };
}

through_a_macro!("Given_by.Macro-1", "plain", dyn Named, "3s");

/// What is configured away below an attribute takes its registration with it.
#[plux::plugin(extension = dyn Named)]
#[cfg(any())]
fn factory_that_is_not_there() -> Plain {
    Plain
}

#[plux::plugin(name = "impl-that-is-not-there")]
#[cfg(any())]
impl Named for NotThere {}

#[plux::service(extension = dyn Boxed)]
#[cfg(any())]
async fn service_that_is_not_there(cx: ServiceContext) -> Result<(), BoxError> {
    Ok(())
}

#[plux::extension_point(namespace = "it.registration.not.there", output = NotThere)]
#[cfg(any())]
trait PointThatIsNotThere {}

fn manager() -> PluginManager<dyn Named> {
    PluginManager::<dyn Named>::builder(()).build()
}

#[test]
fn p02_a_name_is_the_identifier_in_kebab_case_unless_it_is_given() {
    let names = manager().names().unwrap();
    let names: Vec<_> = names.iter().map(Name::as_str).collect();
    let expected = [
        "Given_by.Macro-1",
        "ec2-instance",
        "http-server",
        "leading",
        "padded",
        "plain",
        "s3",
        "sqs-dead-letters",
        "sqs-queue",
        "type",
        "v2",
    ];
    assert_eq!(names, expected);
}

#[test]
fn p03_what_comes_through_a_macro_is_in_the_spec() {
    let specs = manager().specs().unwrap();
    let given = specs.iter().find(|spec| *spec.name() == "Given_by.Macro-1").unwrap();
    let plain = Dependency::literal(DependencyKind::Requires, None, "plain");
    assert_eq!(given.dependencies(), [plain]);
    let time = Duration::from_secs(3);
    let options = ServiceOptions::NONE
        .with_grace_period(GracePeriod::Bounded(time))
        .with_start_timeout(StartTimeout::Bounded(time));
    assert_eq!(given.service(), options);
}

#[test]
fn p03_every_form_of_a_duration_is_in_the_spec() {
    const HOUR: Duration = Duration::from_secs(3600);
    let manager = PluginManager::<dyn Timed>::builder(()).build();
    let times: Vec<_> = manager.specs().unwrap().iter().map(|spec| spec.service()).collect();
    let (bounded, none) = (StartTimeout::Bounded, ServiceOptions::NONE);
    let expected = [
        none.with_grace_period(Duration::ZERO.into()).with_start_timeout(bounded(2 * HOUR)),
        none.with_grace_period(GracePeriod::Unlimited).with_start_timeout(bounded(HOUR / 30)),
        none.with_grace_period(Duration::from_millis(7).into()),
        none.with_start_timeout(StartTimeout::Unlimited),
    ];
    assert_eq!(times, expected);
}

#[test]
fn p03_every_form_of_how_it_is_restarted_is_in_the_spec() {
    const SECOND: Duration = Duration::from_secs(1);
    let manager = PluginManager::<dyn Restarted>::builder(()).build();
    let options: Vec<_> = manager.specs().unwrap().iter().map(|spec| spec.service()).collect();
    let none = ServiceOptions::NONE;
    let expected = [
        none.with_restart(RestartPolicy::Permanent)
            .with_backoff(Backoff::NONE)
            .with_stable_after(10 * SECOND)
            .with_intensity(Intensity::new(5, 60 * SECOND))
            .with_give_up(GiveUp::CoolDown(300 * SECOND))
            .with_reaction(Reaction::Restart)
            .with_watchdog(5 * SECOND)
            .with_on_unhealthy(OnUnhealthy::Restart),
        none.with_restart(RestartPolicy::Transient)
            .with_backoff(Backoff::constant(2 * SECOND))
            .with_intensity(Intensity::UNLIMITED)
            .with_give_up(GiveUp::Escalate)
            .with_reaction(Reaction::Keep)
            .with_on_unhealthy(OnUnhealthy::Ignore),
        none.with_restart(RestartPolicy::Temporary)
            .with_backoff(Backoff::exponential(SECOND / 10, 30 * SECOND))
            .with_intensity(Intensity::new(0, 3600 * SECOND))
            .with_give_up(GiveUp::Fail)
            .with_reaction(Reaction::Stop),
    ];
    assert_eq!(options, expected);
}

#[test]
fn p03_what_an_edge_says_is_in_the_spec() {
    let manager = PluginManager::<dyn Restarted>::builder(()).build();
    let specs = manager.specs().unwrap();
    let requires = |namespace, name| Dependency::literal(DependencyKind::Requires, namespace, name);
    let expected = [
        requires(None, "a"),
        requires(None, "d").with_reaction(Reaction::Keep),
        requires(Some("other"), "d").with_reaction(Reaction::Stop),
        requires(None, "e").with_reaction(Reaction::Restart),
    ];
    assert_eq!(specs[1].dependencies(), expected);
}

/// Plugins that say how they are restarted.
#[plux::extension_point(namespace = "it.registration.restarted", output = Own)]
trait Restarted {}

#[plux::plugin(
    restart = "permanent",
    backoff = "none",
    stable_after = "10s",
    intensity = "5 in 60s",
    give_up = "cool_down 5m",
    reaction = "restart",
    watchdog = "5s",
    on_unhealthy = "restart"
)]
impl Restarted for A {
    async fn load(&self, (): &()) -> Result<Own, BoxError> {
        Err("it is not loaded".into())
    }
}

#[plux::plugin(
    requires = ["a", keep("d"), stop("other:d"), restart("e")],
    restart = "transient",
    backoff = "2s",
    intensity = "unlimited",
    give_up = "escalate",
    reaction = "keep",
    on_unhealthy = "ignore"
)]
impl Restarted for B {
    async fn load(&self, (): &()) -> Result<Own, BoxError> {
        Err("it is not loaded".into())
    }
}

#[plux::plugin(
    restart = "temporary",
    backoff = "100ms..30s",
    intensity = "0 in 1h",
    give_up = "fail",
    reaction = "stop"
)]
impl Restarted for C {
    async fn load(&self, (): &()) -> Result<Own, BoxError> {
        Err("it is not loaded".into())
    }
}

/// Plugins with times.
#[plux::extension_point(namespace = "it.registration.timed", output = Own)]
trait Timed {}

#[derive(Default)]
struct A;

#[plux::plugin(grace_period = "none", start_timeout = "2h")]
impl Timed for A {
    async fn load(&self, (): &()) -> Result<Own, BoxError> {
        Err("it is not loaded".into())
    }
}

#[derive(Default)]
struct B;

#[plux::plugin(grace_period = "unlimited", start_timeout = "2m")]
impl Timed for B {
    async fn load(&self, (): &()) -> Result<Own, BoxError> {
        Err("it is not loaded".into())
    }
}

#[derive(Default)]
struct C;

#[plux::plugin(grace_period = "7ms")]
impl Timed for C {
    async fn load(&self, (): &()) -> Result<Own, BoxError> {
        Err("it is not loaded".into())
    }
}

#[derive(Default)]
struct D;

#[plux::plugin(start_timeout = "unlimited")]
impl Timed for D {
    async fn load(&self, (): &()) -> Result<Own, BoxError> {
        Err("it is not loaded".into())
    }
}

/// Yields boxes.
#[plux::extension_point(namespace = "it.registration.boxed", output = Box<dyn Service>)]
trait Boxed {}

#[plux::service(extension = dyn Boxed)]
async fn boxed(cx: ServiceContext) -> Result<(), BoxError> {
    cx.ready("boxed");
    cx.stopping().await;
    Ok(())
}

/// An output of one's own.
struct Own(Box<dyn Service>);

impl FromService for Own {
    fn from_service<S: Service>(service: S) -> Self {
        Self(Box::new(service))
    }
}

#[async_trait]
impl Service for Own {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        self.0.run(cx).await
    }
}

/// Yields its own outputs.
#[plux::extension_point(namespace = "it.registration.own", context = Vec<&'static str>, output = Own)]
trait Owned {}

#[plux::service(extension = dyn Owned)]
async fn own(cx: ServiceContext, words: &[&'static str]) -> Result<(), BoxError> {
    cx.ready(words[0]);
    cx.stopping().await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn p01_a_function_is_a_service_for_every_output_that_takes_one() {
    let boxed = PluginManager::<dyn Boxed>::builder(()).build();
    assert_eq!(boxed.names().unwrap(), ["boxed"]);
    let supervisor = Supervisor::builder()
        .manager(boxed)
        .manager(PluginManager::<dyn Owned>::builder(vec!["own"]).build())
        .build()
        .unwrap();
    for name in ["boxed", "own"] {
        supervisor.start(name).await.unwrap();
        let published: Handle<&'static str> = supervisor.handle(name).unwrap();
        assert_eq!(*published.get().unwrap(), name);
    }
    supervisor.shutdown().await.unwrap();
}

/// Only what is there can say no.
#[plux::extension_point(namespace = "it.registration.asked", context = bool)]
trait Asked {}

#[derive(Default)]
struct Asks;

#[plux::plugin]
impl Asked for Asks {
    async fn should_load(&self, wanted: &bool) -> Result<bool, BoxError> {
        Ok(*wanted)
    }
}

#[derive(Default)]
struct DoesNotAsk;

#[plux::plugin]
impl Asked for DoesNotAsk {}

#[tokio::test]
async fn p01_a_should_load_that_was_written_is_asked_and_decides() {
    for wanted in [true, false] {
        let manager = PluginManager::<dyn Asked>::builder(wanted).build();
        manager.load("does-not-ask").await.unwrap();
        assert_eq!(manager.load("asks").await.is_ok(), wanted);
        let disabled = matches!(manager.state("asks"), Some(PluginState::Disabled(_)));
        assert_eq!(disabled, !wanted);
    }
}

/// A factory that fails is the plugin's failure, with what it failed with.
#[plux::extension_point(namespace = "it.registration.failing")]
trait Failing {}

#[async_trait]
impl Failing for A {}

#[plux::plugin(extension = dyn Failing)]
fn unparsed() -> Result<A, std::num::ParseIntError> {
    "none".parse::<u8>().map(|_| A)
}

#[plux::plugin(extension = dyn Failing)]
fn parsed() -> Result<A, std::num::ParseIntError> {
    "1".parse::<u8>().map(|_| A)
}

#[tokio::test]
async fn p01_the_error_of_a_factory_is_kept() {
    let manager = PluginManager::<dyn Failing>::builder(()).build();
    manager.load("parsed").await.unwrap();
    let error = manager.load("unparsed").await.unwrap_err();
    let LoadError::Failed(failure) = &error else { panic!("{error}") };
    assert_eq!(failure.phase, Phase::Init);
    let FailureCause::Error(cause) = &failure.cause else { panic!("{failure}") };
    assert!(cause.downcast_ref::<std::num::ParseIntError>().is_some(), "{cause}");
}

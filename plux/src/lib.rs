//! Typed plugins, loaded concurrently, and supervised services.
//!
//! - A **plugin** is registered by one attribute, in any crate of the binary: [`plugin`] on an `impl`
//!   or on a function, [`service`] on an async function. Its contract is a trait, the
//!   [`extension_point`] of its namespace; that of plain functions is [`FnPlugin`].
//! - A [`PluginManager`] finds the plugins of a namespace and loads them concurrently, each as soon as
//!   what it requires has loaded. One that fails stops no other.
//! - A [`Supervisor`] over any number of managers starts services by name with all that they require,
//!   starts again what fails, and stops them in order and in bounded time. [`main`] and
//!   [`Supervisor::run_until_signal`] make a process of it that always ends.
//! - With the feature `test-util` the module `testing` tests services on a paused clock.
//!
//! ```
//! use plux::{BoxError, FnService, PluginManager, ServiceContext, Supervisor};
//!
//! #[plux::service]
//! async fn store(cx: ServiceContext) -> Result<(), BoxError> {
//!     cx.ready(vec!["tea", "coffee"]);
//!     cx.stopping().await;
//!     Ok(())
//! }
//!
//! #[plux::service(requires = ["store"])]
//! async fn shop(cx: ServiceContext) -> Result<(), BoxError> {
//!     let goods = cx.dependency::<Vec<&str>>("store")?;
//!     cx.ready(goods.get()?.len());
//!     cx.stopping().await;
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let services = PluginManager::<dyn FnService>::builder(()).build();
//! let supervisor = Supervisor::builder().manager(services).build()?;
//! supervisor.start("shop").await?; // and `store` before it
//! assert_eq!(*supervisor.handle::<usize>("shop")?.get()?, 2);
//! let report = supervisor.shutdown().await?; // `shop` first
//! assert!(report.is_clean());
//! # Ok(())
//! # }
//! ```
//!
//! # The one trap
//!
//! **A crate that nothing names is not linked, whatever `Cargo.toml` says**, silently and in every
//! profile, and its plugins are not in the binary. Name the crates whose plugins you want with
//! [`link!`]. Asking for a plugin in an empty namespace is an error that says so. A manager can be told
//! which names it [requires](PluginManagerBuilder::require), and [`RegistryCheck`] finds in a test what
//! is wrong with all that is linked.

#[doc(hidden)]
pub mod __private;
mod check;
mod error;
mod event;
mod extension;
mod filter;
mod finder;
mod fn_plugin;
mod function;
mod given;
mod graph;
mod group;
mod handle;
mod health;
mod incarnation;
mod listener;
mod manager;
mod name;
mod near;
mod options;
mod origin;
mod place;
mod reason;
mod record;
mod registry;
mod restart;
mod runtime;
mod service;
mod signals;
mod spec;
mod state;
mod supervisor;
mod table;
mod task;
#[cfg(feature = "test-util")]
pub mod testing;

pub use async_trait::async_trait;
/// Makes a trait the contract of a namespace.
///
/// ```
/// use std::sync::Arc;
/// use plux::Service;
///
/// /// What every plugin is given when it is loaded.
/// pub struct Cloud {
///     pub region: String,
/// }
///
/// #[plux::extension_point(namespace = "aws.services", context = Cloud, output = Arc<dyn Service>)]
/// pub trait ServicePlugin {
///     /// Methods of one's own are as in any trait; they may be async.
///     fn port(&self) -> u16 {
///         0
///     }
/// }
/// ```
///
/// | key | value | default |
/// |---|---|---|
/// | `namespace` | the name of the group: 1 to 128 ASCII letters, digits, `_`, `-` or `.`, the first one a letter or a digit | must be given |
/// | `context` | the type that every load is given, by reference | `()` |
/// | `output` | the type that a load yields | `()` |
/// | `crate` | where plux is, when it is renamed or re-exported | `::plux` |
///
/// The trait gets `Send + Sync + 'static` and two methods, with the context and the output in them:
///
/// - `async fn should_load(&self, context: &Cloud) -> Result<bool, BoxError>`: whether the plugin
///   wants to be loaded. It does, unless a plugin says otherwise; a plugin that does not is not asked.
/// - `async fn load(&self, context: &Cloud) -> Result<Arc<dyn Service>, BoxError>`: where the output
///   is `()`, a plugin may leave it out.
///
/// The extension point is `dyn ServicePlugin`: `PluginManager::<dyn ServicePlugin>` manages its
/// plugins. The trait has no parameters, associated types or constants. When all its methods have
/// defaults and it has no other supertraits or bounds, [functions](macro@service) fit it too.
pub use plux_macros::extension_point;
/// Registers a plugin: a type, by the `impl` of its trait, what a factory function makes, or a function.
///
/// ```
/// use plux::BoxError;
///
/// #[plux::extension_point(namespace = "doc.greetings", context = String, output = String)]
/// pub trait Greeting {}
///
/// // A type that has a `Default`: the trait says which namespace it is for.
/// #[derive(Default)]
/// struct Hello;
///
/// #[plux::plugin]
/// impl Greeting for Hello {
///     async fn load(&self, name: &String) -> Result<String, BoxError> {
///         Ok(format!("hello, {name}"))
///     }
/// }
///
/// // A type that is several plugins: outside of `#[plugin]`, the impl is marked as async.
/// struct Word(&'static str);
///
/// #[plux::async_trait]
/// impl Greeting for Word {
///     async fn load(&self, name: &String) -> Result<String, BoxError> {
///         Ok(format!("{} {name}", self.0))
///     }
/// }
///
/// #[plux::plugin(extension = dyn Greeting, wants = ["hello"])]
/// fn good_bye() -> Word {
///     Word("good bye")
/// }
///
/// #[plux::plugin(extension = dyn Greeting, name = "from-env", requires = ["hello"])]
/// fn chosen() -> Result<Word, std::env::VarError> {
///     Ok(Word(if std::env::var("GREETING")? == "short" { "hi" } else { "good day" }))
/// }
///
/// # fn main() -> Result<(), BoxError> {
/// let manager = plux::PluginManager::<dyn Greeting>::builder("you".to_owned()).build();
/// assert_eq!(manager.names()?, ["from-env", "good-bye", "hello"]);
/// # Ok(())
/// # }
/// ```
///
/// | key | value | default |
/// |---|---|---|
/// | `name` | the name in the namespace, of the same characters as the namespace | the name of the type or function in kebab case: `SqsQueue` and `sqs_queue` are `sqs-queue`, `HTTPServer` is `http-server` |
/// | `extension` | `dyn Trait`, on a function that makes the plugin | the trait of the `impl` |
/// | `namespace` | the name of the group, on a function that is the plugin | that of the extension point |
/// | `requires` | a list of plugins without which this one is not loaded; of a service, also with what their end does to it: `["db", keep("cache"), stop("queue"), restart("bus")]`, see [`Reaction`] | `[]` |
/// | `wants` | a list of plugins that are loaded first, and may fail | `[]` |
/// | `after` | a list of plugins that go first where they take part | `[]` |
/// | `should_load` | with `namespace`: the path of an `async fn() -> Result<bool, E>` that says whether the function is to be loaded | it is |
/// | `load` | with `namespace`: the path of an `async fn() -> Result<(), E>` that a load of the function runs | nothing is run |
/// | `grace_period` | of a service: the time from the stop signal to the abort, as `"500ms"`, `"2s"`, `"1m"`, `"1h"`; `"none"` aborts at once, `"unlimited"` never | the supervisor's |
/// | `start_timeout` | of a service: the time from the beginning of a start to readiness; `"unlimited"` waits as long as it takes | the supervisor's |
/// | `restart` | of a service: after which ends it is started again, `"permanent"`, `"transient"` or `"temporary"`: see [`RestartPolicy`] | the supervisor's |
/// | `backoff` | of a service: how long a restart waits: `"none"`, a time, or the first and the longest one of a [delay that grows](Backoff::exponential), as `"100ms..30s"` | the supervisor's |
/// | `stable_after` | of a service: the time from readiness until its failures are forgotten | the supervisor's |
/// | `intensity` | of a service: how many restarts it may need within a time, as `"5 in 60s"`, or `"unlimited"`: see [`Intensity`] | the supervisor's |
/// | `give_up` | of a service: what becomes of it when it needs more, `"fail"`, `"escalate"`, or `"cool_down 5m"` with a time: see [`GiveUp`] | the supervisor's |
/// | `reaction` | of a service: what happens to it when one that it requires has ended, `"restart"`, `"stop"` or `"keep"`: see [`Reaction`] | the supervisor's |
/// | `watchdog` | of a service: the time after a heartbeat in which another one has to come | the supervisor's |
/// | `on_unhealthy` | of a service: what becomes of one that runs and is unhealthy, `"ignore"` or `"restart"`: see [`OnUnhealthy`] | the supervisor's |
/// | `crate` | where plux is, when it is renamed or re-exported | `::plux` |
///
/// What is of a service does not compile where the output of the extension point is no [`Service`].
///
/// A dependency is the name of a plugin of the own namespace, or `namespace:name`. A manager knows its
/// own namespace: what is required of another one is seen to by a supervisor of both, and by
/// [`RegistryCheck`], and not by a load.
///
/// An error of a factory is the plugin's failure; so is a panic. A factory runs once per attempt to
/// initialize. What it makes has an impl on which `#[plugin]` does not stand, so
/// `#[plux::async_trait]` has to: without it the compiler says that the lifetime parameters of `load`
/// do not match those of the trait (E0195).
///
/// # A function as a plugin
///
/// With `namespace`, the function is the plugin: it is loaded like any other, and called through what
/// was loaded. It may be async; it takes nothing, or one argument by reference; and it returns what it
/// likes, or a `Result` of that. These types are its contract, [`FnPlugin<T, R>`](FnPlugin), and that
/// of all functions of the namespace:
///
/// ```
/// use plux::{BoxError, FnPlugin, Namespace, PluginManager};
///
/// pub struct Aws {
///     pub region: String,
/// }
///
/// #[plux::plugin(namespace = "doc.checks", wants = ["logging"])]
/// async fn region(aws: &Aws) -> Result<(), BoxError> {
///     if aws.region.is_empty() { Err("no region".into()) } else { Ok(()) }
/// }
///
/// #[plux::plugin(namespace = "doc.checks", name = "account", should_load = is_online)]
/// fn account_is_there(_: &Aws) {}
///
/// /// Asked once, when the function is loaded.
/// async fn is_online() -> Result<bool, BoxError> {
///     Ok(false)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let namespace = Namespace::literal("doc.checks");
/// let checks = PluginManager::<dyn FnPlugin<Aws, ()>>::functions(namespace).build();
/// let report = checks.load_all().await; // `account` is disabled
/// let aws = Aws { region: "eu-south-1".to_owned() };
/// for check in report.loaded() {
///     check.plugin().call(&aws).await?;
/// }
/// # assert_eq!(report.loaded().len(), 1);
/// # Ok(())
/// # }
/// ```
///
/// # Where it is found
///
/// What is registered in a crate is found by a binary that [names](link!) the crate. A tool can read
/// it from the binary without running it: [`PluginSpec::record`] says how.
pub use plux_macros::plugin;
/// Registers an async function as a service.
///
/// ```
/// use plux::{BoxError, FnService, PluginManager, ServiceContext, Supervisor};
///
/// #[plux::service(restart = "permanent", grace_period = "2s", start_timeout = "5s")]
/// async fn clock(cx: ServiceContext) -> Result<(), BoxError> {
///     let mut tick = tokio::time::interval(std::time::Duration::from_secs(1));
///     cx.ready("the first tick is due");
///     while cx.running_until(tick.tick()).await.is_some() {
///         println!("tick");
///     }
///     Ok(())
/// }
///
/// #[tokio::main]
/// async fn main() -> Result<(), BoxError> {
///     let manager = PluginManager::<dyn FnService>::builder(()).build();
///     let supervisor = Supervisor::builder().manager(manager).build()?;
///     supervisor.start("clock").await?;
///     supervisor.shutdown().await?;
///     Ok(())
/// }
/// ```
///
/// The function takes a [`ServiceContext`] and, if it wants, the context of its namespace, which it
/// keeps as a clone for all of its runs:
///
/// ```
/// # use std::sync::Arc;
/// # use plux::{BoxError, Service, ServiceContext};
/// #[derive(Clone)]
/// pub struct Cloud {
///     pub region: String,
/// }
///
/// #[plux::extension_point(namespace = "doc.services", context = Cloud, output = Arc<dyn Service>)]
/// pub trait ServicePlugin {}
///
/// #[plux::service(extension = dyn ServicePlugin, requires = ["store"])]
/// async fn s3(cx: ServiceContext, cloud: &Cloud) -> Result<(), BoxError> {
///     let store = cx.dependency::<String>("store")?.get()?;
///     cx.ready(format!("s3 in {}, on {store}", cloud.region));
///     cx.stopping().await;
///     Ok(())
/// }
/// ```
///
/// The keys are those of [`plugin`](macro@plugin). `extension` is the extension point it goes to,
/// [`FnService`] unless given; its trait must require nothing of a plugin but `load`, and its output
/// must be one that [`FromService`] makes of a service.
pub use plux_macros::service;

pub use check::RegistryCheck;
pub use error::{
    AddError, BoxError, BuildError, BuildProblem, CheckError, CheckProblem, EntryError, Exit,
    FailureCause, FindError, GraphError, HandleError, LoadError, LoadFailure, Near, RemoveError,
    RestartError, RunError, ServiceFailure, SharedError, StartError, StopError,
};
pub use event::{Event, EventKind};
pub use extension::ExtensionPoint;
pub use filter::{FilterGuard, FilterRule, FilterRuleBuilder, PluginFilter, RuleError};
pub use finder::{Chain, Found, ListFinder, PluginFinder, RegistryFinder};
pub use fn_plugin::FnPlugin;
pub use function::{FnService, FromService};
pub use group::Group;
pub use handle::Handle;
pub use health::{Health, OnUnhealthy};
pub use listener::{Listener, Tracing};
pub use manager::{LoadReport, Loaded, PluginManager, PluginManagerBuilder};
pub use name::{MAX_LEN, Name, NameError, Namespace, PluginId, is_valid_name};
pub use options::{GracePeriod, ServiceOptions, StartTimeout};
pub use origin::Origin;
pub use reason::{Disabled, Fatal, Phase, StopReason, Stopped};
pub use registry::{LinkedCrate, silent_crates};
pub use restart::{Backoff, GiveUp, Intensity, Reaction, RestartPolicy};
pub use runtime::main;
pub use service::{Service, ServiceContext};
pub use spec::{Dependency, DependencyKind, PluginSpec, SpecRef};
pub use state::{PluginState, ServiceState};
pub use supervisor::{
    Nested, NestedFailure, Plan, PlanKind, PlanReason, PlanStep, RestartReport, ServiceStatus,
    ShutdownReport, StartOutcome, StartReport, StopHow, StopReport, StopRow, Supervisor,
    SupervisorBuilder, WeakSupervisor,
};
pub use task::{Panic, install_panic_hook};

/// Compiles and runs the README's code.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The same for the page for users of Python plux.
#[cfg(doctest)]
#[doc = include_str!("../../docs/from-python.md")]
struct FromPython;

/// And for the pages about tests.
#[cfg(all(doctest, feature = "test-util"))]
#[doc = include_str!("../../docs/testing.md")]
struct Testing;

#[cfg(all(doctest, feature = "test-util"))]
#[doc = include_str!("../../docs/trace.md")]
struct Traces;

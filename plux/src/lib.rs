//! Typed plugins, loaded concurrently, and supervised services.

#[doc(hidden)]
pub mod __private;
mod error;
mod event;
mod extension;
mod finder;
mod graph;
mod handle;
mod incarnation;
mod listener;
mod manager;
mod name;
mod near;
mod origin;
mod reason;
mod registry;
mod runtime;
mod service;
mod signals;
mod spec;
mod state;
mod supervisor;
mod table;
mod task;

pub use async_trait::async_trait;
pub use plux_macros::{extension_point, plugin};

pub use error::{
    BoxError, BuildError, BuildProblem, Exit, FailureCause, FindError, GraphError, HandleError,
    LoadError, LoadFailure, Near, RestartError, RunError, ServiceFailure, SharedError, StartError,
    StopError,
};
pub use event::{Event, EventKind};
pub use extension::ExtensionPoint;
pub use finder::{ListFinder, PluginFinder, RegistryFinder};
pub use handle::Handle;
pub use listener::{Listener, Tracing};
pub use manager::{LoadReport, Loaded, PluginManager, PluginManagerBuilder};
pub use name::{MAX_LEN, Name, NameError, Namespace, PluginId, is_valid_name};
pub use origin::Origin;
pub use reason::{Disabled, Phase, StopReason, Stopped};
pub use runtime::main;
pub use service::{Service, ServiceContext};
pub use spec::{
    AnyFactory, Dependency, DependencyKind, Factory, GracePeriod, PluginSpec, ServiceOptions,
    SpecRef,
};
pub use state::{PluginState, ServiceState};
pub use supervisor::{
    RestartReport, ServiceStatus, ShutdownReport, StartOutcome, StartReport, StopHow, StopReport,
    StopRow, Supervisor, SupervisorBuilder, WeakSupervisor,
};
pub use task::{Panic, install_panic_hook};

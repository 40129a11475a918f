//! Typed plugins, loaded concurrently, and supervised services.

#![expect(dead_code, unused_imports, reason = "the floors that call these are not on the tree")]

#[doc(hidden)]
pub mod __private;
mod error;
mod event;
mod extension;
mod finder;
mod graph;
mod listener;
mod manager;
mod name;
mod near;
mod origin;
mod reason;
mod registry;
mod service;
mod spec;
mod state;
mod table;
mod task;

pub use plux_macros::{extension_point, plugin};

pub use error::{
    BoxError, BuildError, BuildProblem, Exit, FailureCause, FindError, GraphError, HandleError,
    LoadError, LoadFailure, Near, ServiceFailure, SharedError, StartError, StopError,
};
pub use event::{Event, EventKind};
pub use extension::ExtensionPoint;
pub use finder::{ListFinder, PluginFinder, RegistryFinder};
pub use listener::{Listener, Tracing};
pub use manager::{LoadReport, Loaded, PluginManager, PluginManagerBuilder};
pub use name::{MAX_LEN, Name, NameError, Namespace, PluginId, is_valid_name};
pub use origin::Origin;
pub use reason::{Disabled, Phase, StopReason, Stopped};
pub use service::{Service, ServiceContext};
pub use spec::{
    AnyFactory, Dependency, DependencyKind, Factory, GracePeriod, PluginSpec, ServiceOptions,
    SpecRef,
};
pub use state::{PluginState, ServiceState};
pub use task::{Panic, install_panic_hook};

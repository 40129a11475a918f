//! The door for generated code. Nothing in it is promised to anybody else.

pub use async_trait::async_trait;
pub use futures::future::BoxFuture;
pub use linkme;

pub use crate::extension::namespace_of;
pub use crate::registry::{PLUX_RECORDS_V0, Record};
pub use crate::spec::{
    AnyFactory, Dependency, DependencyKind, Factory, GracePeriod, PluginSpec, ServiceOptions,
};
pub use crate::{BoxError, ExtensionPoint, Name, Namespace, Origin, Service, ServiceContext};

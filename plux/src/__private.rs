//! The door for generated code. Nothing in it is promised to anybody else.

pub use async_trait::async_trait;
pub use futures::future::BoxFuture;
pub use linkme;
pub use std::time::Duration;

pub use crate::fn_plugin::{Fallible, FunctionPlugin, now, try_now, try_wait, wait};
pub use crate::function::{FunctionPoint, FunctionService, KeptContext};
pub use crate::health::OnUnhealthy;
pub use crate::options::{GracePeriod, ServiceOptions, StartTimeout};
pub use crate::record::{RecordFields, encode_record, record_length};
pub use crate::registry::{PLUX_RECORDS_V0, Record};
pub use crate::restart::{Backoff, GiveUp, Intensity, Reaction, RestartPolicy};
pub use crate::service::served;
pub use crate::spec::{AnyFactory, Dependency, DependencyKind, Factory, PluginSpec};
pub use crate::{
    BoxError, ExtensionPoint, FromService, LinkedCrate, Name, Namespace, Origin, Service,
    ServiceContext,
};

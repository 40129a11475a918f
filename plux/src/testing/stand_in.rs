//! What stands in for a service that the tested one depends on, and the plugins of a test.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use tokio::sync::Notify;

use super::scripted::Scripted;
use crate::error::BoxError;
use crate::name::{Name, Namespace};
use crate::options::ServiceOptions;
use crate::origin::Origin;
use crate::restart::{Backoff, Intensity, RestartPolicy};
use crate::service::{Service, ServiceContext};
use crate::spec::PluginSpec;

type Publish = dyn Fn(&ServiceContext) + Send + Sync;

/// Is ready at once with what it was given, ends when told, and fails when it is lost.
#[derive(Clone)]
pub(super) struct StandIn {
    pub(super) namespace: Option<Namespace>,
    pub(super) name: Name,
    origin: Origin,
    publish: Arc<Publish>,
    lost: Arc<Notify>,
}

impl StandIn {
    pub(super) fn new<T: Any + Send + Sync>(
        namespace: Option<Namespace>,
        name: Name,
        origin: Origin,
        make: impl Fn() -> T + Send + Sync + 'static,
    ) -> Self {
        let publish = Arc::new(move |cx: &ServiceContext| {
            cx.ready(make());
        });
        Self { namespace, name, origin, publish, lost: Arc::default() }
    }

    /// Has the present run fail.
    pub(super) fn lose(&self) {
        self.lost.notify_one();
    }

    pub(super) fn spec(&self, namespace: &Namespace) -> PluginSpec {
        let service: Arc<dyn Service> = Arc::new(self.clone());
        let back = ServiceOptions::NONE
            .with_restart(RestartPolicy::Permanent)
            .with_backoff(Backoff::NONE)
            .with_intensity(Intensity::UNLIMITED);
        let load = move || -> Load {
            let service = Arc::clone(&service);
            Box::pin(async move { Ok(service) })
        };
        spec(namespace.clone(), self.name.clone(), self.origin, load).with_service(back)
    }
}

#[async_trait]
impl Service for StandIn {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        (self.publish)(&cx);
        match cx.running_until(self.lost.notified()).await {
            Some(()) => Err("it was lost, as the test says".into()),
            None => Ok(()),
        }
    }
}

impl fmt::Display for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}:{}", self.name),
            None => self.name.fmt(f),
        }
    }
}

/// A load.
pub(super) type Load = BoxFuture<'static, Result<Arc<dyn Service>, BoxError>>;

/// A plugin whose load is a function.
struct Loads(Arc<dyn Fn() -> Load + Send + Sync>);

#[async_trait]
impl Scripted for Loads {
    async fn load(&self, (): &()) -> Result<Arc<dyn Service>, BoxError> {
        (self.0)().await
    }
}

/// The spec of a plugin of that namespace with that load.
pub(super) fn spec(
    namespace: Namespace,
    name: Name,
    origin: Origin,
    load: impl Fn() -> Load + Send + Sync + 'static,
) -> PluginSpec {
    let load: Arc<dyn Fn() -> Load + Send + Sync> = Arc::new(load);
    let make =
        move || -> Result<Arc<dyn Scripted>, BoxError> { Ok(Arc::new(Loads(Arc::clone(&load)))) };
    PluginSpec::new::<dyn Scripted>(namespace, name, make).with_origin(origin)
}

//! Where the supervisor's services come from: any manager whose output is a service.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::error::{FindError, LoadError};
use crate::extension::ExtensionPoint;
use crate::manager::PluginManager;
use crate::name::Name;
use crate::reason::Phase;
use crate::service::{Service, ServiceContext};
use crate::spec::SpecRef;
use crate::table::Entry;

/// A manager, seen without its extension point.
pub(crate) trait ServiceSource: Send + Sync {
    fn specs(&self) -> Result<Vec<SpecRef>, FindError>;
    /// The names that must be there and are not.
    fn missing(&self) -> Result<Vec<LoadError>, FindError>;
    /// Loads the plugin, or finds it loaded; what it requires runs, so is loaded. Nothing else is
    /// loaded with it: what it wants has been decided, and may hang or have failed. Dropping the
    /// future does not end the load.
    fn load(&self, name: &Name) -> BoxFuture<'static, Result<Arc<dyn Service>, LoadError>>;
    /// How far the load under way has come. Never waits.
    fn reached(&self, name: &Name) -> Phase;
    /// Ends the loads that are pending, and waits until they have.
    fn end_loads(&self) -> BoxFuture<'_, ()>;
    /// Waits until the manager's listeners have heard everything.
    fn flush(&self) -> BoxFuture<'_, ()>;
    /// The plugins whose load has not ended.
    fn pending(&self) -> Vec<Name>;
}

impl<P> ServiceSource for PluginManager<P>
where
    P: ExtensionPoint + ?Sized + 'static,
    P::Output: Service,
{
    fn specs(&self) -> Result<Vec<SpecRef>, FindError> {
        PluginManager::specs(self)
    }

    fn missing(&self) -> Result<Vec<LoadError>, FindError> {
        PluginManager::missing(self)
    }

    fn load(&self, name: &Name) -> BoxFuture<'static, Result<Arc<dyn Service>, LoadError>> {
        let (manager, name) = (self.clone(), name.clone());
        async move {
            let loaded = PluginManager::load_alone(&manager, name.as_str()).await?;
            Ok(loaded.into_entry() as Arc<dyn Service>)
        }
        .boxed()
    }

    fn reached(&self, name: &Name) -> Phase {
        PluginManager::reached(self, name.as_str())
    }

    fn end_loads(&self) -> BoxFuture<'_, ()> {
        PluginManager::end_loads(self).boxed()
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        PluginManager::flush(self).boxed()
    }

    fn pending(&self) -> Vec<Name> {
        PluginManager::pending(self)
    }
}

type Run<'a> = BoxFuture<'a, Result<(), crate::error::BoxError>>;

/// The row itself is the service, so that a service needs no memory for a handle on it.
impl<P> Service for Entry<P>
where
    P: ExtensionPoint + ?Sized + 'static,
    P::Output: Service,
{
    fn run<'life, 'run>(&'life self, cx: ServiceContext) -> Run<'run>
    where
        'life: 'run,
        Self: 'run,
    {
        match self.value() {
            Some(value) => value.output.run(cx),
            None => unreachable!("a row is made a service when it is loaded"),
        }
    }
}

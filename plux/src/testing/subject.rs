//! What is tested, as a plugin that loads without its manager.

use std::sync::Arc;

use super::finding::Finding;
use super::stand_in::{Load, StandIn, spec};
use super::watched::{Ends, Watched};
use crate::error::BoxError;
use crate::extension::{ExtensionPoint, make, resolve};
use crate::name::{Name, Namespace};
use crate::origin::Origin;
use crate::reason::Disabled;
use crate::registry;
use crate::service::Service;
use crate::spec::{Dependency, DependencyKind, PluginSpec, SpecRef};

/// What is tested.
#[derive(Clone)]
pub(super) enum Subject {
    /// A value.
    Service(Arc<dyn Service>),
    /// The plugin, or else what is registered under the name, and its load.
    Plugin { spec: Option<SpecRef>, namespace: Namespace, load: Arc<LoadOf> },
}

/// The load of a plugin.
type LoadOf = dyn Fn(SpecRef) -> Load + Send + Sync;

/// A load with that context.
pub(super) fn load_with<P>(context: P::Context) -> Arc<LoadOf>
where
    P: ExtensionPoint + ?Sized + 'static,
    P::Output: Service,
{
    let context = Arc::new(context);
    Arc::new(move |spec| Box::pin(load::<P>(spec, Arc::clone(&context))))
}

impl Subject {
    /// The spec of what is tested.
    pub(super) fn spec(
        &self,
        name: &Name,
        origin: Origin,
        stand_ins: &[StandIn],
        ends: &Ends,
    ) -> Result<PluginSpec, Finding> {
        let name = name.clone();
        let ends = Arc::clone(ends);
        let watched = move |service| -> Arc<dyn Service> {
            Arc::new(Watched { service, ends: Arc::clone(&ends) })
        };
        match self {
            Self::Service(service) => {
                let service = watched(Arc::clone(service));
                let load = move || -> Load {
                    let service = Arc::clone(&service);
                    Box::pin(async move { Ok(service) })
                };
                let mut spec = spec(Namespace::literal("plux.testing"), name, origin, load);
                for stand_in in stand_ins {
                    let (namespace, name) = (stand_in.namespace.clone(), stand_in.name.clone());
                    let kind = DependencyKind::Requires;
                    let edge = Dependency { kind, namespace, name, reaction: None };
                    spec = spec.with_dependency(edge);
                }
                Ok(spec)
            }
            Self::Plugin { spec: given, namespace, load } => {
                let mut specs = registry::specs_of(namespace).map(SpecRef::Static);
                let found = given.clone().or_else(|| specs.find(|spec| spec.name() == &name));
                let Some(plugin) = found else {
                    let (name, namespace) = (name.to_string(), namespace.to_string());
                    return Err(Finding::Unknown { name, namespace });
                };
                let (load, watched, loaded) = (Arc::clone(load), Arc::new(watched), plugin.clone());
                let load = move || -> Load {
                    let (loading, watched) = (load(loaded.clone()), Arc::clone(&watched));
                    Box::pin(async move { Ok(watched(loading.await?)) })
                };
                let spec = spec(namespace.clone(), name, plugin.origin(), load)
                    .with_service(plugin.service());
                let edges = plugin.dependencies().iter().cloned();
                Ok(edges.fold(spec, PluginSpec::with_dependency))
            }
        }
    }
}

/// Makes the plugin and loads it, without its manager.
async fn load<P>(spec: SpecRef, context: Arc<P::Context>) -> Result<Arc<dyn Service>, BoxError>
where
    P: ExtensionPoint + ?Sized + 'static,
    P::Output: Service,
{
    let Some(factory) = resolve::<P>(&spec) else {
        let (found, wanted) = (spec.factory().extension_point(), std::any::type_name::<P>());
        return Err(format!("it is a plugin for {found}, not for {wanted}").into());
    };
    let plugin = make(factory)?;
    if plugin.asks_should_load() && !plugin.should_load(&context).await? {
        return Err(Disabled::because("should_load said no").into());
    }
    Ok(Arc::new(plugin.load(&context).await?))
}

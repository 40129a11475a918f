//! The host: managers over the registered plugins, and one supervisor over the managers.
//!
//! The trap: the gateway has to stop before the services it calls, so it is `after` every AWS
//! service. Which ones there are is known only when the binary is linked, so its spec is made here
//! and not by an attribute.

use std::sync::Arc;
use std::time::Duration;

use plux::{
    BoxError, BuildError, Dependency, DependencyKind, ExtensionPoint, FindError, Found, Name,
    Namespace, PluginFinder, PluginManager, PluginManagerBuilder, PluginSpec, RegistryFinder,
    SpecRef, Supervisor, Tracing,
};

use crate::aws::{AWS, AwsService};
use crate::cloud::{Cloud, CloudService};
use crate::gateway::Gateway;

/// The managers of a cloud.
pub struct Host {
    aws: PluginManager<dyn AwsService>,
    own: PluginManager<dyn CloudService>,
}

impl Host {
    /// Takes the plugins that are linked in. Nothing of theirs runs.
    pub fn new(cloud: &Cloud) -> Self {
        let aws = builder(cloud).build();
        let own = builder(cloud).finder(WithGateway { aws: aws.clone() }).build();
        Self { aws, own }
    }

    /// What is registered, namespace by namespace, in the order of names.
    ///
    /// # Errors
    /// [`FindError`].
    pub fn specs(&self) -> Result<Vec<SpecRef>, FindError> {
        let mut specs = self.aws.specs()?;
        specs.extend(self.own.specs()?);
        Ok(specs)
    }

    /// The supervisor over all of it.
    ///
    /// # Errors
    /// [`BuildError`], with every problem there is.
    pub fn supervisor(self, grace_period: Duration) -> Result<Supervisor, BuildError> {
        Supervisor::builder()
            .manager(self.aws)
            .manager(self.own)
            .listener(Tracing)
            .grace_period(grace_period)
            .build()
    }
}

/// What the managers have in common: the context, the log, and what may not load.
fn builder<P: ExtensionPoint<Context = Cloud> + ?Sized>(cloud: &Cloud) -> PluginManagerBuilder<P> {
    let builder = PluginManager::builder(cloud.clone()).listener(Tracing);
    cloud.refused().iter().cloned().fold(builder, PluginManagerBuilder::filter)
}

/// The registered services of the cloud, and the gateway.
struct WithGateway {
    aws: PluginManager<dyn AwsService>,
}

impl PluginFinder for WithGateway {
    fn find(&self, namespace: &Namespace) -> Result<Found, BoxError> {
        let mut found = RegistryFinder.find(namespace)?;
        let aws: Arc<[SpecRef]> = self.aws.specs()?.into();
        let served = Arc::clone(&aws);
        let make = move || {
            let gateway: Arc<dyn CloudService> = Arc::new(Gateway::new(Arc::clone(&served)));
            Ok(gateway)
        };
        let gateway = PluginSpec::new(namespace.clone(), Name::literal("gateway"), make);
        let after = aws.iter().map(|spec| Dependency {
            kind: DependencyKind::After,
            namespace: Some(AWS),
            name: spec.name().clone(),
            reaction: None,
        });
        let gateway = after.fold(gateway, PluginSpec::with_dependency);
        found.specs.push(gateway.with_origin(plux::origin!()).into());
        Ok(found)
    }
}

//! The host: managers over the registered plugins, and one supervisor over the managers.
//!
//! The trap: the gateway has to stop before the services it calls, so it is `after` every AWS
//! service. Which ones there are is known only when the binary is linked, so its spec is made here
//! and not by an attribute.

use std::sync::Arc;
use std::time::Duration;

use plux::{
    BoxError, BuildError, Dependency, DependencyKind, FindError, Name, Namespace, PluginFinder,
    PluginManager, PluginSpec, RegistryFinder, SpecRef, Supervisor, Tracing,
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
        let aws = PluginManager::builder(cloud.clone()).listener(Tracing).build();
        let finder = WithGateway { aws: aws.clone() };
        let own = PluginManager::builder(cloud.clone()).finder(finder).listener(Tracing).build();
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

/// The registered services of the cloud, and the gateway.
struct WithGateway {
    aws: PluginManager<dyn AwsService>,
}

impl PluginFinder for WithGateway {
    fn find(&self, namespace: &Namespace) -> Result<Vec<SpecRef>, BoxError> {
        let mut specs = RegistryFinder.find(namespace)?;
        let names: Arc<[Name]> = self.aws.names()?.into();
        let served = Arc::clone(&names);
        let make = move || {
            let gateway: Arc<dyn CloudService> = Arc::new(Gateway::new(Arc::clone(&served)));
            Ok(gateway)
        };
        let gateway = PluginSpec::new(namespace.clone(), Name::literal("gateway"), make);
        let after = names.iter().map(|name| Dependency {
            kind: DependencyKind::After,
            namespace: Some(AWS),
            name: name.clone(),
        });
        let gateway = after.fold(gateway, PluginSpec::with_dependency);
        specs.push(gateway.with_origin(plux::origin!()).into());
        Ok(specs)
    }
}

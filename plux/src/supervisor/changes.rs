//! Adding services to a supervisor that runs, and removing them.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::error::{AddError, RemoveError};
use crate::extension::ExtensionPoint;
use crate::manager::PluginManager;
use crate::name::Name;
use crate::service::Service;

use super::calls::Supervisor;
use super::core::Input;
use super::found::Found;
use super::shell::{Addition, Mail, Told};
use super::source::ServiceSource;

impl Supervisor {
    /// Adds the services of a manager, and answers with their names, in order: as if the supervisor had
    /// been [built](crate::SupervisorBuilder::manager) with it. They are stopped; what is there already
    /// goes on as it does, and can depend on them from now on. What the builder has set for all, and for
    /// one of these names, goes for them, its groups too.
    ///
    /// It adds all of them or nothing. The finder runs in the caller's thread, and nothing else of the
    /// plugins runs. The call belongs to the supervisor once it was polled: dropping its future changes
    /// nothing. A service may call it.
    ///
    /// # Errors
    /// [`AddError`] with every problem found: those for which a supervisor is not built, and a place in
    /// the graph that makes a service unusable, be it one that comes or one that is there.
    ///
    /// # Panics
    /// As the first call of a supervisor does, outside a tokio runtime.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use plux::{BoxError, FnService, ListFinder, Name, Namespace, PluginManager, PluginSpec};
    /// use plux::{Service, ServiceContext, Supervisor};
    ///
    /// struct Tenant;
    ///
    /// #[plux::async_trait]
    /// impl Service for Tenant {
    ///     async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
    ///         cx.ready(());
    ///         cx.stopping().await;
    ///         Ok(())
    ///     }
    /// }
    ///
    /// #[plux::extension_point(namespace = "tenants", output = Tenant)]
    /// trait Opens {}
    ///
    /// struct Open;
    ///
    /// #[plux::async_trait]
    /// impl Opens for Open {
    ///     async fn load(&self, _: &()) -> Result<Tenant, BoxError> {
    ///         Ok(Tenant)
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let supervisor = Supervisor::builder().build()?;
    /// let factory = || Ok(Arc::new(Open) as Arc<dyn Opens>);
    /// let spec = PluginSpec::new(Namespace::literal("tenants"), Name::new("acme")?, factory);
    /// let manager = PluginManager::<dyn Opens>::builder(()).finder(ListFinder::new([spec])).build();
    /// assert_eq!(supervisor.add(manager).await?, ["acme"]);
    /// supervisor.start("acme").await?;
    /// supervisor.stop("acme").await?;
    /// supervisor.remove("acme").await?;
    /// assert!(supervisor.status("acme").is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn add<P>(&self, manager: PluginManager<P>) -> Result<Vec<Name>, AddError>
    where
        P: ExtensionPoint + ?Sized + 'static,
        P::Output: Service,
    {
        let source: Arc<dyn ServiceSource> = Arc::new(manager);
        let mut problems = Vec::new();
        let found = Found::of(&source, &mut problems);
        let (answer, told) = oneshot::channel();
        let addition = Addition { found, problems, source, answer };
        self.shared.send(Mail::Add(Box::new(addition)));
        match told.await {
            Ok(Told::Added(outcome)) => outcome,
            _ => Err(AddError::Shutdown),
        }
    }

    /// Removes a service that has ended and on which no other depends. Its name can be added again, and
    /// means another service then: what was had of this one (its handles, its contexts, calls that were
    /// under way) says nothing about that.
    ///
    /// With the last of a manager's services the supervisor lets go of the manager, and unless somebody
    /// else has it, what its plugins acquired is dropped, in a task of plux's own, before this answers.
    /// While others of its services are there, all that was loaded stays.
    ///
    /// The call belongs to the supervisor once it was polled: dropping its future changes nothing.
    ///
    /// # Errors
    /// [`RemoveError`] says what keeps it; nothing has changed then.
    pub async fn remove(&self, name: &str) -> Result<(), RemoveError> {
        let unknown = |(name, near)| RemoveError::Unknown { name, near };
        let service = self.known(name).map_err(unknown)?;
        match self.ask(&service, |service, caller| Input::Remove { service, caller }).await {
            Some(Told::Removed(outcome)) => outcome.map_err(|error| *error),
            Some(_) => Err(unknown(self.unknown(name))),
            None => Err(RemoveError::Shutdown { name: service.name }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::BoxError;
    use crate::finder::ListFinder;
    use crate::function::FnService;
    use crate::name::Namespace;
    use crate::options::{GracePeriod, ServiceOptions};
    use crate::spec::PluginSpec;

    const SECOND: Duration = Duration::from_secs(1);

    fn manager(name: &'static str, grace_period: Duration) -> PluginManager<dyn FnService> {
        let make = || Err::<Arc<dyn FnService>, _>(BoxError::from("nobody starts it"));
        let options = ServiceOptions::NONE.with_grace_period(GracePeriod::Bounded(grace_period));
        let spec = PluginSpec::new(Namespace::literal("plux.services"), Name::literal(name), make);
        let finder = ListFinder::new([spec.with_service(options)]);
        PluginManager::<dyn FnService>::builder(()).finder(finder).build()
    }

    #[tokio::test]
    async fn a02_x08_the_last_deadline_is_that_of_those_who_are_there() -> Result<(), BoxError> {
        let supervisor = Supervisor::builder().manager(manager("short", SECOND)).build()?;
        let bound = || *supervisor.shared.shutdown_bound.borrow();
        // Its grace period and a join timeout; loads and listeners have one more each.
        assert_eq!(bound(), Some(4 * SECOND));
        supervisor.add(manager("long", 60 * SECOND)).await?;
        assert_eq!(bound(), Some(63 * SECOND));
        supervisor.remove("long").await?;
        assert_eq!(bound(), Some(4 * SECOND));
        supervisor.remove("short").await?;
        assert_eq!(bound(), Some(2 * SECOND));
        Ok(())
    }
}

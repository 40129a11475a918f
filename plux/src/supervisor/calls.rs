//! The supervisor as its users hold it: every call is one message and one answer.

use std::pin::pin;
use std::sync::{Arc, Weak};

use futures::future::{Either, select};
use tokio::sync::oneshot;

use crate::error::{HandleError, Near, RestartError, StartError, StopError};
use crate::handle::Handle;
use crate::name::Name;
use crate::origin::Origin;
use crate::place::Place;
use crate::service::ServiceContext;
use crate::state::ServiceState;

use super::core::{Index, Input};
use super::report::{RestartReport, ShutdownReport, StartOutcome, StartReport, StopReport};
use super::shell::{Caller, Child, Mail, Meant, Owner, Shared, Told, published};
use super::status::{Seen, ServiceStatus};

/// Starts, watches and stops services by name. Clones are the same supervisor.
///
/// Every call that waits belongs to the supervisor once it was polled: dropping its future changes
/// nothing but that nobody hears the answer. Dropping the last clone begins a shutdown.
///
/// # Panics
/// The first call that asks for something to be done, also one that does not wait, must be made
/// inside a tokio runtime; it panics otherwise, and nothing has changed.
///
/// ```
/// use plux::{PluginManager, Supervisor};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let services = PluginManager::<dyn plux::FnService>::builder(()).build();
/// let supervisor = Supervisor::builder().manager(services).build()?;
/// let report = supervisor.shutdown().await?;
/// assert!(report.is_clean());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Supervisor {
    pub(crate) shared: Arc<Shared>,
    /// The end of the last one begins a shutdown.
    pub(super) _owner: Arc<Owner>,
}

/// A supervisor that is not kept alive by this.
#[derive(Clone)]
pub struct WeakSupervisor {
    pub(super) shared: Weak<Shared>,
}

impl WeakSupervisor {
    /// The supervisor, while somebody else owns it.
    pub fn upgrade(&self) -> Option<Supervisor> {
        let shared = self.shared.upgrade()?;
        let owner = shared.owner.upgrade()?;
        Some(Supervisor { shared, _owner: owner })
    }
}

impl ServiceContext {
    /// The supervisor that runs the service: a reference that keeps nothing alive. Asking it to
    /// stop or restart this service is fine ([`Supervisor::request_stop`]); waiting for that from
    /// within is an error.
    pub fn supervisor(&self) -> WeakSupervisor {
        let link: Arc<dyn std::any::Any + Send + Sync> = Arc::clone(&self.run.link) as _;
        let shared = link.downcast::<Child>().map_or_else(|_| Weak::new(), |c| c.shared.clone());
        WeakSupervisor { shared }
    }
}

impl Supervisor {
    /// Starts the service and all that it requires, and returns when it is ready. Concurrent callers
    /// share one attempt and its outcome. When a member of its closure fails, what the call began
    /// is stopped again before it answers.
    ///
    /// # Errors
    /// [`StartError`] names who failed, where that was registered, and why. A service that would have to end
    /// first is told so: it stops, and what it starts waits for that, or it is restarted in one group with
    /// one that completed.
    pub async fn start(&self, name: &str) -> Result<StartOutcome, StartError> {
        let service = self.usable(name)?;
        Ok(self.up(&service, |service, caller| Input::Start { service, caller }).await?.0)
    }

    /// Starts every service, concurrently; one that fails stops no other. One that is removed meanwhile
    /// is not in the report.
    pub async fn start_all(&self) -> StartReport {
        let mut all: Vec<_> = {
            let roster = self.shared.roster.read();
            let problem = |service: &Meant| roster.graph().problem(service.place).cloned();
            let all = roster.all().map(Meant::new);
            all.map(|service| (problem(&service), service)).collect()
        };
        all.sort_by(|(_, one), (_, other)| one.name.cmp(&other.name));
        let asks = self.asks();
        let calls: Vec<_> = all
            .into_iter()
            .map(|(problem, service)| {
                let started = match problem {
                    Some(problem) => Err(StartError::Graph(problem)),
                    None => {
                        let input = |service, caller| Input::Start { service, caller };
                        Ok(self.send(&service, asks, input))
                    }
                };
                (service, started)
            })
            .collect();
        let mut rows = Vec::with_capacity(calls.len());
        for (service, started) in calls {
            let outcome = match started {
                Err(error) => Err(error),
                Ok(answer) => match self.hear(&service, asks, true, answer).await {
                    Some(Told::Start(Ok((how, _)))) => Ok(how),
                    Some(Told::Start(Err(error))) => Err(*error),
                    Some(Told::OwnEnd(whose)) => Err(start_own_end(*whose)),
                    Some(_) => continue,
                    None => Err(StartError::Shutdown { name: service.name.clone() }),
                },
            };
            rows.push((service.name, outcome));
        }
        StartReport { rows }
    }

    /// Stops the service, and before it everything that requires it; returns when all have ended.
    /// What does not run is left as it is. After a shutdown there is nothing to stop, and the answer has
    /// no rows; the shutdown's report says what leaked.
    ///
    /// # Errors
    /// [`StopError`]: unknown, or the service calls it on itself or on what it requires, whatever its
    /// reaction (while it stops, also on what it wants or comes after), or one of them could not be ended.
    pub async fn stop(&self, name: &str) -> Result<StopReport, StopError> {
        let service = self.known(name).map_err(stop_unknown)?;
        let input = |service, caller| Input::Stop { service, caller };
        self.stopped(name, self.ask(&service, input).await)
    }

    /// Stops a service that nobody uses: the same as [`Supervisor::stop`], unless what requires it, directly
    /// or through others, would have to stop too. Cancel safe: the stop goes on.
    ///
    /// # Errors
    /// [`StopError::InUse`] names those; and the errors of [`Supervisor::stop`].
    pub async fn stop_unused(&self, name: &str) -> Result<StopReport, StopError> {
        let service = self.known(name).map_err(stop_unknown)?;
        let input = |service, caller| Input::StopUnused { service, caller };
        self.stopped(name, self.ask(&service, input).await)
    }

    fn stopped(&self, name: &str, told: Option<Told>) -> Result<StopReport, StopError> {
        match told {
            Some(Told::Stop(outcome)) => outcome.map_err(|error| *error),
            Some(Told::OwnEnd(whose)) => Err(stop_own_end(*whose)),
            Some(_) => Err(stop_unknown(self.unknown(name))),
            None => Ok(StopReport { rows: Vec::new() }),
        }
    }

    /// Asks for a stop and does not wait for it; a service may ask for its own.
    ///
    /// # Errors
    /// [`StopError::Unknown`].
    pub fn request_stop(&self, name: &str) -> Result<(), StopError> {
        let service = self.known(name).map_err(stop_unknown)?;
        drop(self.send(&service, None, |service, caller| Input::Stop { service, caller }));
        Ok(())
    }

    /// Stops the service and what requires it, and starts it again; returns when it is ready. The
    /// dependents begin as soon as it is. A service that does not run is started.
    ///
    /// # Errors
    /// [`RestartError`]: the start failed, or the service that calls it would have to end for it: it is the
    /// one, requires it and is not [kept](crate::Reaction::Keep), or is restarted with it in a
    /// [group](crate::Group), or it stops and the restart waits for that.
    pub async fn restart(&self, name: &str) -> Result<RestartReport, RestartError> {
        let service = self.usable(name)?;
        match self.up(&service, |service, caller| Input::Restart { service, caller }).await {
            Ok((_, dependents)) => Ok(RestartReport { dependents }),
            Err(StartError::OwnEnd { name, origin }) => Err(RestartError::OwnEnd { name, origin }),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks for a restart and does not wait for it; a service may ask for its own.
    ///
    /// # Errors
    /// [`RestartError`]: unknown or unusable.
    pub fn request_restart(&self, name: &str) -> Result<(), RestartError> {
        let service = self.usable(name)?;
        drop(self.send(&service, None, |service, caller| Input::Restart { service, caller }));
        Ok(())
    }

    /// Stops everything, dependents first, each within its grace period, and returns when nothing of
    /// the supervisor's runs any more. Callers share one shutdown and one report.
    ///
    /// # Errors
    /// [`StopError::OwnEnd`] when a service waits for it; see [`Supervisor::request_shutdown`].
    pub async fn shutdown(&self) -> Result<ShutdownReport, StopError> {
        if let Some(asks) = self.asks()
            && let Some(child) = self.shared.child(asks)
        {
            let (name, origin) = (child.spec.name().clone(), child.spec.origin());
            return Err(StopError::OwnEnd { name, origin });
        }
        self.shared.send(Mail::Input(Input::Shutdown));
        Ok(self.shared.report.wait().await.clone())
    }

    /// Waits until a shutdown has begun, by whomever. Cancel safe.
    pub(crate) async fn shutting_down(&self) {
        self.shared.shutting_down.wait().await;
    }

    /// Begins the shutdown and does not wait for it; a service may ask for it.
    pub fn request_shutdown(&self) {
        self.shared.send(Mail::Input(Input::Shutdown));
    }

    /// Ends everything at once, in no order, and shuts down. Does not wait:
    /// [`Supervisor::shutdown`] does.
    pub fn abort_now(&self) {
        self.shared.send(Mail::Input(Input::AbortNow));
    }

    /// Waits until the service neither runs nor is about to, and tells where it stands then.
    /// Cancel safe.
    ///
    /// # Errors
    /// [`StopError`]: unknown, or a service waits for its own end, or, while it stops, for the end of what
    /// it depends on.
    pub async fn wait(&self, name: &str) -> Result<ServiceState, StopError> {
        let service = self.known(name).map_err(stop_unknown)?;
        match self.ask(&service, |service, caller| Input::Wait { service, caller }).await {
            Some(Told::State(state)) => Ok(state),
            Some(Told::OwnEnd(whose)) => Err(stop_own_end(*whose)),
            None => Ok(service.stands()),
            Some(_) => Err(stop_unknown(self.unknown(name))),
        }
    }

    /// The service as it stands; never waits.
    pub fn status(&self, name: &str) -> Option<ServiceStatus> {
        let seen = Seen::of(self.shared.roster.read().find(name)?.1);
        Some(seen.status())
    }

    /// All services as they stand, in name order; never waits.
    pub fn list(&self) -> Vec<ServiceStatus> {
        let seen: Vec<_> = self.shared.roster.read().all().map(|child| Seen::of(child)).collect();
        let mut list: Vec<_> = seen.into_iter().map(Seen::status).collect();
        list.sort_by(|one, other| one.id.name.cmp(&other.id.name));
        list
    }

    /// A handle of what the service has published.
    ///
    /// # Errors
    /// [`HandleError`]: unknown, not ready, published as another type, or its run has just ended.
    pub fn handle<T: Send + Sync + 'static>(&self, name: &str) -> Result<Handle<T>, HandleError> {
        let found = {
            let roster = self.shared.roster.read();
            roster
                .find(name)
                .map(|(_, child)| (child.run(), child.spec.name().clone(), child.spec.origin()))
        };
        let (run, name, origin) = found.ok_or_else(|| {
            let (name, near) = self.unknown(name);
            HandleError::Unknown { name, near }
        })?;
        Handle::new(published(run).ok_or(HandleError::NotReady { name, origin })?)
    }

    /// A reference that does not keep the supervisor running.
    pub fn downgrade(&self) -> WeakSupervisor {
        WeakSupervisor { shared: Arc::downgrade(&self.shared) }
    }

    fn send(
        &self,
        about: &Meant,
        asks: Option<Index>,
        input: impl FnOnce(Index, Caller) -> Input<Caller>,
    ) -> oneshot::Receiver<Told> {
        let (caller, answer) = Caller::new(about, asks);
        self.shared.send(Mail::Input(input(about.place, caller)));
        answer
    }

    /// The answer, or `None` when the supervisor is shut down.
    pub(super) async fn ask(
        &self,
        about: &Meant,
        input: impl FnOnce(Index, Caller) -> Input<Caller>,
    ) -> Option<Told> {
        let asks = self.asks();
        let answer = self.send(about, asks, input);
        self.hear(about, asks, false, answer).await
    }

    /// The answer that comes there. A service that is told to stop meanwhile hears of it when the answer
    /// waits for that.
    async fn hear(
        &self,
        about: &Meant,
        asks: Option<Index>,
        up: bool,
        answer: oneshot::Receiver<Told>,
    ) -> Option<Told> {
        let Some(run) = asks.and_then(|asks| self.shared.child(asks)?.run()) else {
            return answer.await.ok();
        };
        let answer = match select(answer, pin!(run.stopping())).await {
            Either::Left((told, _)) => return told.ok(),
            Either::Right((_, answer)) => answer,
        };
        let (caller, in_vain) = Caller::new(about, asks);
        self.shared.send(Mail::InVain { caller, up });
        match select(answer, in_vain).await {
            Either::Left((told, _)) => told.ok(),
            Either::Right((Ok(told), _)) => Some(told),
            Either::Right((Err(_), answer)) => answer.await.ok(),
        }
    }

    /// The outcome of a start, or a restart.
    async fn up(
        &self,
        service: &Meant,
        input: impl FnOnce(Index, Caller) -> Input<Caller>,
    ) -> Result<(StartOutcome, Vec<Name>), StartError> {
        let asks = self.asks();
        let answer = self.send(service, asks, input);
        match self.hear(service, asks, true, answer).await {
            Some(Told::Start(outcome)) => outcome.map_err(|error| *error),
            Some(Told::OwnEnd(whose)) => Err(start_own_end(*whose)),
            Some(_) => {
                let (name, near) = self.unknown(service.name.as_str());
                Err(StartError::Unknown { name, near })
            }
            None => Err(StartError::Shutdown { name: service.name.clone() }),
        }
    }

    pub(super) fn known(&self, name: &str) -> Result<Meant, (String, Near)> {
        let found = self.shared.roster.read().find(name).map(|(_, child)| Meant::new(child));
        found.ok_or_else(|| self.unknown(name))
    }

    pub(super) fn unknown(&self, name: &str) -> (String, Near) {
        (name.to_owned(), self.shared.roster.read().near(name))
    }

    pub(super) fn usable(&self, name: &str) -> Result<Meant, StartError> {
        let roster = self.shared.roster.read();
        let Some((place, child)) = roster.find(name) else {
            return Err(StartError::Unknown { name: name.to_owned(), near: roster.near(name) });
        };
        match roster.graph().problem(place) {
            Some(problem) => Err(StartError::Graph(Arc::clone(problem))),
            None => Ok(Meant::new(child)),
        }
    }

    /// The service of this supervisor that is being polled here, or in which another is, if one is.
    fn asks(&self) -> Option<Index> {
        self.shared.whose(Place::current()?)
    }
}

fn start_own_end((name, origin): (Name, Origin)) -> StartError {
    StartError::OwnEnd { name, origin }
}

fn stop_own_end((name, origin): (Name, Origin)) -> StopError {
    StopError::OwnEnd { name, origin }
}

fn stop_unknown((name, near): (String, Near)) -> StopError {
    StopError::Unknown { name, near }
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let states: Vec<_> = {
            let roster = self.shared.roster.read();
            roster.all().map(|child| (child.spec.name().clone(), child.stands())).collect()
        };
        f.debug_map().entries(states).finish()
    }
}

impl std::fmt::Debug for WeakSupervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WeakSupervisor")
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use async_trait::async_trait;
    use futures::FutureExt;

    use super::*;
    use crate::error::BoxError;
    use crate::finder::ListFinder;
    use crate::function::FnService;
    use crate::manager::PluginManager;
    use crate::name::Namespace;
    use crate::service::Service;
    use crate::spec::PluginSpec;

    struct Hangs;

    #[async_trait]
    impl FnService for Hangs {
        async fn load(&self, (): &()) -> Result<Arc<dyn Service>, BoxError> {
            pending().await
        }
    }

    #[tokio::test]
    async fn c06_a_wait_that_was_given_up_takes_no_memory_for_long() -> Result<(), BoxError> {
        let make = || Ok(Arc::new(Hangs) as Arc<dyn FnService>);
        let spec = PluginSpec::new(Namespace::literal("plux.services"), Name::literal("a"), make);
        let finder = ListFinder::new([spec]);
        let manager = PluginManager::<dyn FnService>::builder(()).finder(finder).build();
        let supervisor = Supervisor::builder().manager(manager).build()?;
        assert!(supervisor.start("a").now_or_never().is_none());
        let mut waits = Box::pin(supervisor.wait("a"));
        assert!(waits.as_mut().now_or_never().is_none());
        let child = supervisor.shared.child(0).ok_or("it is there")?;
        for _ in 0..1_000 {
            assert!(supervisor.wait("a").now_or_never().is_none());
            tokio::task::yield_now().await;
            let callers = Arc::weak_count(&child);
            assert!(callers < 30, "{callers} are kept");
        }
        supervisor.stop("a").await?;
        assert!(waits.now_or_never().is_some(), "who has not given up is answered");
        Ok(())
    }
}

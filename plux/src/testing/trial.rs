//! A service that is tested, from its start to what it leaves.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime;
use tokio::time::{Instant, sleep};

use super::finding::Finding;
use super::record::Fact;
use super::recorder::Recorder;
use super::stand_in::StandIn;
use super::watched::Ends;
use crate::error::{Exit, HandleError, RestartError, ServiceFailure, StartError, StopError};
use crate::event::EventKind;
use crate::handle::Handle;
use crate::options::{GracePeriod, ServiceOptions, StartTimeout};
use crate::restart::Reaction;
use crate::state::ServiceState;
use crate::supervisor::Supervisor;

/// What is waited for at most where a service has no limit of its own.
pub(super) const LONG: Duration = Duration::from_secs(3600);

const MOMENT: Duration = Duration::from_millis(1);

/// What a trial knows of its service.
pub(super) struct Setting {
    pub(super) name: Arc<str>,
    pub(super) options: ServiceOptions,
    pub(super) edges: Vec<(StandIn, Reaction)>,
    pub(super) publishes: fn(&Trial) -> Result<(), Finding>,
}

/// A tested service that has been started; made by [`ServiceTest::start`](super::ServiceTest::start).
/// End it with [`finish`](Self::finish).
#[must_use]
pub struct Trial {
    setting: Setting,
    supervisor: Supervisor,
    recorder: Recorder,
    ends: Ends,
    tasks_before: usize,
}

impl Trial {
    pub(super) async fn begin(
        setting: Setting,
        supervisor: Supervisor,
        recorder: Recorder,
        ends: Ends,
    ) -> Result<Self, Finding> {
        let tasks_before = tasks();
        let trial = Self { setting, supervisor, recorder, ends, tasks_before };
        trial.start_again().await?;
        Ok(trial)
    }

    /// The supervisor that runs it.
    pub fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// What the supervisor said.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// What the service has published.
    ///
    /// # Errors
    /// [`Finding::PublishedNothing`], [`Finding::PublishedOther`], or that it does not run.
    pub fn handle<T: Send + Sync + 'static>(&self) -> Result<Handle<T>, Finding> {
        let name = Arc::clone(&self.setting.name);
        self.supervisor.handle::<T>(&name).map_err(|error| match error {
            HandleError::Type { published: "()", expected, .. } => {
                Finding::PublishedNothing { name, expected }
            }
            HandleError::Type { published, expected, .. } => {
                Finding::PublishedOther { name, published, expected }
            }
            other => Finding::Handle(other),
        })
    }

    /// Starts it, if it does not run.
    ///
    /// # Errors
    /// [`Finding`]: it did not become ready in its time, or has published what it should not.
    pub async fn start_again(&self) -> Result<(), Finding> {
        if let Err(error) = self.supervisor.start(&self.setting.name).await {
            return Err(self.not_started(error));
        }
        (self.setting.publishes)(self)
    }

    /// Stops it.
    ///
    /// # Errors
    /// [`Finding`]: it did not run any more, or did not end well within its grace period.
    pub async fn stop(&self) -> Result<(), Finding> {
        let incarnation = self.running()?;
        let name = &self.setting.name;
        match self.supervisor.stop(name).await {
            Ok(_) => self.ended_well(incarnation).await,
            Err(StopError::Leaked { .. }) => Err(Finding::CanNotBeEnded { name: Arc::clone(name) }),
            Err(other) => Err(Finding::Stop(other)),
        }
    }

    /// Restarts it.
    ///
    /// # Errors
    /// [`Finding`]: it did not run any more, did not end well within its grace period, or did not become
    /// ready again in its time.
    pub async fn restart(&self) -> Result<(), Finding> {
        let incarnation = self.running()?;
        match self.supervisor.restart(&self.setting.name).await {
            Ok(_) => {}
            Err(RestartError::Start(error)) => return Err(self.not_started(error)),
            Err(other) => return Err(Finding::Restart(other)),
        }
        self.ended_well(incarnation).await?;
        (self.setting.publishes)(self)
    }

    /// Restarts it, and looks whether it begins anew: `state` of what a fresh run has published must be
    /// what it was before `used` did something with it.
    ///
    /// # Errors
    /// [`Finding::NotFresh`], or what is wrong with the restart, or with what it publishes.
    pub async fn restart_fresh<T, S>(
        &self,
        used: impl Fn(&T),
        state: impl Fn(&T) -> S,
    ) -> Result<(), Finding>
    where
        T: Send + Sync + 'static,
        S: PartialEq + fmt::Debug,
    {
        self.restart().await?;
        let first = {
            let published = self.handle::<T>()?.get().map_err(Finding::Handle)?;
            let first = state(&published);
            used(&published);
            first
        };
        self.restart().await?;
        let again = state(&*self.handle::<T>()?.get().map_err(Finding::Handle)?);
        if first == again {
            return Ok(());
        }
        let (first, again) = (format!("{first:?}"), format!("{again:?}"));
        Err(Finding::NotFresh { name: Arc::clone(&self.setting.name), first, again })
    }

    /// Has what stands in for `dependency` fail and come back at once, and waits until the service has
    /// done what its edge says: it is back, or stopped, or has gone on.
    ///
    /// # Errors
    /// [`Finding`]: it did something else, or did not end well within its grace period.
    pub async fn lose(&self, dependency: &str) -> Result<(), Finding> {
        let incarnation = self.running()?;
        let name = &self.setting.name;
        let lost = self.setting.edges.iter().find(|edge| edge.0.to_string() == dependency);
        let Some((stand_in, reaction)) = lost else {
            let (name, dependency) = (Arc::clone(name), dependency.to_owned());
            return Err(Finding::NotADependency { name, dependency });
        };
        let back = |incarnation| {
            move |run: (u32, ServiceState)| {
                run.0 > incarnation && matches!(run.1, ServiceState::Running)
            }
        };
        let other = stand_in.name.as_str();
        let before = self.state_of(other).0;
        stand_in.lose();
        self.reaches(other, back(before)).await;
        let reacted = match reaction {
            Reaction::Restart => self.reaches(name, back(incarnation)).await,
            Reaction::Stop => {
                self.reaches(name, |run| matches!(run.1, ServiceState::Stopped(_))).await
            }
            Reaction::Keep => {
                sleep(MOMENT).await;
                let (run, state) = self.state_of(name);
                run == incarnation && matches!(state, ServiceState::Running)
            }
        };
        if *reaction != Reaction::Keep {
            self.ended_well(incarnation).await?;
        }
        if reacted {
            return Ok(());
        }
        let state = self.state_of(name).1;
        let (name, dependency, reaction) = (Arc::clone(name), dependency.to_owned(), *reaction);
        Err(Finding::DidNotReact { name, dependency, reaction, state, after: self.patience() })
    }

    /// Stops everything, and looks at what is left.
    ///
    /// # Errors
    /// [`Finding`]: the service did not run any more, did not end well within its grace period, or has
    /// left tasks. A service that was stopped before is not expected to run.
    pub async fn finish(self) -> Result<(), Finding> {
        let live = match self.state_of(&self.setting.name).1 {
            ServiceState::Stopped(_) => None,
            _ => Some(self.running()?),
        };
        self.supervisor.shutdown().await.map_err(Finding::Stop)?;
        if let Some(incarnation) = live {
            self.ended_well(incarnation).await?;
        }
        let Self { setting, supervisor, tasks_before, .. } = self;
        drop(supervisor);
        // Whatever is about to end, ends.
        sleep(MOMENT).await;
        match tasks().saturating_sub(tasks_before) {
            0 => Ok(()),
            tasks => Err(Finding::LeakedTasks { name: setting.name, tasks }),
        }
    }

    /// The number of its run, and its state.
    fn state_of(&self, name: &str) -> (u32, ServiceState) {
        match self.supervisor.status(name) {
            Some(status) => (status.incarnation, status.state),
            None => unreachable!("the supervisor was built with it"),
        }
    }

    /// The number of its run, which has to go on.
    fn running(&self) -> Result<u32, Finding> {
        match self.state_of(&self.setting.name) {
            (incarnation, ServiceState::Running) => Ok(incarnation),
            (_, state) => Err(Finding::Gone { name: Arc::clone(&self.setting.name), state }),
        }
    }

    /// Waits until a service is so, for as long as it may take at most.
    async fn reaches(&self, name: &str, so: impl Fn((u32, ServiceState)) -> bool) -> bool {
        let end = Instant::now() + self.patience();
        while !so(self.state_of(name)) {
            if Instant::now() >= end {
                return false;
            }
            sleep(MOMENT).await;
        }
        true
    }

    /// What it may take the service to stop and to become ready again.
    fn patience(&self) -> Duration {
        let options = &self.setting.options;
        let grace = match options.grace_period {
            Some(GracePeriod::Bounded(time)) => time,
            Some(GracePeriod::Unlimited) => LONG,
            None => Duration::from_secs(10),
        };
        let start = match options.start_timeout {
            Some(StartTimeout::Bounded(time)) => time,
            Some(StartTimeout::Unlimited) => LONG,
            None => Duration::from_secs(30),
        };
        grace.saturating_add(start).saturating_add(Duration::from_secs(2)).min(2 * LONG)
    }

    /// What is wrong with the end of a run that was told to stop.
    async fn ended_well(&self, incarnation: u32) -> Result<(), Finding> {
        // The recorder hears a moment later.
        sleep(MOMENT).await;
        let name = Arc::clone(&self.setting.name);
        let Some(end) = self.ends.lock().get(&incarnation).cloned() else {
            return Err(Finding::CanNotBeEnded { name });
        };
        let failed = self.recorder.entries().into_iter().find_map(|entry| match entry.fact {
            Fact::Heard(EventKind::StopFailed { exit, incarnation: run })
                if run == incarnation && entry.who == Some(Arc::clone(&name)) =>
            {
                Some(exit)
            }
            _ => None,
        });
        let at_once = Some(GracePeriod::Bounded(Duration::ZERO));
        match (end.in_destructor, failed) {
            (Some(panic), _) => Err(Finding::PanickedInDestructor { name, incarnation, panic }),
            (None, None) => Ok(()),
            (None, Some(Exit::Aborted)) if self.setting.options.grace_period == at_once => Ok(()),
            (None, Some(Exit::Aborted)) if end.returned => {
                Err(Finding::TaskIgnoresStop { name, incarnation })
            }
            (None, Some(Exit::Aborted)) => Err(Finding::IgnoresStop { name, incarnation }),
            (None, Some(exit)) => Err(Finding::FailedToStop { name, incarnation, exit }),
        }
    }

    /// What is wrong with a start.
    fn not_started(&self, error: StartError) -> Finding {
        let name = Arc::clone(&self.setting.name);
        let incarnation = self.state_of(&name).0;
        let (culprit, failure) = match error {
            StartError::Disabled { reason, .. } => return Finding::Disabled { name, reason },
            StartError::Failed { ref culprit, ref source, .. } => (culprit, source),
            other => return Finding::Start(other),
        };
        match &**failure {
            _ if culprit.as_str() != &*name => Finding::Start(error),
            ServiceFailure::StartTimeout { timeout, reached } => {
                let (timeout, reached) = (*timeout, *reached);
                Finding::NeverReady { name, incarnation, timeout, reached }
            }
            ServiceFailure::BeforeReady(exit) => {
                Finding::EndedBeforeReady { name, incarnation, exit: exit.clone() }
            }
            ServiceFailure::Load(source) => Finding::NotLoaded { name, source: source.clone() },
            _ => Finding::Start(error),
        }
    }
}

/// How many tasks there are on this runtime.
fn tasks() -> usize {
    runtime::Handle::current().metrics().num_alive_tasks()
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Trial").field(&self.supervisor).finish()
    }
}

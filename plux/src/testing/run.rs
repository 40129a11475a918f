//! A supervisor of probes, driven by commands that are recorded with their answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::answer::{of_restart, of_start, of_stop};
use super::probe::Probe;
use super::record::{Fact, Reply};
use super::recorder::Recorder;
use super::trace::{Config, EdgeConfig, ServiceConfig, Trace};
use super::words::{Answer, Command, EdgeKind, EdgeReaction, Grace};
use crate::error::BuildError;
use crate::group::Group;
use crate::options::{GracePeriod, ServiceOptions};
use crate::restart::{Backoff, GiveUp, Intensity, Reaction, RestartPolicy};
use crate::spec::{Dependency, DependencyKind};
use crate::supervisor::{Supervisor, SupervisorBuilder};

const SECOND: Duration = Duration::from_secs(1);

/// A supervisor of probes whose run is recorded as a [`Trace`]. Clones drive the same supervisor.
///
/// What a probe leaves open is set to plux's defaults, but for the jitter of delays, of which there is
/// none: on a paused clock the same commands make the same trace.
///
/// ```
/// use plux::testing::{Probe, RecordedRun};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), plux::BoxError> {
/// let run = RecordedRun::of([Probe::new("db"), Probe::new("api").requires("db")])?;
/// run.start("api").await;
/// let reply = run.stop("db").await;
/// assert_eq!(reply.to_string(), "done [api, db]");
/// let trace = run.end().await;
/// print!("{trace}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RecordedRun {
    supervisor: Supervisor,
    recorder: Recorder,
    given: Arc<Given>,
}

struct Given {
    config: Config,
    asked: AtomicU64,
    answered: AtomicU64,
    /// Whenever a reply was recorded.
    replied: Notify,
}

impl RecordedRun {
    /// Of these probes, without a group.
    ///
    /// # Errors
    /// [`BuildError`], as of the builder.
    pub fn of(probes: impl IntoIterator<Item = Probe>) -> Result<Self, BuildError> {
        Self::with(probes, [], |builder| builder)
    }

    /// Of these probes; those that `group` names are one for all. `set` may set what is the
    /// supervisor's, as its timeouts and the cap on restarts; what is a service's is the probe's.
    ///
    /// # Errors
    /// [`BuildError`], as of the builder.
    pub fn with<'a>(
        probes: impl IntoIterator<Item = Probe>,
        group: impl IntoIterator<Item = &'a str>,
        set: impl FnOnce(SupervisorBuilder) -> SupervisorBuilder,
    ) -> Result<Self, BuildError> {
        let recorder = Recorder::new();
        let mut config = Config::default();
        let probes: Vec<_> = probes.into_iter().map(|probe| filled(probe, &mut config)).collect();
        config.group = group.into_iter().map(Arc::from).collect();
        let mut builder = Supervisor::builder()
            .manager(Probe::manager(probes, &recorder))
            .listener(recorder.clone());
        if !config.group.is_empty() {
            let members = config.group.iter().map(|name| name.to_string());
            builder = builder.group(Group::one_for_all("group", members));
        }
        let supervisor = set(builder).build()?;
        let (asked, answered, replied) = Default::default();
        let given = Arc::new(Given { config, asked, answered, replied });
        Ok(Self { supervisor, recorder, given })
    }

    /// The supervisor. What is asked of it directly is not in the record, what comes of it is.
    pub fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// The record.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Starts a service.
    pub async fn start(&self, name: &str) -> Reply {
        let id = self.ask(Command::Start, Some(name));
        let outcome = self.supervisor.start(name).await;
        self.answer(of_start(id, name, outcome))
    }

    /// Stops a service.
    pub async fn stop(&self, name: &str) -> Reply {
        let id = self.ask(Command::Stop, Some(name));
        let outcome = self.supervisor.stop(name).await;
        self.answer(of_stop(id, name, outcome))
    }

    /// Stops a service that nobody uses.
    pub async fn stop_unused(&self, name: &str) -> Reply {
        let id = self.ask(Command::StopUnused, Some(name));
        let outcome = self.supervisor.stop_unused(name).await;
        self.answer(of_stop(id, name, outcome))
    }

    /// Restarts a service.
    pub async fn restart(&self, name: &str) -> Reply {
        let id = self.ask(Command::Restart, Some(name));
        let outcome = self.supervisor.restart(name).await;
        self.answer(of_restart(id, name, outcome))
    }

    /// Shuts down.
    pub async fn shutdown(&self) -> Reply {
        let id = self.ask(Command::Shutdown, None);
        // Only a service that waits for its own end is refused it.
        let _ = self.supervisor.shutdown().await;
        self.answer(Reply { id, answer: Answer::Done, service: None, stopped: None })
    }

    /// Aborts everything. Does not wait for it.
    pub fn abort_now(&self) -> Reply {
        let id = self.ask(Command::AbortNow, None);
        self.supervisor.abort_now();
        self.answer(Reply { id, answer: Answer::Done, service: None, stopped: None })
    }

    /// Shuts down, waits until every command has its reply, and returns the whole run. A call of
    /// another clone's after that is not in it.
    pub async fn end(self) -> Trace {
        self.shutdown().await;
        let given = &self.given;
        loop {
            let replied = given.replied.notified();
            if given.answered.load(Ordering::SeqCst) == given.asked.load(Ordering::SeqCst) {
                break;
            }
            replied.await;
        }
        self.trace(true)
    }

    /// The run until now, without an end.
    pub fn so_far(&self) -> Trace {
        self.trace(false)
    }

    fn trace(&self, ended: bool) -> Trace {
        Trace::of(self.given.config.clone(), &self.recorder.entries(), ended)
    }

    fn ask(&self, command: Command, service: Option<&str>) -> u64 {
        let id = self.given.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.recorder.write(service.map(Arc::from).as_ref(), Fact::Asked { id, command });
        id
    }

    fn answer(&self, reply: Reply) -> Reply {
        self.recorder.write(None, Fact::Answered(reply.clone()));
        self.given.answered.fetch_add(1, Ordering::SeqCst);
        self.given.replied.notify_waiters();
        reply
    }
}

/// The probe with nothing left open, after it was written into the configuration.
fn filled(probe: Probe, config: &mut Config) -> Probe {
    let (dependencies, options, script) = probe.parts();
    let restart = options.restart.unwrap_or(RestartPolicy::Transient);
    let intensity = options.intensity.unwrap_or(Intensity::new(5, 60 * SECOND));
    let give_up = options.give_up.unwrap_or(GiveUp::Fail);
    let grace = options.grace_period.unwrap_or(GracePeriod::Bounded(10 * SECOND));
    let plain = Backoff::exponential(SECOND / 10, 30 * SECOND).with_jitter(0);
    let backoff = options.backoff.unwrap_or(plain);
    let reaction = options.reaction.unwrap_or(match restart {
        RestartPolicy::Temporary => Reaction::Stop,
        RestartPolicy::Permanent | RestartPolicy::Transient => Reaction::Restart,
    });
    let name: Arc<str> = probe.name().as_str().into();
    config.edges.extend(dependencies.iter().filter_map(|edge| edge_config(&name, reaction, edge)));
    config.services.push(ServiceConfig {
        name,
        restart: restart.into(),
        intensity: intensity.restarts,
        give_up: give_up.into(),
        grace: match grace {
            GracePeriod::Bounded(Duration::ZERO) => Grace::Zero,
            GracePeriod::Bounded(_) => Grace::Some,
            GracePeriod::Unlimited => Grace::Unlimited,
        },
        zero_delay: backoff.longest(u32::MAX).is_zero(),
        disabled: script.is_disabled(),
    });
    let options = ServiceOptions {
        restart: Some(restart),
        intensity: Some(intensity),
        give_up: Some(give_up),
        grace_period: Some(grace),
        backoff: Some(backoff),
        reaction: Some(reaction),
        ..options
    };
    probe.options(options)
}

/// The form has no word for an edge that only orders.
fn edge_config(name: &Arc<str>, own: Reaction, edge: &Dependency) -> Option<EdgeConfig> {
    let (kind, reaction) = match edge.kind {
        DependencyKind::Requires => (EdgeKind::Requires, edge.reaction.unwrap_or(own).into()),
        DependencyKind::Wants => (EdgeKind::Wants, EdgeReaction::Keep),
        DependencyKind::After => return None,
    };
    let (dependant, dependency) = (Arc::clone(name), edge.name.as_str().into());
    Some(EdgeConfig { dependant, dependency, kind, reaction })
}

impl std::fmt::Debug for RecordedRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RecordedRun").field(&self.recorder).finish()
    }
}

//! A recorded run as data: what each line says.

use std::sync::Arc;

use super::record::{Entry, Fact, Reply};
use super::words::{
    Command, EdgeKind, EdgeReaction, Grace, Moved, Outcome, Policy, Reason, WhenSpent,
};
use crate::error::ServiceFailure;
use crate::event::EventKind;
use crate::state::ServiceState;

/// A recorded run of a supervisor: its lines in the order in which they were recorded, the
/// configuration first. [`Display`](std::fmt::Display) writes it, and [`Trace::read`] reads it, as one
/// JSON object a line.
///
/// ```
/// use plux::testing::Trace;
///
/// let text = r#"{"at":0,"event":"config","services":[],"edges":[],"group":[]}
/// {"at":5,"event":"end"}
/// "#;
/// let trace = Trace::read(text)?;
/// assert_eq!(trace.lines.len(), 2);
/// assert_eq!(trace.to_string(), text);
/// # Ok::<(), plux::testing::ReadError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// The lines.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When, in milliseconds from the beginning of the record. It orders nothing: the lines are in order.
    pub at: u64,
    /// What it says.
    pub says: Says,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Says {
    /// What there is, and how it is configured. The first line.
    Config(Config),
    /// A command is about to be given.
    Command {
        /// The command's number, unique in the run.
        id: u64,
        /// Which.
        command: Command,
        /// The service it is about, if it is about one.
        service: Option<Arc<str>>,
    },
    /// A command was answered.
    Reply(Reply),
    /// A service moved to another state.
    State {
        /// The service.
        service: Arc<str>,
        /// The state.
        state: Moved,
        /// The number of the run that this is about; 0 before the first.
        incarnation: u32,
        /// Why, of one that stops, has stopped or has failed.
        reason: Option<Reason>,
    },
    /// A run of a scripted service is over, with all that it held.
    Ended {
        /// The service.
        service: Arc<str>,
        /// The number of the run.
        incarnation: u32,
        /// How it ended.
        outcome: Outcome,
    },
    /// Every command has its reply, and nothing is under way any more. The last line.
    End,
}

/// What a recorded supervisor was made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The services, in the order in which they were given.
    pub services: Vec<ServiceConfig>,
    /// Who depends on whom.
    pub edges: Vec<EdgeConfig>,
    /// The members of the group that is one for all, if there is one.
    pub group: Vec<Arc<str>>,
}

/// How one service was configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceConfig {
    /// Its name.
    pub name: Arc<str>,
    /// After which ends it is started again.
    pub restart: Policy,
    /// How many restarts it may need within its period.
    pub intensity: u32,
    /// What becomes of it when it needs more.
    pub give_up: WhenSpent,
    /// How long it may take to stop.
    pub grace: Grace,
    /// Whether a restart waits for nothing.
    pub zero_delay: bool,
    /// Whether its plugin answers its first load with a refusal.
    pub disabled: bool,
}

/// One edge of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeConfig {
    /// Who depends.
    pub dependant: Arc<str>,
    /// On whom.
    pub dependency: Arc<str>,
    /// How.
    pub kind: EdgeKind,
    /// What the other's end does to the dependant.
    pub reaction: EdgeReaction,
}

impl Trace {
    /// The lines that entries make; what a trace has no line for is left out.
    pub(super) fn of(config: Config, entries: &[Entry], ended: bool) -> Self {
        let mut lines = vec![Line { at: 0, says: Says::Config(config) }];
        lines.extend(entries.iter().filter_map(line));
        if ended {
            let at = entries.last().map_or(0, millis);
            lines.push(Line { at, says: Says::End });
        }
        Self { lines }
    }
}

fn millis(entry: &Entry) -> u64 {
    u64::try_from(entry.at.as_millis()).unwrap_or(u64::MAX)
}

fn line(entry: &Entry) -> Option<Line> {
    let named = || entry.who.clone().unwrap_or_default();
    let says = match &entry.fact {
        Fact::Asked { id, command } => {
            Says::Command { id: *id, command: *command, service: entry.who.clone() }
        }
        Fact::Answered(reply) => Says::Reply(reply.clone()),
        Fact::Heard(EventKind::Service { state, incarnation }) => {
            let (state, reason) = moved(state);
            Says::State { service: named(), state, incarnation: *incarnation, reason }
        }
        Fact::Dropped { incarnation, outcome } => {
            Says::Ended { service: named(), incarnation: *incarnation, outcome: *outcome }
        }
        Fact::Heard(_)
        | Fact::Called { .. }
        | Fact::Begun { .. }
        | Fact::Ready { .. }
        | Fact::ToldToStop { .. }
        | Fact::Ended { .. }
        | Fact::TaskBegun { .. }
        | Fact::TaskDropped { .. }
        | Fact::Note(_) => return None,
    };
    Some(Line { at: millis(entry), says })
}

/// The word of a state, and its reason. The form has no word for a service that is disabled: its start
/// has failed.
fn moved(state: &ServiceState) -> (Moved, Option<Reason>) {
    match state {
        ServiceState::Stopped(why) => (Moved::Stopped, Reason::of_stopped(*why)),
        ServiceState::Waiting => (Moved::Waiting, None),
        ServiceState::Backoff { .. } => (Moved::Backoff, None),
        ServiceState::Starting => (Moved::Starting, None),
        ServiceState::Running => (Moved::Running, None),
        ServiceState::Stopping(reason) => (Moved::Stopping, Some((*reason).into())),
        ServiceState::Failed(failure) => (Moved::Failed, Some(failed(failure))),
        ServiceState::Disabled(_) => (Moved::Failed, Some(Reason::StartFailed)),
    }
}

fn failed(failure: &ServiceFailure) -> Reason {
    match failure {
        ServiceFailure::Load(_)
        | ServiceFailure::BeforeReady(_)
        | ServiceFailure::StartTimeout { .. } => Reason::StartFailed,
        ServiceFailure::Watchdog { .. }
        | ServiceFailure::Unhealthy { .. }
        | ServiceFailure::Exit(_) => Reason::Exit,
        ServiceFailure::GaveUp { again: None, .. } => Reason::GaveUp,
        ServiceFailure::GaveUp { again: Some(_), .. } => Reason::CoolingDown,
        ServiceFailure::Leaked => Reason::Leaked,
    }
}

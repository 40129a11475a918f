//! What was recorded: one fact an entry, in the order in which it was seen.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::step::Seam;
use super::words::{Answer, Command, Outcome};
use crate::event::EventKind;
use crate::reason::StopReason;
use crate::state::ServiceState;

/// One recorded fact.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Entry {
    /// When, counted on tokio's clock from the making of the recorder.
    pub at: Duration,
    /// The service or plugin it is about, or that a command names.
    pub who: Option<Arc<str>>,
    /// What happened.
    pub fact: Fact,
}

/// What a recorder writes down.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fact {
    /// What the supervisor, or a manager, told its listeners.
    Heard(EventKind),
    /// A plugin's factory, `should_load` or `load` was called, for so many times now.
    Called {
        /// Which of them.
        seam: Seam,
        /// The first is 1.
        turn: u32,
    },
    /// A run began.
    Begun {
        /// Its number.
        incarnation: u32,
    },
    /// A run said that it is ready.
    Ready {
        /// Its number.
        incarnation: u32,
    },
    /// A run saw that it is to stop.
    ToldToStop {
        /// Its number.
        incarnation: u32,
        /// Why.
        reason: StopReason,
    },
    /// A run returned, panicked, or is being dropped.
    Ended {
        /// Its number.
        incarnation: u32,
        /// How it ended.
        outcome: Outcome,
    },
    /// All that a run held is gone.
    Dropped {
        /// Its number.
        incarnation: u32,
        /// How it ended, the panic of its destructor included.
        outcome: Outcome,
    },
    /// A task of a run began.
    TaskBegun {
        /// The run's number.
        incarnation: u32,
    },
    /// A task of a run is gone.
    TaskDropped {
        /// The run's number.
        incarnation: u32,
    },
    /// A command is about to be given.
    Asked {
        /// The command's number.
        id: u64,
        /// Which.
        command: Command,
    },
    /// A command was answered.
    Answered(Reply),
    /// What a test wrote.
    Note(Arc<str>),
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The command's number.
    pub id: u64,
    /// What was answered.
    pub answer: Answer,
    /// The service that the answer names, if it names one.
    pub service: Option<Arc<str>>,
    /// What a stop has stopped.
    pub stopped: Option<Vec<Arc<str>>>,
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.answer)?;
        if let Some(service) = &self.service {
            write!(f, " {service}")?;
        }
        if let Some(stopped) = &self.stopped {
            write!(f, " [{}]", stopped.join(", "))?;
        }
        Ok(())
    }
}

/// `api running`, `api stopping (asked)`, `api#2 told to stop (asked)`, `#3 start api`: what the
/// assertions are written in.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = self.who.as_deref().unwrap_or_default();
        match &self.fact {
            Fact::Heard(kind) => {
                f.write_str(who)?;
                heard(kind, f)
            }
            Fact::Called { seam, turn } => write!(f, "{who} {seam} {turn}"),
            Fact::Begun { incarnation } => write!(f, "{who}#{incarnation} begun"),
            Fact::Ready { incarnation } => write!(f, "{who}#{incarnation} ready"),
            Fact::ToldToStop { incarnation, reason } => {
                write!(f, "{who}#{incarnation} told to stop ({reason})")
            }
            Fact::Ended { incarnation, outcome } => {
                write!(f, "{who}#{incarnation} ended ({outcome})")
            }
            Fact::Dropped { incarnation, outcome } => {
                write!(f, "{who}#{incarnation} dropped ({outcome})")
            }
            Fact::TaskBegun { incarnation } => write!(f, "{who}#{incarnation} task begun"),
            Fact::TaskDropped { incarnation } => write!(f, "{who}#{incarnation} task dropped"),
            Fact::Asked { id, command } if who.is_empty() => write!(f, "#{id} {command}"),
            Fact::Asked { id, command } => write!(f, "#{id} {command} {who}"),
            Fact::Answered(reply) => write!(f, "#{} answered ({reply})", reply.id),
            Fact::Note(text) => f.write_str(text),
        }
    }
}

fn heard(kind: &EventKind, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match kind {
        EventKind::Service { state, .. } => match state {
            ServiceState::Backoff { cause, delay } => write!(f, " backoff ({delay:?}: {cause})"),
            ServiceState::Failed(failure) => write!(f, " failed ({failure})"),
            ServiceState::Disabled(reason) => write!(f, " disabled ({reason})"),
            state => write!(f, " {state}"),
        },
        EventKind::Health { health, incarnation } => write!(f, "#{incarnation} health ({health})"),
        EventKind::StopFailed { exit, incarnation } => {
            write!(f, "#{incarnation} stop failed ({exit})")
        }
        EventKind::Resolved(_) => f.write_str(" resolved"),
        EventKind::ResolveFailed(why) => write!(f, " resolve failed ({why})"),
        EventKind::Initialized => f.write_str(" initialized"),
        EventKind::InitFailed(failure) => write!(f, " init failed ({failure})"),
        EventKind::LoadStarted => f.write_str(" load started"),
        EventKind::Loaded => f.write_str(" loaded"),
        EventKind::LoadFailed(failure) => write!(f, " load failed ({failure})"),
        EventKind::Disabled(reason) => write!(f, " disabled ({reason})"),
        EventKind::Skipped(because) => write!(f, " skipped ({because})"),
        EventKind::Added(origin) => write!(f, " added ({origin})"),
        EventKind::Removed => f.write_str(" removed"),
    }
}

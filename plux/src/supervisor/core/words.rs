//! What goes into the core and what comes out of it. `C` is whoever waits for an answer; the core
//! only carries it.

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::error::{Exit, ServiceFailure};
use crate::graph::Graph;
use crate::health::Health;
use crate::reason::{Phase, StopReason};
use crate::restart::Reaction;
use crate::state::ServiceState;

use super::ending::Ending;
use super::failures::Limits;
use super::loan::Loan;

/// A service, by its place in the graph.
pub(crate) type Index = u32;

/// What an edge, from the first service to the second, says about the end of the second; where it is
/// not there, the first one's limits do.
pub(crate) type Reactions = FxHashMap<(Index, Index), Reaction>;

/// What happened.
#[derive(Debug)]
pub(crate) enum Input<C> {
    /// Somebody wants the service up.
    Start { service: Index, caller: C },
    /// Somebody wants it stopped, its dependents first.
    Stop { service: Index, caller: C },
    /// Somebody wants it stopped, but not those that require it.
    StopUnused { service: Index, caller: C },
    /// Somebody wants a fresh incarnation.
    Restart { service: Index, caller: C },
    /// Somebody waits for its end.
    Wait { service: Index, caller: C },
    /// Services come, at [places](super::Core::places) that are free; nothing of it is refused any more.
    Add(Box<Coming>),
    /// Somebody wants it gone.
    Remove { service: Index, caller: C },
    /// Everything is to stop, dependents first.
    Shutdown,
    /// Everything is to end at once, in no order.
    AbortNow,
    /// The service can serve; it may have said that it is unhealthy, and why.
    Ready { service: Index, incarnation: u32, unhealthy: Option<Arc<str>> },
    /// It is in another health than before.
    Health { service: Index, incarnation: u32, health: Health },
    /// Its `run` is over, `failed` or not; tasks it spawned are not.
    RunOver { service: Index, incarnation: u32, failed: bool },
    /// Nothing of the incarnation is left.
    Ended { service: Index, incarnation: u32, ending: Ending },
    /// A timer of the service is due; an attempt has come as far as this, and the last beat of a run
    /// that is watched was so long ago.
    Timer { service: Index, arming: u32, reached: Phase, silent: Duration },
    /// A service that is lent has begun to restart itself: from now on somebody has to look whether it
    /// becomes ready in time.
    Turns { service: Index },
    /// The service, which is starting, can decide no more by itself.
    HandedBack { service: Index },
    /// A loan is back: the service has come so far by itself.
    Regained { service: Index, incarnation: u32, loan: Box<Loan> },
    /// The time for the whole shutdown is over.
    ShutdownTimer,
}

/// Of whom an input decides.
pub(crate) enum About {
    Nobody,
    One(Index),
    All,
}

impl<C> Input<C> {
    /// Who waits for the answer to a call.
    pub(crate) fn caller(&self) -> Option<&C> {
        match self {
            Self::Start { caller, .. }
            | Self::Stop { caller, .. }
            | Self::StopUnused { caller, .. }
            | Self::Restart { caller, .. }
            | Self::Wait { caller, .. }
            | Self::Remove { caller, .. } => Some(caller),
            _ => None,
        }
    }

    /// Lets go of all but that.
    pub(crate) fn into_caller(self) -> Option<C> {
        match self {
            Self::Start { caller, .. }
            | Self::Stop { caller, .. }
            | Self::StopUnused { caller, .. }
            | Self::Restart { caller, .. }
            | Self::Wait { caller, .. }
            | Self::Remove { caller, .. } => Some(caller),
            _ => None,
        }
    }

    /// Of whom it decides: what is lent of them is taken back before.
    pub(crate) fn about(&self) -> About {
        match *self {
            Self::Start { service, .. }
            | Self::Stop { service, .. }
            | Self::StopUnused { service, .. }
            | Self::Restart { service, .. }
            | Self::Wait { service, .. }
            | Self::Remove { service, .. }
            | Self::Ready { service, .. }
            | Self::Health { service, .. }
            | Self::RunOver { service, .. }
            | Self::Ended { service, .. }
            | Self::Timer { service, .. }
            | Self::HandedBack { service } => About::One(service),
            // The loan goes on, or is back.
            Self::Turns { .. } | Self::Regained { .. } => About::Nobody,
            Self::Add(_) | Self::Shutdown | Self::AbortNow | Self::ShutdownTimer => About::All,
        }
    }
}

/// What is to be done.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(crate) enum Action<C> {
    /// Begin the attempt; a run that is watched has its beats kept.
    Begin { service: Index, incarnation: u32, watched: bool },
    /// Tell it to stop.
    Signal { service: Index, reason: StopReason },
    /// Drop what is left of it.
    Abort { service: Index },
    /// Let its own task restart it.
    Lend { service: Index, loan: Box<Loan> },
    /// Send [`Input::Regained`] next.
    Recall { service: Index },
    /// Send [`Input::Timer`] after this time.
    Arm { service: Index, arming: u32, after: Duration },
    /// Send [`Input::ShutdownTimer`] after this time.
    ArmShutdown { after: Duration },
    /// Make the state known.
    Publish { service: Index, state: ServiceState, incarnation: u32 },
    /// Make known that its stop did not go well.
    Report { service: Index, incarnation: u32, exit: Box<Exit> },
    /// Make its health known.
    Health { service: Index, incarnation: u32, health: Health },
    /// Let go of it, and answer the call.
    Remove { service: Index, caller: C },
    /// Answer a call.
    Reply { caller: C, answer: Box<Answer> },
    /// The shutdown is over: tell, and end.
    Finish { summary: Box<Summary> },
}

/// The answer to a call.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// To a start or a restart.
    Start(Result<Up, Down>),
    /// To a stop: whom it stopped, or who leaked.
    Stop(Result<Vec<Ended>, Index>),
    /// To a stop of what is unused: these would have to stop too.
    InUse(Vec<Index>),
    /// To a wait.
    State(ServiceState),
    /// To a removal that is refused.
    Stays(Stays),
}

/// Why a service is not removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stays {
    /// It has not ended.
    Live,
    /// It was aborted and has not ended since.
    Leaked,
    /// An attempt is to be made.
    Waiting,
    /// This one depends on it.
    Needed(Index),
    /// All is to stop, or has.
    Shutdown,
}

/// Services that come, and who depends on whom with them.
#[derive(Debug)]
pub(crate) struct Coming {
    pub(crate) newcomers: Vec<Newcomer>,
    pub(crate) graph: Arc<Graph>,
    pub(crate) reactions: Reactions,
}

/// A service that comes.
#[derive(Debug, Clone)]
pub(crate) struct Newcomer {
    pub(crate) place: Index,
    pub(crate) limits: Arc<Limits>,
    /// The place of its group.
    pub(crate) group: Option<usize>,
}

/// How a start succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Up {
    Started,
    AlreadyRunning,
    Joined,
    Restarted(Vec<Index>),
}

/// Why a start failed.
#[derive(Debug, Clone)]
pub(crate) enum Down {
    Failed { culprit: Index, failure: Arc<ServiceFailure> },
    Disabled { culprit: Index, reason: Arc<str> },
    Stopped { by: Index, reason: StopReason },
    Leaked { culprit: Index },
    Shutdown,
}

/// How a stop of one service went.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) service: Index,
    /// When it was told to stop, and when it had ended; none while it has not.
    pub(crate) asked: Duration,
    pub(crate) ended: Option<Duration>,
    pub(crate) how: How,
}

/// How an incarnation that was told to stop ended.
#[derive(Debug, Clone, Default)]
pub(crate) enum How {
    /// By itself, without an error, or before it had begun.
    #[default]
    Clean,
    /// With an error or a panic.
    Error(Box<Exit>),
    /// It was dropped when its grace period was over.
    Aborted,
    /// It was dropped and has not ended.
    Leaked,
}

/// What a shutdown has to tell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summary {
    pub(crate) total: Duration,
    pub(crate) failed_before: Vec<Index>,
    pub(crate) rows: Vec<Ended>,
}

/// What the end of a service means for those that are restarted with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Round {
    /// Nothing: it stays as it is.
    None,
    /// All are restarted.
    Begins,
    /// All stop: it was given up.
    Ends,
    /// It is decided elsewhere; until then they go on.
    Later,
}

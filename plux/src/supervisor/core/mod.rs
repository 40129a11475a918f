//! The pure core: every decision that concerns two services or more.
//!
//! [`Core::step`] takes what happened and answers what to do. It reads no clock, spawns nothing and
//! runs no user code, so it can be driven through any interleaving. Services are indices here;
//! `C` is whoever waits for an answer, and the core only carries it.
//!
//! Trap: news may be late. Exits are fenced by the incarnation's number, timers by their arming.

mod exit;
mod plan;
mod row;
mod start;
mod stop;
#[cfg(test)]
mod walk;

pub(crate) use row::{Limits, Row};

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::error::{Exit, LoadError, ServiceFailure};
use crate::graph::Graph;
use crate::reason::StopReason;
use crate::state::ServiceState;

/// A service, by its place in the graph.
pub(crate) type Index = u32;

/// What happened.
#[derive(Debug)]
pub(crate) enum Input<C> {
    /// Somebody wants the service up.
    Start { service: Index, caller: C },
    /// Somebody wants it stopped, its dependents first.
    Stop { service: Index, caller: C },
    /// Somebody wants a fresh incarnation.
    Restart { service: Index, caller: C },
    /// Somebody waits for its end.
    Wait { service: Index, caller: C },
    /// Everything is to stop, dependents first.
    Shutdown,
    /// Everything is to end at once, in no order.
    AbortNow,
    /// The service can serve.
    Ready { service: Index, incarnation: u32 },
    /// Its `run` is over; tasks it spawned are not.
    RunOver { service: Index, incarnation: u32 },
    /// Nothing of the incarnation is left.
    Ended { service: Index, incarnation: u32, ending: Ending },
    /// A timer of the service is due.
    Timer { service: Index, arming: u32 },
    /// The time for the whole shutdown is over.
    ShutdownTimer,
}

/// How an incarnation ended.
#[derive(Debug, Clone)]
pub(crate) enum Ending {
    /// Its run did.
    Exit(Exit),
    /// Its plugin did not load.
    NotLoaded(Box<LoadError>),
    /// Its plugin did not want to load.
    Disabled(Arc<str>),
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Action<C> {
    /// Begin the attempt.
    Begin { service: Index, incarnation: u32 },
    /// Tell it to stop.
    Signal { service: Index, reason: StopReason },
    /// Drop what is left of it.
    Abort { service: Index },
    /// Send [`Input::Timer`] after this time.
    Arm { service: Index, arming: u32, after: Duration },
    /// Send [`Input::ShutdownTimer`] after this time.
    ArmShutdown { after: Duration },
    /// Make the state known.
    Publish { service: Index, state: ServiceState, incarnation: u32 },
    /// Answer a call.
    Reply { caller: C, answer: Answer },
    /// The shutdown is over: tell, and end.
    Finish { summary: Summary },
}

/// The answer to a call.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// To a start or a restart.
    Start(Result<Up, Down>),
    /// To a stop: whom it stopped, or who leaked.
    Stop(Result<Vec<Ended>, Index>),
    /// To a wait.
    State(ServiceState),
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
#[derive(Debug, Clone)]
pub(crate) enum How {
    /// By itself, without an error, or before it had begun.
    Clean,
    /// With an error or a panic.
    Error(Exit),
    /// It was dropped when its grace period was over.
    Aborted,
    /// It was dropped and has not ended.
    Leaked,
}

/// What a shutdown has to tell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summary {
    pub(crate) began: Duration,
    pub(crate) total: Duration,
    pub(crate) failed_before: Vec<Index>,
    pub(crate) rows: Vec<Ended>,
}

/// For so many calls there is always room.
const KEPT_OPS: usize = 64;

/// Names a call that waits for ends.
type OpId = u64;

/// A call that is not answered yet.
enum Op<C> {
    Start(start::Start<C>),
    /// A start that failed: answered when its rollback is complete.
    Rollback {
        callers: Vec<C>,
        down: Down,
        remaining: usize,
    },
    Stop {
        caller: C,
        service: Index,
        /// How each member ended, as it did.
        rows: Vec<Ended>,
        remaining: usize,
    },
}

struct Shutdown {
    began: Duration,
    failed_before: Vec<Index>,
    members: Vec<Index>,
    finished: bool,
}

/// All that is known of the services, and what is under way.
pub(crate) struct Core<C> {
    graph: Arc<Graph>,
    /// The place of each service in starting order.
    ranks: Vec<u32>,
    rows: Vec<Row<C>>,
    ops: FxHashMap<OpId, Op<C>>,
    next_op: OpId,
    live: usize,
    join_timeout: Duration,
    shutdown_timeout: Option<Duration>,
    shutdown: Option<Shutdown>,
    now: Duration,
    actions: Vec<Action<C>>,
    /// Attempts that were called off, or can not begin for now: who waits for their decision is
    /// looked at when the step's own work is done.
    decided: Vec<Index>,
}

impl<C> Core<C> {
    /// All services stopped. `limits` has one entry a service.
    pub(crate) fn new(
        graph: Arc<Graph>,
        limits: impl IntoIterator<Item = Limits>,
        join_timeout: Duration,
        shutdown_timeout: Option<Duration>,
    ) -> Self {
        let mut ranks = vec![u32::MAX; graph.len()];
        for (rank, service) in graph.order().into_iter().enumerate() {
            ranks[service as usize] = rank as u32;
        }
        Self {
            graph,
            ranks,
            rows: limits.into_iter().map(Row::new).collect(),
            ops: FxHashMap::default(),
            next_op: 0,
            live: 0,
            join_timeout,
            shutdown_timeout,
            shutdown: None,
            now: Duration::ZERO,
            actions: Vec::new(),
            decided: Vec::new(),
        }
    }

    /// Takes in what happened at `now` (since the supervisor was built) and leaves what is to be
    /// done, in this order, in `actions`.
    pub(crate) fn step(&mut self, input: Input<C>, now: Duration, actions: &mut Vec<Action<C>>) {
        self.now = now;
        std::mem::swap(&mut self.actions, actions);
        match input {
            Input::Start { service, caller } => self.start(service, caller),
            Input::Stop { service, caller } => self.stop(service, caller),
            Input::Restart { service, caller } => self.restart(service, caller),
            Input::Wait { service, caller } => self.wait(service, caller),
            Input::Shutdown => self.begin_shutdown(),
            Input::AbortNow => self.abort_now(),
            Input::Ready { service, incarnation } => self.ready(service, incarnation),
            Input::RunOver { service, incarnation } => self.run_over(service, incarnation),
            Input::Ended { service, incarnation, ending } => {
                self.ended(service, incarnation, ending);
            }
            Input::Timer { service, arming } => self.timer(service, arming),
            Input::ShutdownTimer => self.abort_now(),
        }
        while let Some(service) = self.decided.pop() {
            self.advance_dependents(service);
        }
        self.finish_shutdown();
        std::mem::swap(&mut self.actions, actions);
    }

    fn row(&self, service: Index) -> &Row<C> {
        &self.rows[service as usize]
    }

    fn row_mut(&mut self, service: Index) -> &mut Row<C> {
        &mut self.rows[service as usize]
    }

    fn reply(&mut self, caller: C, answer: Answer) {
        self.actions.push(Action::Reply { caller, answer });
    }

    fn add(&mut self, op: Op<C>) -> OpId {
        self.next_op += 1;
        self.ops.insert(self.next_op, op);
        self.next_op
    }

    /// Takes a call out. After many at once the room they took is given back.
    fn remove(&mut self, id: OpId) -> Option<Op<C>> {
        let op = self.ops.remove(&id);
        if self.ops.is_empty() {
            self.ops.shrink_to(KEPT_OPS);
        }
        op
    }

    /// Moves the service to `state` and makes that known.
    fn publish(&mut self, service: Index, state: ServiceState) {
        let row = self.row_mut(service);
        row.state = state.clone();
        let incarnation = row.incarnation;
        self.actions.push(Action::Publish { service, state, incarnation });
    }

    fn arm(&mut self, service: Index, after: Duration) {
        let row = self.row_mut(service);
        row.arming = row.arming.wrapping_add(1);
        let arming = row.arming;
        self.actions.push(Action::Arm { service, arming, after });
    }
}

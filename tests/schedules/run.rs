//! A recorded run: what it was a run of, and its lines in the order in which one recorder saw things.
//! Data only. Services are numbers, their places in the setup; times are milliseconds.

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// What it was a run of.
    pub setup: Setup,
    /// What was seen.
    pub lines: Vec<Line>,
}

/// The services and what is set for them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Setup {
    /// The services.
    pub services: Vec<Row>,
    /// Those that are there from the beginning.
    pub first: Vec<usize>,
    /// Those that come together, by addition. Some may have the name of another one: of such there is one
    /// at a time.
    pub coming: Vec<Vec<usize>>,
    /// Who depends on whom, where both are there.
    pub ties: Vec<Tie>,
    /// Those that are one for all.
    pub group: Vec<usize>,
    /// The restarts that a group may need together.
    pub budget: Option<Budget>,
    /// How many restarts may be under way at once; any number.
    pub cap: Option<usize>,
    /// From an abort until a service has leaked.
    pub join: u64,
    /// The time for a whole shutdown.
    pub shutdown: Option<u64>,
}

/// What a group may need.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// Who is in it.
    pub members: Vec<usize>,
    /// How many restarts they may need within the period.
    pub most: u32,
    /// That period.
    pub period: u64,
    /// What becomes of one that needs more.
    pub give_up: GiveUp,
}

/// What is set for a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Whether it comes back.
    pub restart: Policy,
    /// How many restarts it may need within the period; any number.
    pub intensity: Option<u32>,
    /// That period.
    pub period: u64,
    /// What becomes of it when it needs more.
    pub give_up: GiveUp,
    /// The least that a restart waits.
    pub delay: u64,
    /// From the stop signal to the abort; for ever.
    pub grace: Option<u64>,
    /// From the beginning of an attempt to readiness; for ever.
    pub start: Option<u64>,
    /// How long a run that is ready may be silent.
    pub watchdog: Option<u64>,
    /// Whether a run that is unhealthy has failed.
    pub judged: bool,
    /// The services inside, where it is a supervisor itself.
    pub inner: Vec<Inner>,
}

/// What is set for a service inside of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inner {
    /// How many restarts it may need.
    pub most: u32,
    /// Whether all inside is shut down when it needs more.
    pub escalates: bool,
}

/// What was seen of a service inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// Its run was polled first.
    Begun,
    /// Its run is about to say that it is ready.
    Ready,
    /// Nothing of its run is left.
    Ended(Outcome),
    /// It moved.
    Is(State),
}

/// Whether a service comes back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// After every end.
    Permanent,
    /// After a failure.
    Transient,
    /// Never.
    Temporary,
}

/// What becomes of a service that is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUp {
    /// It stays so.
    Leave,
    /// It is tried after each such time.
    CoolDown(u64),
    /// All is shut down.
    Escalate,
}

/// One edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tie {
    /// The one that depends.
    pub from: usize,
    /// The one that it depends on.
    pub on: usize,
    /// How.
    pub kind: Kind,
    /// What the end of `on` does to `from`, when it is required.
    pub reaction: Reaction,
}

/// The kind of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Pulled in, and hard.
    Requires,
    /// Pulled in, and soft.
    Wants,
    /// Order only.
    After,
}

/// What the end of a dependency does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// The dependent stops, and comes back with it.
    Restart,
    /// The dependent goes on.
    Keep,
    /// The dependent stops for good.
    Stop,
}

/// Something that was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// When, in milliseconds.
    pub at: u64,
    /// What.
    pub what: What,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A service moved.
    State {
        /// Who.
        service: usize,
        /// Where to.
        state: State,
        /// The number of its newest run.
        incarnation: u32,
    },
    /// A service was added.
    Added {
        /// Who.
        service: usize,
    },
    /// A service was removed.
    Removed {
        /// Who.
        service: usize,
    },
    /// A call is about to be made.
    Command {
        /// Its number.
        id: u32,
        /// What it asks for.
        command: Command,
        /// Of whom.
        service: Option<usize>,
        /// The service from within which it is made.
        by: Option<usize>,
    },
    /// A call has returned.
    Reply {
        /// Its number.
        id: u32,
        /// What it was told.
        answer: Answer,
        /// Whom the answer names.
        service: Option<usize>,
        /// Whom it lists.
        stopped: Option<Vec<usize>>,
    },
    /// The run of a service was polled first.
    Begun {
        /// Who.
        service: usize,
        /// Which run.
        incarnation: u32,
    },
    /// The run of a service is over, and tasks of it are not.
    Over {
        /// Who.
        service: usize,
        /// Which run.
        incarnation: u32,
    },
    /// A run has given its last heartbeat.
    Silent {
        /// Who.
        service: usize,
        /// Which run.
        incarnation: u32,
    },
    /// A run is about to say that it is unhealthy.
    Ill {
        /// Who.
        service: usize,
        /// Which run.
        incarnation: u32,
    },
    /// A task of a run that could not be ended is about to end.
    Released {
        /// Who.
        service: usize,
        /// Which run.
        incarnation: u32,
    },
    /// Something was seen inside a run that is a supervisor.
    Inside {
        /// Whose run.
        service: usize,
        /// Which run.
        incarnation: u32,
        /// Of which service inside.
        inner: usize,
        /// What.
        what: Within,
    },
    /// Nothing of a run is left.
    Ended {
        /// Who.
        service: usize,
        /// Which run.
        incarnation: u32,
        /// How it ended.
        outcome: Outcome,
    },
    /// Nothing happens any more by itself.
    Quiet,
    /// Nothing happens any more, and every call has returned.
    End,
}

/// Where a service stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// To be started as soon as what it depends on allows.
    Waiting,
    /// To be restarted after a delay.
    Backoff,
    /// On its way up.
    Starting,
    /// Ready.
    Running,
    /// Told to stop.
    Stopping(Why),
    /// Not running.
    Stopped(Why),
    /// Not running, for a failure.
    Failed(Cause),
    /// Its plugin did not want to load.
    Disabled,
}

impl State {
    /// Whether a run of it is alive.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Stopping(_))
    }

    /// Whether there is something to stop.
    pub fn is_stoppable(self) -> bool {
        let cooling = self == Self::Failed(Cause::CoolingDown);
        self.is_live() || cooling || matches!(self, Self::Waiting | Self::Backoff)
    }

    /// Whether what requires it may run.
    pub fn is_met(self) -> bool {
        matches!(self, Self::Running | Self::Stopped(Why::Completed))
    }
}

/// Why a service stops, or is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It was never started.
    NeverStarted,
    /// By name.
    Asked,
    /// For what it requires.
    Dependency,
    /// To be started anew.
    Restart,
    /// The supervisor shuts down.
    Shutdown,
    /// It was silent for too long.
    Watchdog,
    /// It was not ready in time.
    StartDeadline,
    /// Nobody holds it.
    Unneeded,
    /// For one of its group.
    Group,
    /// It said that it was unhealthy.
    Health,
    /// It ended by itself, and well.
    Completed,
}

/// Why a service is failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It did not get ready.
    StartFailed,
    /// It had been ready.
    Exit,
    /// It has used up its restarts.
    GaveUp,
    /// The same, and it will be tried again.
    CoolingDown,
    /// It could not be ended.
    Leaked,
}

/// How a run ended, as it knows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Ok,
    /// With an error.
    Error,
    /// With a panic.
    Panic,
    /// With an error that another run would not mend.
    Fatal,
    /// It was dropped.
    Aborted,
}

/// What a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Up.
    Start,
    /// Down, dependents first.
    Stop,
    /// Down, unless somebody depends on it.
    StopUnused,
    /// Down and up.
    Restart,
    /// The end.
    Wait,
    /// All down.
    Shutdown,
    /// All down at once.
    AbortNow,
    /// These come.
    Add(usize),
    /// It goes.
    Remove,
}

/// What a call is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// This call began the attempt.
    Started,
    /// Another one did.
    Joined,
    /// There was nothing to do.
    AlreadyRunning,
    /// A fresh run is ready.
    Restarted,
    /// Somebody failed.
    Failed,
    /// Stopped; of a start: a stop came first.
    Stopped,
    /// Somebody does not want to load.
    Disabled,
    /// Somebody could not be ended.
    RefusedLeaked,
    /// The supervisor shuts down.
    RefusedShutdown,
    /// Somebody depends on it.
    RefusedInUse,
    /// It is done.
    Done,
    /// Nobody waits for the answer any more.
    Dropped,
    /// Nobody ever did.
    Asked,
    /// It would have waited for its own end.
    OwnEnd,
    /// There is no such service.
    Unknown,
    /// What it requires is not there.
    Unusable,
    /// They are there.
    Added,
    /// They can not be there.
    NotAdded(Problems),
    /// It is not there any more.
    Removed,
    /// It has not ended.
    RefusedLive,
    /// It is about to begin.
    RefusedWaiting,
    /// Somebody who is there depends on it.
    RefusedNeeded,
}

/// What keeps services from being added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Problems {
    /// A name is there already.
    pub duplicate: bool,
    /// What one requires is not there.
    pub unknown: bool,
    /// They would depend on each other in a circle.
    pub cycle: bool,
    /// Anything else.
    pub other: bool,
}

impl Answer {
    /// Whether nobody heard what became of the call.
    pub fn is_unheard(self) -> bool {
        matches!(self, Self::Dropped | Self::Asked)
    }

    /// Whether a start was told that its service runs.
    pub fn is_up(self) -> bool {
        matches!(self, Self::Started | Self::Joined | Self::AlreadyRunning | Self::Restarted)
    }
}

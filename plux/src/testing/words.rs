//! The words of a recorded run, each written as its form says and read back from that.

use std::fmt;

use crate::reason::{StopReason, Stopped};
use crate::restart::{GiveUp, Reaction, RestartPolicy};

/// An enum of which every variant is one word.
macro_rules! words {
    ($($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ })+) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// Every one, in the order of the form.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The one that is written so.
            pub fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    )+};
}

words! {
    /// What was asked of a supervisor.
    Command {
        /// A service was to be started.
        Start = "start",
        /// A service was to be stopped, with all that requires it.
        Stop = "stop",
        /// A service was to be stopped unless something requires it.
        StopUnused = "stop_unused",
        /// A service was to be restarted.
        Restart = "restart",
        /// Everything was to be stopped.
        Shutdown = "shutdown",
        /// Everything was to be aborted.
        AbortNow = "abort_now",
        /// A service was to be taken out of automatic restarts.
        Pause = "pause",
        /// It was to take part in them again.
        Resume = "resume",
        /// A service was to be held by a lease.
        Lease = "lease",
        /// The lease was let go.
        Release = "release",
    }

    /// What was answered.
    Answer {
        /// A start: this call began it, and the service is ready.
        Started = "started",
        /// A start: another call had begun it, and the service is ready.
        Joined = "joined",
        /// A start: it was running.
        AlreadyRunning = "already_running",
        /// A restart: the service is ready again.
        Restarted = "restarted",
        /// The service that the reply names failed to start, or could not be ended.
        Failed = "failed",
        /// A start or restart: a stop came first.
        Stopped = "stopped",
        /// The service that the reply names is disabled.
        Disabled = "disabled",
        /// A start or restart: what has leaked still runs.
        RefusedLeaked = "refused_leaked",
        /// A start or restart: the supervisor is shut down.
        RefusedShutdown = "refused_shutdown",
        /// A stop of what is unused: it is in use.
        RefusedInUse = "refused_in_use",
        /// Any other command: it is done.
        Done = "done",
    }

    /// The state that a service moved to.
    Moved {
        /// A run has begun.
        Starting = "starting",
        /// It is ready.
        Running = "running",
        /// It was told to stop.
        Stopping = "stopping",
        /// It has ended, and is not to come back by itself.
        Stopped = "stopped",
        /// It is to begin as soon as it may.
        Waiting = "waiting",
        /// It is to begin after a delay.
        Backoff = "backoff",
        /// It has failed.
        Failed = "failed",
    }

    /// Why it moved.
    Reason {
        /// Somebody asked for it by name.
        Asked = "asked",
        /// What it requires stops.
        Dependency = "dependency",
        /// It is to be started anew.
        Restart = "restart",
        /// The supervisor shuts down.
        Shutdown = "shutdown",
        /// It has missed its heartbeats.
        Watchdog = "watchdog",
        /// It was not ready in time.
        StartDeadline = "start_deadline",
        /// Nobody holds it any more.
        Unneeded = "unneeded",
        /// It is unhealthy.
        Health = "health",
        /// Another one of its group has failed.
        Group = "group",
        /// It ended by itself, without an error.
        Completed = "completed",
        /// It did not become ready, or is disabled.
        StartFailed = "start_failed",
        /// It had been ready, and ended in a failure.
        Exit = "exit",
        /// It needed more restarts than it may.
        GaveUp = "gave_up",
        /// So too, and it is tried again after a time.
        CoolingDown = "cooling_down",
        /// It could not be ended.
        Leaked = "leaked",
    }

    /// How a run of a scripted service ended.
    Outcome {
        /// It returned without an error.
        Ok = "ok",
        /// It returned an error.
        Error = "error",
        /// It panicked, or a task of its did, or its destructor.
        Panic = "panic",
        /// It returned an error after which another run would not help.
        Fatal = "fatal",
        /// It was dropped before it returned.
        Aborted = "aborted",
    }

    /// After which ends a service is started again.
    Policy {
        /// After every end.
        Permanent = "permanent",
        /// After a failure.
        Transient = "transient",
        /// Never.
        Temporary = "temporary",
    }

    /// What becomes of a service that needs more restarts than it may.
    WhenSpent {
        /// It is left failed.
        Leave = "leave",
        /// It is tried once after each cool-down.
        CoolDown = "cool_down",
        /// The supervisor shuts down.
        Escalate = "escalate",
    }

    /// How long a service may take to stop.
    Grace {
        /// A time.
        Some = "some",
        /// No time: it is aborted at once.
        Zero = "zero",
        /// As long as it takes.
        Unlimited = "unlimited",
    }

    /// How one service depends on another.
    EdgeKind {
        /// It is not there without the other.
        Requires = "requires",
        /// It goes on without the other.
        Wants = "wants",
    }

    /// What the end of the other does to it.
    EdgeReaction {
        /// It is stopped, and starts again with the other.
        Restart = "restart",
        /// It is stopped, and stays so.
        Stop = "stop",
        /// It goes on.
        Keep = "keep",
    }
}

impl From<StopReason> for Reason {
    fn from(reason: StopReason) -> Self {
        match reason {
            StopReason::Asked => Self::Asked,
            StopReason::Dependency => Self::Dependency,
            StopReason::Restart => Self::Restart,
            StopReason::Shutdown => Self::Shutdown,
            StopReason::Unneeded => Self::Unneeded,
            StopReason::StartTimeout => Self::StartDeadline,
            StopReason::Group => Self::Group,
            StopReason::Watchdog => Self::Watchdog,
            StopReason::Health => Self::Health,
        }
    }
}

impl Reason {
    /// Nothing, for what was never started.
    pub(super) fn of_stopped(why: Stopped) -> Option<Self> {
        Some(match why {
            Stopped::NeverStarted => return None,
            Stopped::Asked => Self::Asked,
            Stopped::Dependency => Self::Dependency,
            Stopped::Restart => Self::Restart,
            Stopped::Unneeded => Self::Unneeded,
            Stopped::Group => Self::Group,
            Stopped::Shutdown => Self::Shutdown,
            Stopped::Completed => Self::Completed,
        })
    }
}

impl From<RestartPolicy> for Policy {
    fn from(policy: RestartPolicy) -> Self {
        match policy {
            RestartPolicy::Permanent => Self::Permanent,
            RestartPolicy::Transient => Self::Transient,
            RestartPolicy::Temporary => Self::Temporary,
        }
    }
}

impl From<GiveUp> for WhenSpent {
    fn from(give_up: GiveUp) -> Self {
        match give_up {
            GiveUp::Fail => Self::Leave,
            GiveUp::CoolDown(_) => Self::CoolDown,
            GiveUp::Escalate => Self::Escalate,
        }
    }
}

impl From<Reaction> for EdgeReaction {
    fn from(reaction: Reaction) -> Self {
        match reaction {
            Reaction::Restart => Self::Restart,
            Reaction::Stop => Self::Stop,
            Reaction::Keep => Self::Keep,
        }
    }
}

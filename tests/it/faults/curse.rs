//! One fault, and where it strikes: once, so that what is begun anew is sound.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Condvar, Mutex};
use plux::BoxError;
use tokio::sync::{Notify, watch};

/// What a fault says of itself.
pub(super) const CURSED: &str = "cursed";

/// Where user code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seam {
    FilterOfSpec,
    Factory,
    FilterOfPlugin,
    ShouldLoad,
    Load,
    NotReady,
    Ready,
    Stopping,
    Task,
    Health,
    Heartbeat,
    Status,
    ErrorText,
    Listener,
    RunDestructor,
    PublishedDestructor,
    ErrorDestructor,
    ServiceDestructor,
    ContextDestructor,
}

impl Seam {
    pub(super) const ALL: [Self; 19] = [
        Self::FilterOfSpec,
        Self::Factory,
        Self::FilterOfPlugin,
        Self::ShouldLoad,
        Self::Load,
        Self::NotReady,
        Self::Ready,
        Self::Stopping,
        Self::Task,
        Self::Health,
        Self::Heartbeat,
        Self::Status,
        Self::ErrorText,
        Self::Listener,
        Self::RunDestructor,
        Self::PublishedDestructor,
        Self::ErrorDestructor,
        Self::ServiceDestructor,
        Self::ContextDestructor,
    ];

    /// Whether it comes after all that the supervisor does.
    pub(super) fn is_last(self) -> bool {
        matches!(self, Self::ServiceDestructor | Self::ContextDestructor)
    }

    /// What it is, for the page.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::FilterOfSpec => "a filter, asked about the spec",
            Self::Factory => "the factory",
            Self::FilterOfPlugin => "a filter, asked about the plugin",
            Self::ShouldLoad => "`should_load`",
            Self::Load => "`load`",
            Self::NotReady => "`run`, not ready yet",
            Self::Ready => "`run`, ready",
            Self::Stopping => "`run`, told to stop",
            Self::Task => "a task that the run has spawned",
            Self::Health => "a report of health",
            Self::Heartbeat => "heartbeats",
            Self::Status => "a status text",
            Self::ErrorText => "the text of an error, printed by a listener",
            Self::Listener => "a listener",
            Self::RunDestructor => {
                "the destructor of the future of `run`, dropped after its grace period"
            }
            Self::PublishedDestructor => "the destructor of what `ready` has published",
            Self::ErrorDestructor => "the destructor of an error that `run` has ended with",
            Self::ServiceDestructor => "the destructor of what `load` has yielded",
            Self::ContextDestructor => "the destructor of the manager's context",
        }
    }

    /// Whether it can wait without its thread.
    pub(super) fn is_async(self) -> bool {
        matches!(
            self,
            Self::ShouldLoad
                | Self::Load
                | Self::NotReady
                | Self::Ready
                | Self::Stopping
                | Self::Task
        )
    }
}

/// What goes wrong there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It returns an error, or says one.
    Error,
    Panic,
    /// It never ends, and keeps no thread.
    Pending,
    /// It never ends, and keeps its thread.
    Blocked,
    /// Nothing; but the future of the call that waits for it is dropped meanwhile.
    CallerGone,
}

impl Fault {
    pub(super) const ALL: [Self; 5] =
        [Self::Error, Self::Panic, Self::Pending, Self::Blocked, Self::CallerGone];

    /// What it is, for the page.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Panic => "panic",
            Self::Pending => "pending",
            Self::Blocked => "blocked",
            Self::CallerGone => "caller gone",
        }
    }
}

/// The fault of one play.
pub(super) struct Curse {
    pub(super) seam: Seam,
    pub(super) fault: Fault,
    due: AtomicBool,
    became_due: Notify,
    struck: AtomicBool,
    open: watch::Sender<bool>,
    closed: Mutex<bool>,
    opened: Condvar,
}

impl Curse {
    pub(super) fn new(seam: Seam, fault: Fault) -> Self {
        Self {
            seam,
            fault,
            due: AtomicBool::new(false),
            became_due: Notify::new(),
            struck: AtomicBool::new(false),
            open: watch::Sender::new(false),
            closed: Mutex::new(true),
            opened: Condvar::new(),
        }
    }

    /// Lets a service that runs come to its fault.
    pub(super) fn come(&self) {
        self.due.store(true, Ordering::SeqCst);
        self.became_due.notify_one();
    }

    /// Waits for [`Curse::come`], if the fault is at this seam and has not struck; for ever otherwise.
    pub(super) async fn due_at(&self, seam: Seam) {
        if self.seam != seam || self.has_struck() {
            pending::<()>().await;
        }
        while !self.due.load(Ordering::SeqCst) {
            self.became_due.notified().await;
        }
    }

    pub(super) fn has_struck(&self) -> bool {
        self.struck.load(Ordering::SeqCst)
    }

    /// Lets go whatever is held up, now and later.
    pub(super) fn open(&self) {
        self.open.send_replace(true);
        *self.closed.lock() = false;
        self.opened.notify_all();
    }

    pub(super) fn is_open(&self) -> bool {
        *self.open.borrow()
    }

    pub(super) async fn opened(&self) {
        let _ = self.open.subscribe().wait_for(|open| *open).await;
    }

    /// Keeps the thread until [`Curse::open`].
    fn block(&self) {
        let mut closed = self.closed.lock();
        while *closed {
            self.opened.wait(&mut closed);
        }
    }

    /// Whether it is to strike here, now.
    pub(super) fn strikes(&self, seam: Seam) -> bool {
        self.seam == seam && !self.struck.swap(true, Ordering::SeqCst)
    }

    /// What user code at this seam does, where it can not wait.
    pub(super) fn at(&self, seam: Seam) -> Result<(), BoxError> {
        if !self.strikes(seam) {
            return Ok(());
        }
        match self.fault {
            Fault::Error => return Err(CURSED.into()),
            Fault::Panic => panic!("{CURSED}"),
            Fault::Blocked | Fault::CallerGone => self.block(),
            Fault::Pending => unreachable!("nothing at {seam:?} can be pending"),
        }
        Ok(())
    }

    /// The same where it can.
    pub(super) async fn meets(&self, seam: Seam) -> Result<(), BoxError> {
        match self.fault {
            Fault::Pending if self.strikes(seam) => pending().await,
            Fault::CallerGone if self.strikes(seam) => {
                self.opened().await;
                Ok(())
            }
            Fault::Pending | Fault::CallerGone => Ok(()),
            _ => self.at(seam),
        }
    }
}

//! The end of a manager's work: a signal to what is pending, and a count of what still runs.
//!
//! Trap: the flag and the count are one word. Were they two, a task could begin in the moment in which
//! the manager is closed, and neither side would see the other.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// The bit that says that the manager is closed; the count of tasks is above it.
const CLOSED: usize = 0b01;
const TASK: usize = 0b10;

/// Counts a manager's tasks, and ends them when it is closed.
pub(super) struct Closing {
    word: AtomicUsize,
    signal: Notify,
    idle: Notify,
}

impl Closing {
    pub(super) fn new() -> Self {
        Self { word: AtomicUsize::new(0), signal: Notify::new(), idle: Notify::new() }
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.word.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Resolves when the manager is closed after this was called; look at `is_closed` in between.
    pub(super) fn signal(&self) -> Notified<'_> {
        self.signal.notified()
    }

    /// One more task.
    pub(super) fn begin(&self) {
        self.word.fetch_add(TASK, Ordering::AcqRel);
    }

    /// One task less.
    pub(super) fn end(&self) {
        if self.word.fetch_sub(TASK, Ordering::AcqRel) == TASK | CLOSED {
            self.idle.notify_waiters();
        }
    }

    /// Ends what is pending and begins nothing any more.
    pub(super) fn close(&self) {
        self.word.fetch_or(CLOSED, Ordering::AcqRel);
        self.signal.notify_waiters();
    }

    /// Returns when no task is left of a manager that is closed. Cancel safe.
    pub(super) async fn closed(&self) {
        loop {
            let idle = pin!(self.idle.notified());
            if self.word.load(Ordering::Acquire) < TASK {
                return;
            }
            idle.await;
        }
    }
}

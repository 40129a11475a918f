//! The end of a manager's work: a flag, a signal to what is pending, and a count of what still runs.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Counts a manager's tasks, and ends them when it is closed.
pub(super) struct Closing {
    closed: AtomicBool,
    signal: Notify,
    tasks: AtomicUsize,
    idle: Notify,
}

impl Closing {
    pub(super) fn new() -> Self {
        Self {
            closed: AtomicBool::new(false),
            signal: Notify::new(),
            tasks: AtomicUsize::new(0),
            idle: Notify::new(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Resolves when the manager is closed after this was called and enabled; look at `is_closed`
    /// in between.
    pub(super) fn signal(&self) -> Notified<'_> {
        self.signal.notified()
    }

    /// One more task.
    pub(super) fn begin(&self) {
        self.tasks.fetch_add(1, Ordering::AcqRel);
    }

    /// One task less.
    pub(super) fn end(&self) {
        if self.tasks.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.idle.notify_waiters();
        }
    }

    /// Ends what is pending and begins nothing any more; returns when no task is left. Cancel safe:
    /// the manager is closed all the same.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.signal.notify_waiters();
        loop {
            let mut idle = pin!(self.idle.notified());
            idle.as_mut().enable();
            if self.tasks.load(Ordering::Acquire) == 0 {
                return;
            }
            idle.await;
        }
    }
}

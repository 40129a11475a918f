//! The dispatcher's timers. A late timer does no harm: the core fences it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::supervisor::core::Index;

/// When, whose, and by which arming.
type Entry = (Instant, Index, u32);

#[derive(Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<Entry>>,
    shutdown: Option<Instant>,
}

/// A timer that is due.
pub(super) enum Due {
    Service(Index, u32),
    Shutdown,
}

impl Timers {
    pub(super) fn arm(&mut self, now: Instant, service: Index, arming: u32, after: Duration) {
        if let Some(at) = now.checked_add(after) {
            self.heap.push(Reverse((at, service, arming)));
        }
    }

    pub(super) fn arm_shutdown(&mut self, now: Instant, after: Duration) {
        self.shutdown = now.checked_add(after);
    }

    fn next_at(&self) -> Option<Instant> {
        let first = self.heap.peek().map(|Reverse((at, ..))| *at);
        first.into_iter().chain(self.shutdown).min()
    }

    /// Waits for the next timer; for ever when none is armed. Cancel safe.
    pub(super) async fn wait(&self) {
        match self.next_at() {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// Takes out one timer that is due.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Due> {
        if self.shutdown.is_some_and(|at| at <= now) {
            self.shutdown = None;
            return Some(Due::Shutdown);
        }
        let Reverse((at, ..)) = self.heap.peek()?;
        if *at > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, service, arming))| Due::Service(service, arming))
    }
}

//! A thread of plux's own that rings when the runtime may not.
//!
//! Trap: of a runtime's workers one waits for the timers. When one of them is due, that worker runs what comes
//! of it, and wakes no other for a single task. If this blocks its thread, nobody waits for the timers any
//! more, however many workers are free, until something from outside wakes one.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{OnceLock, Weak};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

/// So long the runtime has to notice by itself.
pub(super) const MARGIN: Duration = Duration::from_millis(10);

/// Who is rung for. Never waits, and runs no user code.
pub(super) trait Rings: Send + Sync {
    fn ring(&self, is_due: bool);
}

/// Whom to ring for, and when.
struct Call {
    at: Instant,
    whom: Weak<dyn Rings>,
    is_due: bool,
}

/// Rings then: late, never early.
pub(super) fn ring(at: Instant, whom: Weak<dyn Rings>, is_due: bool) {
    if let Some(clock) = clock() {
        // The thread listens as long as the process lives.
        let _ = clock.send(Call { at, whom, is_due });
    }
}

/// The way to the thread, which begins with the first call; `None` when there can be none.
fn clock() -> Option<&'static Sender<Call>> {
    static CLOCK: OnceLock<Option<Sender<Call>>> = OnceLock::new();
    let begin = || {
        let (clock, calls) = channel();
        let thread = thread::Builder::new().name("plux-alarms".to_owned());
        thread.spawn(move || attend(&calls)).ok().map(|_| clock)
    };
    CLOCK.get_or_init(begin).as_ref()
}

/// Rings what is due, until nobody can call any more.
fn attend(calls: &Receiver<Call>) {
    let mut waiting = BinaryHeap::new();
    loop {
        let called = match waiting.peek() {
            Some(Call { at, .. }) => calls.recv_timeout(at.duration_since(Instant::now())),
            None => calls.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match called {
            Ok(call) => waiting.push(call),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = Instant::now();
        while waiting.peek().is_some_and(|call| call.at <= now) {
            if let Some(call) = waiting.pop()
                && let Some(whom) = call.whom.upgrade()
            {
                whom.ring(call.is_due);
            }
        }
    }
}

/// The first one is the greatest.
impl Ord for Call {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.cmp(&self.at)
    }
}

impl PartialOrd for Call {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Call {}

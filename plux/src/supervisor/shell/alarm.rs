//! Deadlines that are kept although the runtime's timers stand still.
//!
//! Trap: of a runtime's workers one waits for the timers. When one of them is due, that worker runs what comes
//! of it, and wakes no other for a single task. If this blocks its thread, nobody waits for the timers any
//! more, however many workers are free, until something from outside wakes one. So a thread of plux's own
//! wakes the dispatcher when a deadline has passed and may not have been noticed.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock, Weak};
use std::task::Waker;
use std::thread;
use std::time::Duration;

use futures::task::AtomicWaker;
use tokio::time::Instant;

use crate::task::has_other_threads;

/// So long a timer has to be noticed by itself.
const MARGIN: Duration = Duration::from_millis(10);

/// Wakes one task after its deadlines. Never waits; late, never early.
#[derive(Default)]
pub(super) struct Alarm {
    sleeper: Arc<AtomicWaker>,
    /// When it rings next.
    rings: Option<Instant>,
    /// Whether its task has a thread to be woken on while others are blocked; known with the first deadline.
    /// Where there is one thread, its clock may be a paused one, of which the thread that rings knows nothing.
    is_of_use: Option<bool>,
}

impl Alarm {
    /// Rings after `at`, unless it rings before that anyway; whoever is woken sets it again.
    pub(super) fn set(&mut self, at: Instant, now: Instant) {
        if !*self.is_of_use.get_or_insert_with(has_other_threads) {
            return;
        }
        let Some(at) = at.checked_add(MARGIN) else { return };
        if self.rings.is_some_and(|rings| rings > now && rings <= at) {
            return;
        }
        if let Some(clock) = clock() {
            self.rings = Some(at);
            // The thread listens as long as the process lives.
            let _ = clock.send(Call { at, sleeper: Arc::downgrade(&self.sleeper) });
        }
    }

    /// Whom to wake.
    pub(super) fn wakes(&self, waker: &Waker) {
        self.sleeper.register(waker);
    }
}

/// Whom to wake, and when.
struct Call {
    at: Instant,
    sleeper: Weak<AtomicWaker>,
}

/// The way to the thread, which begins with the first deadline; `None` when there can be none.
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
            if let Some(sleeper) = waiting.pop().and_then(|call| call.sleeper.upgrade()) {
                sleeper.wake();
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

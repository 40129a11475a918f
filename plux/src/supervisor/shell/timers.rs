//! The dispatcher's timers. A late timer does no harm: the core fences it.
//!
//! Trap: a timer that nobody waits for any more stays until it is due, and a service that is started
//! and stopped in a loop arms one each time. So they are swept out when they may have become most,
//! and the room of many is given back.
//!
//! Trap: to begin a sleep and to end it takes the lock of the runtime's clock each time, and wakes the worker
//! that waits for that when it waits for nothing earlier. So there is one sleep, which goes on when what it was
//! for is of the past, and may so end too early.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::post::Look;
use crate::supervisor::core::Index;

/// When, whose, and by which arming.
type Entry = (Instant, Index, u32);

/// So few are never swept.
const FEW: usize = 64;

#[derive(Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<Entry>>,
    shutdown: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
    look: Arc<Look>,
    /// What that knows.
    told: Option<Instant>,
    /// How many were armed, or may have been disarmed, since the last sweep.
    moves: usize,
}

/// A timer that is due.
pub(super) enum Due {
    Service(Index, u32),
    Shutdown,
}

impl Timers {
    pub(super) fn new(look: &Arc<Look>) -> Self {
        Self { look: Arc::clone(look), ..Self::default() }
    }

    pub(super) fn arm(&mut self, now: Instant, service: Index, arming: u32, after: Duration) {
        if let Some(at) = now.checked_add(after) {
            self.heap.push(Reverse((at, service, arming)));
            self.moves += 1;
        }
    }

    /// A service has moved to another state; its timer, if it had one, may be of the past now.
    pub(super) fn moved(&mut self) {
        self.moves += 1;
    }

    /// Whether it is time for a sweep: half of them may be of the past.
    pub(super) fn are_many(&self) -> bool {
        self.heap.len() > FEW && 2 * self.moves > self.heap.len()
    }

    /// Takes out those that are not `armed` any more.
    pub(super) fn sweep(&mut self, armed: impl Fn(Index, u32) -> bool) {
        self.heap.retain(|Reverse((_, service, arming))| armed(*service, *arming));
        self.heap.shrink_to(FEW.max(2 * self.heap.len()));
        self.moves = 0;
    }

    pub(super) fn arm_shutdown(&mut self, now: Instant, after: Duration) {
        self.shutdown = now.checked_add(after);
    }

    fn next_at(&self) -> Option<Instant> {
        let first = self.heap.peek().map(|Reverse((at, ..))| *at);
        first.into_iter().chain(self.shutdown).min()
    }

    /// Waits for the next timer; for ever when none is armed. Cancel safe.
    pub(super) async fn wait(&mut self) {
        poll_fn(|cx| {
            let next = self.next_at();
            self.tell(next);
            let Some(at) = next else { return Poll::Pending };
            while Instant::now() < at {
                if self.sleep_for(at).poll(cx).is_pending() {
                    return Poll::Pending;
                }
            }
            Poll::Ready(())
        })
        .await;
    }

    /// Has it known when there is something to do.
    fn tell(&mut self, next: Option<Instant>) {
        if next != self.told {
            self.told = next;
            self.look.due(next.map(Instant::into_std));
        }
    }

    /// A sleep that is over at that time, or before.
    fn sleep_for(&mut self, at: Instant) -> Pin<&mut Sleep> {
        let mut sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at))).as_mut();
        if sleep.is_elapsed() || sleep.deadline() > at {
            sleep.as_mut().reset(at);
        }
        sleep
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_of_many_timers_is_given_back() {
        let now = Instant::now();
        let mut timers = Timers::default();
        for service in 0..10_000 {
            timers.arm(now, service, 0, Duration::from_secs(30));
        }
        for ready in 0..10_000 {
            timers.moved();
            if timers.are_many() {
                timers.sweep(|service, _| service > ready);
            }
        }
        assert!(timers.heap.capacity() <= 4 * FEW, "room for {}", timers.heap.capacity());
    }

    #[test]
    fn timers_of_the_past_are_swept_out_and_the_others_stay() {
        let now = Instant::now();
        let mut timers = Timers::default();
        timers.arm(now, 1, 0, Duration::from_secs(60));
        for arming in 0..10_000 {
            timers.arm(now, 7, arming, Duration::from_secs(30));
            if timers.are_many() {
                timers.sweep(|service, other| service == 1 || other == arming);
            }
        }
        assert!(timers.heap.len() <= 2 * FEW, "{} are left", timers.heap.len());
        timers.sweep(|service, other| service == 1 || other == 9_999);
        assert_eq!(timers.heap.len(), 2);
        assert!(timers.pop(now).is_none());
        let late = now + Duration::from_secs(30);
        assert!(matches!(timers.pop(late), Some(Due::Service(7, 9_999))));
        assert!(timers.pop(late).is_none());
    }
}

//! A thread of plux's own that looks whether dispatchers go on, as their runtimes may not.
//!
//! Trap: of a runtime's workers one waits for the timers. When one of them is due, that worker runs what comes
//! of it, and wakes no other for a single task. If this blocks its thread, nobody waits for the timers any
//! more, however many workers are free, until something from outside wakes one.
//!
//! Trap: who sends may be in another runtime, whose clock is a paused one. So the times are the machine's.
//!
//! Trap: to wake a thread takes longer than to start a service. So it is not woken for what it will see soon
//! enough by itself, and after each look it sleeps no longer than until there could be another.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustc_hash::FxHashMap;

use crate::task::catch;

/// So long the runtime has to notice by itself.
pub(super) const MARGIN: Duration = Duration::from_millis(10);

/// Who is looked at. Never waits, and runs no user code.
pub(super) trait Watched: Send + Sync {
    /// When to look again, if that is to be; later than `now`.
    fn look(self: Arc<Self>, now: Instant) -> Option<Instant>;
}

/// What the thread is told.
struct Desk {
    new: Vec<Weak<dyn Watched>>,
    /// The thread has begun.
    runs: bool,
    /// When it will see that by itself; `None` if it will not.
    wakes: Option<Instant>,
}

static DESK: Mutex<Desk> = Mutex::new(Desk { new: Vec::new(), runs: false, wakes: None });
static BELL: Condvar = Condvar::new();

/// The time of the machine.
#[expect(clippy::disallowed_methods, reason = "a runtime's clock may be a paused one")]
fn time() -> Instant {
    Instant::now()
}

/// Has `whom` looked at: not before the margin is over, and when it is over twice at the latest.
pub(super) fn watch(whom: Weak<dyn Watched>) {
    let soon = time() + MARGIN;
    let mut desk = DESK.lock();
    desk.new.push(whom);
    if !desk.runs {
        // When there can be no thread now, the next call tries again.
        let thread = thread::Builder::new().name("plux-alarms".to_owned());
        desk.runs = thread.spawn(attend).is_ok();
    }
    if desk.wakes.is_none_or(|at| at > soon) {
        desk.wakes = Some(soon);
        drop(desk);
        BELL.notify_one();
    }
}

/// Looks at whom it is time to, for as long as the process lives.
fn attend() {
    let mut rota = Rota::default();
    loop {
        let now = time();
        let has_looked = rota.look(now);
        let mut desk = DESK.lock();
        if desk.new.is_empty() {
            let soon = has_looked.then(|| now + MARGIN);
            desk.wakes = rota.first().into_iter().chain(soon).min();
            match desk.wakes {
                Some(at) => drop(BELL.wait_until(&mut desk, at)),
                None => BELL.wait(&mut desk),
            }
        }
        let new = std::mem::take(&mut desk.new);
        drop(desk);
        let at = time() + MARGIN;
        for whom in new {
            rota.add(whom, at);
        }
    }
}

/// Whom to look at, and when: each one once.
#[derive(Default)]
struct Rota {
    by_time: BTreeMap<(Instant, usize), Weak<dyn Watched>>,
    times: FxHashMap<usize, Instant>,
}

impl Rota {
    fn first(&self) -> Option<Instant> {
        self.by_time.first_key_value().map(|(&(at, _), _)| at)
    }

    fn add(&mut self, whom: Weak<dyn Watched>, at: Instant) {
        let key = whom.as_ptr().addr();
        match self.times.get(&key) {
            Some(&before) if before <= at => return,
            Some(&before) => drop(self.by_time.remove(&(before, key))),
            None => {}
        }
        self.times.insert(key, at);
        self.by_time.insert((at, key), whom);
    }

    /// Looks at whom it is time to; whether there was anybody.
    fn look(&mut self, now: Instant) -> bool {
        let mut has_looked = false;
        while let Some(first) = self.by_time.first_entry()
            && first.key().0 <= now
        {
            let ((_, key), whom) = first.remove_entry();
            self.times.remove(&key);
            has_looked = true;
            // Whoever looks may be the last to have it.
            let looked = whom.upgrade().map(|it| catch(move || it.look(now)));
            if let Some(Ok(Some(next))) = looked {
                self.add(whom, next);
            }
        }
        has_looked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Is looked at a minute after each look.
    struct Minutely;

    impl Watched for Minutely {
        fn look(self: Arc<Self>, now: Instant) -> Option<Instant> {
            now.checked_add(Duration::from_secs(60))
        }
    }

    #[test]
    fn who_is_to_be_looked_at_is_there_once_and_at_the_earliest_time() {
        let now = time();
        let at = |seconds| now + Duration::from_secs(seconds);
        let one = Arc::new(Minutely);
        let (mut rota, whom) = (Rota::default(), || Arc::downgrade(&one) as Weak<dyn Watched>);
        for seconds in [30, 10, 20] {
            rota.add(whom(), at(seconds));
        }
        assert_eq!((rota.first(), rota.by_time.len()), (Some(at(10)), 1));
        assert!(!rota.look(at(9)));
        assert!(rota.look(at(10)));
        assert_eq!((rota.first(), rota.by_time.len()), (Some(at(70)), 1));
        drop(one);
        assert!(rota.look(at(70)));
        assert_eq!((rota.first(), rota.times.len()), (None, 0));
    }
}

//! The way to the dispatcher, and a look whether it takes in what is sent.
//!
//! Trap: tokio keeps the task that a poll has woken last for the worker of that poll, until the poll is over.
//! If that blocks its thread, as a service may in the very poll in which it got ready, nobody runs the
//! dispatcher, however many workers are free. So another task goes on with it when it has not taken in for
//! some time what was sent. All that a mail costs for that is a flag.

use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::SendError;

use super::alarm::{MARGIN, Watched, watch};
use super::flags::Flags;
use crate::task::{has_other_threads, spawn, spawn_on};

/// The way to the dispatcher, for `M`.
pub(crate) struct Post<M> {
    mailbox: mpsc::UnboundedSender<M>,
    look: Arc<Look>,
}

/// Whether the dispatcher takes in what is sent, and does in time what is due.
#[derive(Default)]
pub(super) struct Look {
    /// There is another thread to go on with it.
    is_of_use: AtomicBool,
    flags: Flags,
    due: Mutex<Option<Instant>>,
    /// What to go on with, and where; until it is over.
    work: Mutex<Option<(Weak<Work>, Handle)>>,
    /// A task that is to go on has not begun since.
    called: Mutex<Option<Instant>>,
}

/// So long such a task has to begin before there is another: a thread may have taken it, and be blocked.
const PATIENCE: Duration = Duration::from_secs(1);

impl<M> Post<M> {
    /// The way, and its end.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<M>) {
        let (mailbox, inbox) = mpsc::unbounded_channel();
        (Self { mailbox, look: Arc::default() }, inbox)
    }

    /// Hands over `mail`; hands it back when the dispatcher has ended.
    pub(crate) fn send(&self, mail: M) -> Result<(), SendError<M>> {
        self.mailbox.send(mail)?;
        self.look.sent();
        Ok(())
    }

    pub(super) fn look(&self) -> &Arc<Look> {
        &self.look
    }
}

impl Look {
    fn sent(self: &Arc<Self>) {
        if self.is_of_use() && self.flags.sent() {
            watch(Arc::downgrade(self) as Weak<dyn Watched>);
        }
    }

    /// The dispatcher is about to take in all that there is.
    pub(super) fn read(&self) {
        self.flags.read();
    }

    /// The dispatcher has something to do then, and nothing before. Whoever looks knows it from there on.
    pub(super) fn due(self: &Arc<Self>, at: Option<Instant>) {
        // Where there is one thread, its clock may be a paused one, of which the one that looks knows nothing.
        if !self.is_of_use() {
            return;
        }
        let before = std::mem::replace(&mut *self.due.lock(), at);
        let is_earlier = at.is_some_and(|at| before.is_none_or(|before| at < before));
        if is_earlier && self.flags.watch() {
            watch(Arc::downgrade(self) as Weak<dyn Watched>);
        }
    }

    fn is_of_use(&self) -> bool {
        self.is_of_use.load(Ordering::Relaxed)
    }

    /// Has another task go on; `false` when there is nothing to go on with any more.
    fn go_on(&self, now: Instant) -> bool {
        let Some((work, runtime)) = self.work.lock().clone() else { return false };
        // All threads may be blocked, for long: then there are to be few such tasks.
        let mut called = self.called.lock();
        if called.is_none_or(|at| now.duration_since(at) >= PATIENCE) {
            *called = Some(now);
            drop(called);
            spawn_on(&runtime, take_over(work));
        }
        true
    }
}

impl Watched for Look {
    fn look(self: Arc<Self>, now: Instant) -> Option<Instant> {
        let is_unread = self.flags.look();
        let late = self.due.lock().and_then(|due| due.checked_add(MARGIN));
        if is_unread || late.is_some_and(|late| late <= now) {
            return self.go_on(now).then(|| now + MARGIN);
        }
        late
    }
}

/// A future that one task polls, or another.
struct Work {
    running: Mutex<Option<Running>>,
    /// The number of the task that is to poll it.
    newest: AtomicU32,
    look: Arc<Look>,
}

/// The future, until it is over.
struct Running {
    future: BoxFuture<'static, ()>,
    /// Wakes the task that polls it.
    waker: Option<Waker>,
}

impl Drop for Work {
    fn drop(&mut self) {
        self.look.work.lock().take();
    }
}

/// Runs `future`, the dispatcher, on the current runtime.
pub(super) fn run(future: impl Future<Output = ()> + Send + 'static, look: &Arc<Look>) {
    // A task moves all of its future when that is over.
    let future = Box::pin(future);
    if !has_other_threads() {
        spawn(future);
        return;
    }
    let running = Mutex::new(Some(Running { future, waker: None }));
    let work = Arc::new(Work { running, newest: AtomicU32::new(0), look: Arc::clone(look) });
    *look.work.lock() = Some((Arc::downgrade(&work), Handle::current()));
    look.is_of_use.store(true, Ordering::Relaxed);
    spawn(turn(work, 0));
}

/// Polls the future until another task does; the one before it, which nobody wakes any more, is woken to end.
fn turn(work: Arc<Work>, number: u32) -> impl Future<Output = ()> + Send {
    let mut is_new = true;
    let is_newest = move |work: &Work| work.newest.load(Ordering::Acquire) == number;
    poll_fn(move |cx| {
        // Who is not has nothing to wait for.
        if !is_newest(&work) {
            return Poll::Ready(());
        }
        let mut locked = work.running.lock();
        let running = match locked.as_mut() {
            Some(running) if is_newest(&work) => running,
            _ => return Poll::Ready(()),
        };
        let before = if std::mem::take(&mut is_new) {
            running.waker.replace(cx.waker().clone())
        } else {
            None
        };
        let polled = running.future.as_mut().poll(cx);
        let over = if polled.is_ready() { locked.take() } else { None };
        drop(locked);
        if over.is_some() {
            // A thread that is blocked may have the work for long.
            work.look.work.lock().take();
        }
        drop(over);
        if let Some(before) = before {
            before.wake();
        }
        polled
    })
}

/// Goes on, unless it is being polled just now.
async fn take_over(work: Weak<Work>) {
    let Some(work) = work.upgrade() else { return };
    work.look.called.lock().take();
    if !work.running.is_locked() {
        let number = work.newest.fetch_add(1, Ordering::AcqRel).wrapping_add(1);
        turn(work, number).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::BoxError;

    #[test]
    fn c03_while_all_threads_are_blocked_few_tasks_are_called_to_go_on() -> Result<(), BoxError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
        let look = Arc::<Look>::default();
        runtime.block_on(async { spawn(run_on(&look)).await })?;
        // Both workers are blocked from here on.
        let (entered, blocked) = std::sync::mpsc::channel();
        let gate = Arc::new(Mutex::new(()));
        let closed = gate.lock();
        for _ in 0..2 {
            let (entered, gate) = (entered.clone(), Arc::clone(&gate));
            spawn_on(runtime.handle(), async move {
                let _ = entered.send(());
                drop(gate.lock());
            });
        }
        for _ in 0..2 {
            blocked.recv()?;
        }
        look.flags.sent();
        let tasks = || runtime.metrics().num_alive_tasks();
        let (before, now) = (tasks(), tokio::time::Instant::now().into_std());
        let mut called = Vec::new();
        for late in [MARGIN, PATIENCE, MARGIN + PATIENCE, 2 * PATIENCE, MARGIN + 2 * PATIENCE] {
            let next = Arc::clone(&look).look(now + late);
            assert_eq!(next, Some(now + late + MARGIN), "it is looked at again");
            called.push(tasks() - before);
        }
        drop(closed);
        assert_eq!(called, [1, 1, 2, 2, 3]);
        Ok(())
    }

    /// A dispatcher that waits for ever.
    fn run_on(look: &Arc<Look>) -> impl Future<Output = ()> + Send + 'static {
        let look = Arc::clone(look);
        async move { run(std::future::pending(), &look) }
    }
}

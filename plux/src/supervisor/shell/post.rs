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

use futures::future::BoxFuture;
use futures::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::SendError;
use tokio::time::Instant;

use super::alarm::{MARGIN, Rings, ring};
use crate::task::{has_other_threads, spawn};

/// The way to the dispatcher, for `M`.
pub(crate) struct Post<M> {
    mailbox: mpsc::UnboundedSender<M>,
    look: Arc<Look>,
}

/// Whether the dispatcher takes in what is sent.
#[derive(Default)]
pub(super) struct Look {
    /// There is another thread to go on with it.
    is_of_use: AtomicBool,
    /// There is something that it may not have seen.
    unread: AtomicBool,
    /// The thread that rings will.
    is_set: AtomicBool,
    /// It has rung.
    rung: AtomicBool,
    lookout: AtomicWaker,
}

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
    /// Has somebody look, unless that is so already.
    ///
    /// The mail is there before. All accesses are sequentially consistent: either this one finds that the thread
    /// has yet to ring, or the one who looks then finds that there may be mail.
    fn sent(self: &Arc<Self>) {
        let seen =
            |flag: &AtomicBool| flag.load(Ordering::SeqCst) || flag.swap(true, Ordering::SeqCst);
        if self.is_of_use() && !seen(&self.unread) && !self.is_set.swap(true, Ordering::SeqCst) {
            self.look_at(Instant::now() + MARGIN, false);
        }
    }

    /// Has somebody look then.
    pub(super) fn look_at(self: &Arc<Self>, at: Instant, is_due: bool) {
        ring(at, Arc::downgrade(self) as Weak<dyn Rings>, is_due);
    }

    /// The dispatcher is about to take in all that there is.
    pub(super) fn read(&self) {
        if self.unread.load(Ordering::SeqCst) {
            self.unread.store(false, Ordering::SeqCst);
        }
    }

    pub(super) fn is_of_use(&self) -> bool {
        self.is_of_use.load(Ordering::Relaxed)
    }
}

impl Rings for Look {
    /// Has the dispatcher go on in another task, if it has not seen all or a timer is due.
    fn ring(&self, is_due: bool) {
        if !is_due {
            self.is_set.store(false, Ordering::SeqCst);
        }
        if is_due || self.unread.load(Ordering::SeqCst) {
            self.rung.store(true, Ordering::Release);
            self.lookout.wake();
        }
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
        self.look.lookout.wake();
    }
}

/// Runs `future`, the dispatcher, on the current runtime.
pub(super) fn run(future: impl Future<Output = ()> + Send + 'static, look: &Arc<Look>) {
    if !has_other_threads() {
        spawn(future);
        return;
    }
    let running = Mutex::new(Some(Running { future: Box::pin(future), waker: None }));
    let (newest, look) = (AtomicU32::new(0), Arc::clone(look));
    look.is_of_use.store(true, Ordering::Relaxed);
    let work = Arc::new(Work { running, newest, look: Arc::clone(&look) });
    spawn(look_out(Arc::downgrade(&work), look));
    spawn(turn(work, 0));
}

/// Polls the future until another task does; the one before it, which nobody wakes any more, is woken to end.
fn turn(work: Arc<Work>, number: u32) -> impl Future<Output = ()> + Send {
    let mut is_new = true;
    poll_fn(move |cx| {
        let mut locked = work.running.lock();
        let running = match locked.as_mut() {
            Some(running) if work.newest.load(Ordering::Acquire) == number => running,
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
        drop(over);
        if let Some(before) = before {
            before.wake();
        }
        polled
    })
}

/// Has another task go on when it is time. Only the thread that rings wakes this one, so no worker has it for
/// itself.
fn look_out(work: Weak<Work>, look: Arc<Look>) -> impl Future<Output = ()> + Send {
    poll_fn(move |cx| {
        look.lookout.register(cx.waker());
        let Some(work) = work.upgrade() else { return Poll::Ready(()) };
        if look.rung.swap(false, Ordering::AcqRel) {
            if work.running.is_locked() {
                // It is being polled just now.
                look.look_at(Instant::now() + MARGIN, true);
            } else {
                let number = work.newest.fetch_add(1, Ordering::AcqRel).wrapping_add(1);
                spawn(turn(work, number));
            }
        }
        Poll::Pending
    })
}

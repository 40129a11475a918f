//! Loading many plugins: all of a manager, or one with all it pulls in.
//!
//! A few loaders, tasks of plux's own, take plugins from a shared queue and poll each attempt where
//! they are. A loader whose attempt is pending hands its seat to a fresh loader and waits for that
//! attempt; so what is ready at once costs no task, and what is pending costs one. Whoever finishes
//! a plugin goes on with a dependent it made ready. There are no levels.
//!
//! Trap: a task that was spawned by a worker stands in a slot that other workers can not take from,
//! until the worker comes back to its queue. A loader that has spawned another one therefore steps
//! aside before it goes on; else loads that compute would run one after the other.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::mem;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::task::{Poll, Waker};

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::task::{unconstrained, yield_now};

use super::attempt::Worker;
use super::load::{Attempt, Job};
use super::loaded::Loaded;
use super::members::{Members, READY};
use super::shared::Shared;
use super::waits::Caller;
use crate::error::LoadError;
use crate::extension::ExtensionPoint;
use crate::table::Table;
use crate::task;

/// A loader lets other tasks run after so many plugins.
const TURN: u32 = 128;

/// Makes one attempt for each member that is not loaded, each after those it depends on. Dropping
/// the future changes nothing.
pub(super) async fn load<P: ExtensionPoint + ?Sized + 'static>(
    shared: &Arc<Shared<P>>,
    table: &Arc<Table<P>>,
    members: Members,
    caller: Caller,
) {
    // Only a strict batch has errors.
    let _ = run(shared, table, members, caller, None).await;
}

/// The same until one fails: from then on no attempt begins.
///
/// # Errors
/// The first failure, as soon as it is there.
pub(super) async fn try_load<P: ExtensionPoint + ?Sized + 'static>(
    shared: &Arc<Shared<P>>,
    table: &Arc<Table<P>>,
    members: Members,
    caller: Caller,
) -> Result<(), LoadError> {
    run(shared, table, members, caller, Some(Strict::default())).await
}

async fn run<P: ExtensionPoint + ?Sized + 'static>(
    shared: &Arc<Shared<P>>,
    table: &Arc<Table<P>>,
    members: Members,
    caller: Caller,
    strict: Option<Strict>,
) -> Result<(), LoadError> {
    let count = members.len(table);
    if count == 0 {
        return Ok(());
    }
    let (told, answer) = oneshot::channel();
    let workers = tokio::runtime::Handle::current().metrics().num_workers();
    let seats = workers.min(count);
    let batch = Arc::new(Batch {
        caller,
        missing: members.missing(table),
        members,
        count,
        cursor: AtomicUsize::new(0),
        queue: Mutex::default(),
        strict,
        table: Arc::clone(table),
        shared: Arc::clone(shared),
        answer: Mutex::new(Some(told)),
    });
    for _ in 0..seats {
        Batch::spawn_loader(&batch);
    }
    drop(batch);
    // Without an error the channel closes when the last loader has let go of the batch.
    answer.await.map_or(Ok(()), Err)
}

/// Loads one plugin that pulls nothing in, whatever its place in the graph: one task, and nothing shared.
pub(super) async fn load_one<P: ExtensionPoint + ?Sized + 'static>(
    shared: &Arc<Shared<P>>,
    table: &Arc<Table<P>>,
    index: u32,
    caller: Caller,
) {
    let working = Working::begin(shared, table);
    let attempt = async move {
        let Working { table, shared } = &working;
        let job = Job { shared, table, caller, waker: &waker().await };
        let (mut attempt, mut home) = (Attempt::new(&job, index), None);
        let end = match attempt.approach(&mut home) {
            ControlFlow::Break(end) => end,
            ControlFlow::Continue(wait) => attempt.wait_out(wait, &mut Alone).await,
        };
        attempt.finish(end, home);
    };
    // An error is the end of the runtime; the row then says that the attempt was cut short.
    let _ = task::spawn(attempt).await;
}

/// Who has nothing else to do.
struct Alone;

impl Worker for Alone {
    fn waits(&mut self) {}

    fn goes_on(&self) -> bool {
        true
    }
}

struct Batch<P: ExtensionPoint + ?Sized + 'static> {
    caller: Caller,
    members: Members,
    count: usize,
    missing: Box<[AtomicU32]>,
    /// The next position to look at for a member that was ready from the start.
    cursor: AtomicUsize,
    queue: Mutex<Queue>,
    strict: Option<Strict>,
    /// Before `shared`, as in [`Working`].
    table: Arc<Table<P>>,
    shared: Arc<Shared<P>>,
    /// Sent to by a strict batch; the last field, so that the caller hears when all else is gone.
    answer: Mutex<Option<oneshot::Sender<LoadError>>>,
}

/// One lock for both, so that nobody can leave a seat without seeing what was just queued.
#[derive(Default)]
struct Queue {
    /// Positions that became ready since the start.
    ready: VecDeque<u32>,
    /// How many loaders may still take from the queue.
    free_seats: usize,
}

impl Queue {
    fn take_seat(&mut self) -> bool {
        let free = self.free_seats > 0;
        self.free_seats -= usize::from(free);
        free
    }
}

/// What the end of an attempt led to.
#[derive(Default)]
struct Finish {
    /// One that is ready now.
    next: Option<u32>,
    /// Whether there are new loaders, which stand in this worker's way.
    spawned: bool,
}

/// What ends a batch at its first failure.
#[derive(Default)]
struct Strict {
    over: AtomicBool,
}

impl<P: ExtensionPoint + ?Sized + 'static> Batch<P> {
    /// Spawns a loader on a seat that the caller had, or took.
    fn spawn_loader(batch: &Arc<Self>) {
        let loader = Loader {
            working: Working::begin(&batch.shared, &batch.table),
            batch: Arc::clone(batch),
            seated: true,
        };
        task::spawn(loader.run());
    }

    /// Whether a failure has ended the batch.
    fn is_over(&self) -> bool {
        self.strict.as_ref().is_some_and(|strict| strict.over.load(Ordering::Acquire))
    }

    /// The next position for a loader with a seat; without one the seat is free again.
    fn next(&self) -> Option<u32> {
        while self.cursor.load(Ordering::Relaxed) < self.count {
            let position = self.cursor.fetch_add(1, Ordering::Relaxed);
            if position >= self.count {
                break;
            }
            let waits_for_none = |missing: &AtomicU32| missing.load(Ordering::Relaxed) == READY;
            if self.missing.get(position).is_none_or(waits_for_none) {
                return Some(position as u32);
            }
        }
        let mut queue = self.queue.lock();
        let next = queue.ready.pop_front();
        queue.free_seats += usize::from(next.is_none());
        next
    }

    /// Whether there is work for another loader on the seat of the caller; otherwise it is free again.
    fn hands_seat_on(&self) -> bool {
        if self.cursor.load(Ordering::Relaxed) < self.count {
            return true;
        }
        let mut queue = self.queue.lock();
        let idle = queue.ready.is_empty();
        queue.free_seats += usize::from(idle);
        !idle
    }

    /// What the end of the attempt for `position` leads to. Most batches have nothing to count.
    #[inline]
    fn finish(batch: &Arc<Self>, position: u32) -> Finish {
        match batch.strict.is_none() && batch.missing.is_empty() {
            true => Finish::default(),
            false => Self::count_down(batch, position),
        }
    }

    /// Counts down those that waited for `position`. One that is ready now is for the caller; the
    /// others go into the queue, with a loader for each as long as there are seats.
    fn count_down(batch: &Arc<Self>, position: u32) -> Finish {
        let mut finish = Finish::default();
        let node = batch.members.node(position);
        if batch.strict.is_some() {
            batch.look_for_failure(node);
        }
        let graph = batch.table.graph();
        if batch.missing.is_empty() || graph.problem(node).is_some() {
            return finish;
        }
        for &(dependent, _) in graph.dependents(node) {
            let Some(waiting) = batch.members.position(dependent) else { continue };
            let missing = &batch.missing[waiting as usize];
            if missing.load(Ordering::Relaxed) == READY
                || missing.fetch_sub(1, Ordering::AcqRel) != 1
            {
                continue;
            }
            if finish.next.is_none() {
                finish.next = Some(waiting);
                continue;
            }
            let seat = {
                let mut queue = batch.queue.lock();
                queue.ready.push_back(waiting);
                queue.take_seat()
            };
            if seat {
                Self::spawn_loader(batch);
                finish.spawned = true;
            }
        }
        finish
    }

    /// Ends a strict batch, and tells its caller, when the attempt for `node` failed.
    #[cold]
    fn look_for_failure(&self, node: u32) {
        let (Some(strict), entry) = (&self.strict, self.table.row(node)) else { return };
        match Loaded::outcome(entry) {
            Ok(_) | Err(LoadError::Disabled { .. } | LoadError::Skipped { .. }) => {}
            Err(error) => {
                strict.over.store(true, Ordering::Release);
                if let Some(answer) = self.answer.lock().take() {
                    // The caller may have given up.
                    let _ = answer.send(error);
                }
            }
        }
    }
}

/// Counts one task of the manager for as long as it lives. The table goes first: the task may be the
/// last to hold the manager's state, and plugins are dropped before their context.
struct Working<P: ExtensionPoint + ?Sized + 'static> {
    table: Arc<Table<P>>,
    shared: Arc<Shared<P>>,
}

impl<P: ExtensionPoint + ?Sized + 'static> Working<P> {
    fn begin(shared: &Arc<Shared<P>>, table: &Arc<Table<P>>) -> Self {
        shared.closing.begin();
        Self { table: Arc::clone(table), shared: Arc::clone(shared) }
    }
}

impl<P: ExtensionPoint + ?Sized + 'static> Drop for Working<P> {
    fn drop(&mut self) {
        self.shared.closing.end();
    }
}

/// Goes to the end of the worker's queue, where other workers can take it from. After tokio's
/// `yield_now` a task stays with its worker until that has nothing else to do.
async fn step_aside() {
    let mut first = true;
    poll_fn(|cx| {
        if !mem::take(&mut first) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What wakes the task this runs in.
async fn waker() -> Waker {
    poll_fn(|cx| Poll::Ready(cx.waker().clone())).await
}

/// What is ready must not look pending because other plugins have used up the task's budget. What has
/// been pending is ready for its own sake, and takes from the budget like everything else.
async fn unbudgeted_at_first<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut first = true;
    poll_fn(|cx| match mem::take(&mut first) {
        true => pin!(unconstrained(future.as_mut())).poll(cx),
        false => future.as_mut().poll(cx),
    })
    .await
}

struct Loader<P: ExtensionPoint + ?Sized + 'static> {
    working: Working<P>,
    batch: Arc<Batch<P>>,
    seated: bool,
}

impl<P: ExtensionPoint + ?Sized + 'static> Loader<P> {
    async fn run(mut self) {
        let (waker, mut in_hand) = (waker().await, None);
        while unbudgeted_at_first(self.turn(&waker, &mut in_hand)).await {}
    }

    /// Makes attempts in place until one, or a turn, is to be waited for; answers whether to go on.
    async fn turn(&mut self, waker: &Waker, in_hand: &mut Option<u32>) -> bool {
        let Self { working: Working { table, shared }, batch, seated } = self;
        let job = Job { shared, table, caller: batch.caller, waker };
        let mut seat = Seat { batch, seated, waited: false };
        for _ in 0..TURN {
            let Some(position) = in_hand.take().or_else(|| seat.next()) else { return false };
            if batch.is_over() {
                return false;
            }
            let mut attempt = Attempt::new(&job, batch.members.node(position));
            let mut home = None;
            let end = match attempt.begin(&mut home) {
                ControlFlow::Break(end) => end,
                ControlFlow::Continue(wait) => attempt.wait_out(wait, &mut seat).await,
            };
            attempt.finish(end, home);
            let finish = Batch::finish(batch, position);
            *in_hand = finish.next;
            if finish.spawned {
                step_aside().await;
            }
            if seat.waited || finish.spawned {
                return true;
            }
        }
        yield_now().await;
        true
    }
}

/// A loader's right to take from the queue. If an attempt is pending at first, another loader takes it.
struct Seat<'a, P: ExtensionPoint + ?Sized + 'static> {
    batch: &'a Arc<Batch<P>>,
    seated: &'a mut bool,
    waited: bool,
}

impl<P: ExtensionPoint + ?Sized + 'static> Seat<'_, P> {
    /// The next position from the queue; `None` also when there are loaders enough.
    #[inline]
    fn next(&mut self) -> Option<u32> {
        if !*self.seated && !self.batch.queue.lock().take_seat() {
            return None;
        }
        let next = self.batch.next();
        *self.seated = next.is_some();
        next
    }
}

impl<P: ExtensionPoint + ?Sized + 'static> Worker for Seat<'_, P> {
    fn waits(&mut self) {
        self.waited = true;
        if mem::take(self.seated) && self.batch.hands_seat_on() {
            Batch::spawn_loader(self.batch);
        }
    }

    fn goes_on(&self) -> bool {
        !self.batch.is_over()
    }
}

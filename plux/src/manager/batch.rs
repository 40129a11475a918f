//! Loading many plugins: all of a manager, or one with all it pulls in.
//!
//! A few loaders, tasks of plux's own, take plugins from their share and poll each attempt where they
//! are. A loader whose attempt is pending hands its seat to a fresh loader and waits for that
//! attempt; so what is ready at once costs no task, and what is pending costs one. Whoever finishes
//! a plugin goes on with a dependent it made ready. There are no levels.
//!
//! Trap: a task that was spawned by a worker stands in a slot that other workers can not take from,
//! until the worker comes back to its queue. A loader that has spawned another one therefore steps
//! aside before it goes on; else loads that compute would run one after the other.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::Poll;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::task::{unconstrained, yield_now};

use super::load::{Caller, attempt};
use super::loaded::Loaded;
use super::members::{Members, READY};
use super::shared::Shared;
use super::shares::Shares;
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
    nested: bool,
) {
    // Only a strict batch has errors.
    let _ = run(shared, table, members, nested, None).await;
}

/// The same until one fails: from then on no attempt begins.
///
/// # Errors
/// The first failure, as soon as it is there.
pub(super) async fn try_load<P: ExtensionPoint + ?Sized + 'static>(
    shared: &Arc<Shared<P>>,
    table: &Arc<Table<P>>,
    members: Members,
    nested: bool,
) -> Result<(), LoadError> {
    run(shared, table, members, nested, Some(Strict::default())).await
}

async fn run<P: ExtensionPoint + ?Sized + 'static>(
    shared: &Arc<Shared<P>>,
    table: &Arc<Table<P>>,
    members: Members,
    nested: bool,
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
        caller: Caller { call: table.calls.next(), nested },
        missing: members.missing(table),
        members,
        shares: Shares::new(count, seats),
        queue: Mutex::default(),
        strict,
        table: Arc::clone(table),
        shared: Arc::clone(shared),
        answer: Mutex::new(Some(told)),
    });
    for seat in 0..seats {
        Batch::spawn_loader(&batch, seat);
    }
    drop(batch);
    // Without an error the channel closes when the last loader has let go of the batch.
    answer.await.map_or(Ok(()), Err)
}

/// Loads one plugin that pulls nothing in: one task, and nothing shared.
pub(super) async fn load_one<P: ExtensionPoint + ?Sized + 'static>(
    shared: &Arc<Shared<P>>,
    table: &Arc<Table<P>>,
    index: u32,
    nested: bool,
) {
    let working = Working::begin(shared, table);
    let caller = Caller { call: table.calls.next(), nested };
    let attempt = async move {
        attempt(&working.shared, &working.table, index, caller, || {}, || true).await;
    };
    // An error is the end of the runtime; the row then says that the attempt was cut short.
    let _ = task::spawn(attempt).await;
}

struct Batch<P: ExtensionPoint + ?Sized + 'static> {
    caller: Caller,
    members: Members,
    missing: Box<[AtomicU32]>,
    /// Where to look for members that were ready from the start.
    shares: Shares,
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
    /// The seats that no loader has.
    free_seats: Vec<usize>,
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
    fn spawn_loader(batch: &Arc<Self>, seat: usize) {
        let loader = Loader {
            working: Working::begin(&batch.shared, &batch.table),
            batch: Arc::clone(batch),
            seat: Some(seat),
        };
        task::spawn(loader.run());
    }

    /// Whether a failure has ended the batch.
    fn is_over(&self) -> bool {
        self.strict.as_ref().is_some_and(|strict| strict.over.load(Ordering::Acquire))
    }

    /// The next position for a loader with this seat; without one the seat is free again.
    #[inline]
    fn next(&self, seat: usize) -> Option<u32> {
        while let Some(position) = self.shares.next(seat) {
            let waits_for_none = |missing: &AtomicU32| missing.load(Ordering::Relaxed) == READY;
            if self.missing.get(position as usize).is_none_or(waits_for_none) {
                return Some(position);
            }
        }
        let mut queue = self.queue.lock();
        let next = queue.ready.pop_front();
        if next.is_none() {
            queue.free_seats.push(seat);
        }
        next
    }

    /// Whether there is work for another loader on this seat; otherwise it is free again.
    fn hands_on(&self, seat: usize) -> bool {
        if self.shares.any() {
            return true;
        }
        let mut queue = self.queue.lock();
        let idle = queue.ready.is_empty();
        if idle {
            queue.free_seats.push(seat);
        }
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
                queue.free_seats.pop()
            };
            if let Some(seat) = seat {
                Self::spawn_loader(batch, seat);
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
    seat: Option<usize>,
}

impl<P: ExtensionPoint + ?Sized + 'static> Loader<P> {
    async fn run(mut self) {
        let mut in_hand = None;
        while unbudgeted_at_first(self.turn(&mut in_hand)).await {}
    }

    /// Makes attempts in place until one, or a turn, is to be waited for; answers whether to go on.
    /// If an attempt is pending at first, another loader takes the seat.
    async fn turn(&mut self, in_hand: &mut Option<u32>) -> bool {
        for _ in 0..TURN {
            let Some(position) = in_hand.take().or_else(|| self.next()) else { return false };
            if self.batch.is_over() {
                return false;
            }
            let Self { working: Working { table, shared }, batch, seat } = self;
            let mut waited = false;
            let waits = || {
                waited = true;
                if let Some(seat) = seat.take().filter(|seat| batch.hands_on(*seat)) {
                    Batch::spawn_loader(batch, seat);
                }
            };
            let goes_on = || !batch.is_over();
            let node = batch.members.node(position);
            attempt(shared, table, node, batch.caller, waits, goes_on).await;
            let finish = Batch::finish(batch, position);
            *in_hand = finish.next;
            if finish.spawned {
                step_aside().await;
            }
            if waited || finish.spawned {
                return true;
            }
        }
        yield_now().await;
        true
    }

    /// The next position from the queue; `None` also when there are loaders enough.
    #[inline]
    fn next(&mut self) -> Option<u32> {
        let seat = match self.seat {
            Some(seat) => seat,
            None => *self.seat.insert(self.batch.queue.lock().free_seats.pop()?),
        };
        let next = self.batch.next(seat);
        if next.is_none() {
            self.seat = None;
        }
        next
    }
}

//! Loading many plugins: all of a manager, or one with all it pulls in.
//!
//! A few loaders, tasks of plux's own, take plugins from a shared queue and poll each attempt where
//! they are. A loader whose attempt is pending hands its seat to a fresh loader and waits for that
//! attempt; so what is ready at once costs no task, and what is pending costs one. Whoever finishes
//! a plugin goes on with a dependant it made ready. There are no levels.
//!
//! Trap: a loader that leaves its seat looks at the queue once more, and whoever fills the queue looks
//! for a free seat afterwards. Without the fences between, each could miss the other, and plugins
//! would stay in the queue with nobody to take them.

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering, fence};

use crossbeam_queue::SegQueue;
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;
use tokio::task::{unconstrained, yield_now};

use super::load::attempt;
use super::shared::Shared;
use crate::extension::ExtensionPoint;
use crate::table::Table;
use crate::task;

/// A loader lets other tasks run after so many plugins.
const TURN: u32 = 128;
/// Stands for the count of a member that was ready from the start; such a one is never counted down.
const READY: u32 = u32::MAX;

/// Makes one attempt for each member that is not loaded, each after those it depends on. Dropping
/// the future changes nothing.
pub(super) async fn load<P: ExtensionPoint + ?Sized + 'static>(
    shared: &Arc<Shared<P>>,
    table: &Arc<Table<P>>,
    members: Members,
) {
    let count = members.len(table);
    if count == 0 {
        return;
    }
    let (open, done) = oneshot::channel();
    let workers = tokio::runtime::Handle::current().metrics().num_workers();
    let seats = workers.min(count);
    let batch = Arc::new(Batch {
        missing: members.missing(table),
        members,
        count,
        cursor: AtomicUsize::new(0),
        ready: SegQueue::new(),
        free_seats: AtomicUsize::new(0),
        table: Arc::clone(table),
        shared: Arc::clone(shared),
        _open: open,
    });
    for _ in 0..seats {
        Batch::spawn_loader(&batch);
    }
    drop(batch);
    // It is never sent: the channel closes when the last loader has let go of the batch.
    let _ = done.await;
}

/// Loads one plugin that pulls nothing in: one task, and nothing shared.
pub(super) async fn load_one<P: ExtensionPoint + ?Sized + 'static>(
    shared: &Arc<Shared<P>>,
    table: &Arc<Table<P>>,
    index: u32,
) {
    let (working, table) = (Working::begin(shared), Arc::clone(table));
    // An error is the end of the runtime; the row then says that the attempt was aborted.
    let _ = task::spawn(async move { attempt(&working.shared, &table, index).await }).await;
}

/// Which plugins take part. A member's position is its place among them.
pub(super) enum Members {
    /// All of the table; position and node are the same.
    All,
    /// Some of it.
    Some { nodes: Vec<u32>, positions: FxHashMap<u32, u32> },
}

impl Members {
    pub(super) fn of(nodes: Vec<u32>) -> Self {
        let positions = nodes.iter().zip(0..).map(|(node, position)| (*node, position)).collect();
        Self::Some { nodes, positions }
    }

    fn len<P: ExtensionPoint + ?Sized>(&self, table: &Table<P>) -> usize {
        match self {
            Self::All => table.rows().len(),
            Self::Some { nodes, .. } => nodes.len(),
        }
    }

    fn node(&self, position: u32) -> u32 {
        match self {
            Self::All => position,
            Self::Some { nodes, .. } => nodes[position as usize],
        }
    }

    fn position(&self, node: u32) -> Option<u32> {
        match self {
            Self::All => Some(node),
            Self::Some { positions, .. } => positions.get(&node).copied(),
        }
    }

    /// For each position how many members it waits for; nothing at all without edges. What can not
    /// be used is waited for by nobody, and waits for nobody.
    fn missing<P: ExtensionPoint + ?Sized>(&self, table: &Table<P>) -> Box<[AtomicU32]> {
        let graph = table.graph();
        if graph.has_no_edges() {
            return Box::default();
        }
        let count = |position: u32| {
            let node = self.node(position);
            let waits = match graph.problem(node) {
                Some(_) => 0,
                None => graph.usable(node).filter(|(to, _)| self.position(*to).is_some()).count(),
            };
            AtomicU32::new(if waits == 0 { READY } else { waits as u32 })
        };
        (0..self.len(table) as u32).map(count).collect()
    }
}

struct Batch<P: ExtensionPoint + ?Sized> {
    members: Members,
    count: usize,
    missing: Box<[AtomicU32]>,
    /// The next position to look at for a member that was ready from the start.
    cursor: AtomicUsize,
    /// Positions that became ready since.
    ready: SegQueue<u32>,
    /// How many loaders may still take from the queue.
    free_seats: AtomicUsize,
    table: Arc<Table<P>>,
    shared: Arc<Shared<P>>,
    /// The caller holds the other end.
    _open: oneshot::Sender<()>,
}

impl<P: ExtensionPoint + ?Sized + 'static> Batch<P> {
    /// Spawns a loader on a seat that the caller had, or took.
    fn spawn_loader(batch: &Arc<Self>) {
        let loader = Loader {
            working: Working::begin(&batch.shared),
            batch: Arc::clone(batch),
            seated: true,
        };
        task::spawn(loader.run());
    }

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
        self.ready.pop()
    }

    fn has_work(&self) -> bool {
        self.cursor.load(Ordering::Relaxed) < self.count || !self.ready.is_empty()
    }

    fn take_seat(&self) -> bool {
        let take = |free: usize| free.checked_sub(1);
        self.free_seats.try_update(Ordering::AcqRel, Ordering::Relaxed, take).is_ok()
    }

    /// Frees a seat. Returns whether it was taken again, because there is work.
    fn leave_seat(&self) -> bool {
        self.free_seats.fetch_add(1, Ordering::AcqRel);
        fence(Ordering::SeqCst);
        self.has_work() && self.take_seat()
    }

    /// Counts down those that waited for `position`. Returns one that is ready now; the others go
    /// into the queue, with a loader for each as long as there are seats.
    fn finish(batch: &Arc<Self>, position: u32) -> Option<u32> {
        let graph = batch.table.graph();
        let node = batch.members.node(position);
        if batch.missing.is_empty() || graph.problem(node).is_some() {
            return None;
        }
        let mut in_hand = None;
        for &(dependent, _) in graph.dependents(node) {
            let Some(waiting) = batch.members.position(dependent) else { continue };
            let missing = &batch.missing[waiting as usize];
            if missing.load(Ordering::Relaxed) == READY
                || missing.fetch_sub(1, Ordering::AcqRel) != 1
            {
                continue;
            }
            if in_hand.is_none() {
                in_hand = Some(waiting);
                continue;
            }
            batch.ready.push(waiting);
            fence(Ordering::SeqCst);
            if batch.take_seat() {
                Self::spawn_loader(batch);
            }
        }
        in_hand
    }
}

/// Counts one task of the manager for as long as it lives.
struct Working<P: ExtensionPoint + ?Sized> {
    shared: Arc<Shared<P>>,
}

impl<P: ExtensionPoint + ?Sized> Working<P> {
    fn begin(shared: &Arc<Shared<P>>) -> Self {
        shared.closing.begin();
        Self { shared: Arc::clone(shared) }
    }
}

impl<P: ExtensionPoint + ?Sized> Drop for Working<P> {
    fn drop(&mut self) {
        self.shared.closing.end();
    }
}

struct Loader<P: ExtensionPoint + ?Sized> {
    working: Working<P>,
    batch: Arc<Batch<P>>,
    seated: bool,
}

impl<P: ExtensionPoint + ?Sized + 'static> Loader<P> {
    async fn run(mut self) {
        let mut in_hand = None;
        let mut turn = TURN;
        while let Some(position) = in_hand.take().or_else(|| self.next()) {
            self.visit(position).await;
            in_hand = Batch::finish(&self.batch, position);
            turn -= 1;
            if turn == 0 {
                turn = TURN;
                yield_now().await;
            }
        }
    }

    /// The next position from the queue; `None` also when there are loaders enough.
    fn next(&mut self) -> Option<u32> {
        if !self.seated {
            self.seated = self.batch.take_seat();
        }
        while self.seated {
            if let Some(position) = self.batch.next() {
                return Some(position);
            }
            self.seated = self.batch.leave_seat();
        }
        None
    }

    /// Makes the attempt in place. If it is pending at first, another loader takes the seat.
    async fn visit(&mut self, position: u32) {
        let node = self.batch.members.node(position);
        let mut attempt = pin!(attempt(&self.working.shared, &self.batch.table, node));
        let mut seated = mem::take(&mut self.seated);
        let mut first = true;
        poll_fn(|cx| {
            if !mem::take(&mut first) {
                return attempt.as_mut().poll(cx);
            }
            // What is ready must not look pending because other plugins have used up the budget.
            let poll = pin!(unconstrained(attempt.as_mut())).poll(cx);
            if poll.is_pending() && mem::take(&mut seated) {
                let batch = &self.batch;
                if batch.has_work() || batch.leave_seat() {
                    Batch::spawn_loader(batch);
                }
            }
            poll
        })
        .await;
        self.seated = seated;
    }
}

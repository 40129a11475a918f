//! Who waits for whom: loads that ask for other loads, and the refusal of one that would wait for
//! itself.
//!
//! Trap: which load asks is known by the thread that polls it, so a load that asks from a task it has
//! spawned is not known. Such a one ends by its time limit, if it has one.

use std::cell::Cell;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use crate::error::LoadError;
use crate::extension::ExtensionPoint;
use crate::name::PluginId;
use crate::origin::Origin;
use crate::spec::DependencyKind;
use crate::table::{Table, next_call};

/// On whose behalf attempts are made.
#[derive(Clone, Copy)]
pub(super) struct Caller {
    /// The number of the call.
    pub(super) call: u64,
    /// Whether another load waits for it.
    pub(super) nested: bool,
}

/// One plugin of one manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The address of its table, which lives as long as anybody loads it.
    table: NonZeroUsize,
    index: u32,
}

impl Key {
    #[inline]
    pub(super) fn new<P: ExtensionPoint + ?Sized + 'static>(table: &Table<P>, index: u32) -> Self {
        Self { table: NonNull::from(table).addr(), index }
    }
}

thread_local! {
    /// The load that is being polled here.
    static LOADING: Cell<Option<Key>> = const { Cell::new(None) };
}

/// Polls a load's own code, which may ask for other loads. It must not panic.
#[inline]
pub(super) fn poll_of<T>(key: Key, poll: impl FnOnce() -> T) -> T {
    let before = LOADING.with(Cell::get);
    LOADING.with(|loading| loading.set(Some(key)));
    let polled = poll();
    LOADING.with(|loading| loading.set(before));
    polled
}

/// A table, seen without its extension point.
trait Names: Send + Sync {
    fn named(&self, index: u32) -> (PluginId, Origin);

    /// Whether the call still waits for the plugin, if it wants all of these.
    fn is_waited_for(&self, index: u32, wanted: &FxHashSet<u32>, call: u64) -> bool;
}

impl<P: ExtensionPoint + ?Sized + 'static> Names for Table<P> {
    fn named(&self, index: u32) -> (PluginId, Origin) {
        let spec = self.row(index).spec();
        (spec.id(), spec.origin())
    }

    fn is_waited_for(&self, index: u32, wanted: &FxHashSet<u32>, call: u64) -> bool {
        let is_open = |index: u32| self.row(index).value().is_none();
        // What has failed for the call is waited for by what requires it, while somebody tries it again.
        let holds_up = |&(dependent, kind): &(u32, DependencyKind)| {
            kind == DependencyKind::Requires && wanted.contains(&dependent) && is_open(dependent)
        };
        let is_over =
            self.row(index).has_ended(call) && !self.graph().dependents(index).iter().any(holds_up);
        is_open(index) && !is_over
    }
}

/// One load that waits for others of one table.
struct Wait {
    names: Arc<dyn Names>,
    table: NonZeroUsize,
    call: u64,
    /// The one that was asked for, when it was one.
    target: Option<u32>,
    on: FxHashSet<u32>,
}

type Waits = FxHashMap<Key, Vec<Arc<Wait>>>;

/// All loads of the process that wait for others: a cycle may lead through several managers.
static WAITS: Mutex<Waits> = Mutex::new(Waits::with_hasher(FxBuildHasher));

/// A load that waits for others, until this is dropped.
pub(super) struct Waiting {
    from: Key,
    wait: Arc<Wait>,
}

/// Begins a call that wants these of `table`; the load which is being polled here, if one is, waits for
/// them.
///
/// # Errors
/// [`LoadError::WaitsForItself`] when one of them waits for it.
pub(super) fn begin<P: ExtensionPoint + ?Sized + 'static>(
    table: &Arc<Table<P>>,
    target: Option<u32>,
    on: impl FnOnce() -> Vec<u32>,
) -> Result<(Caller, Option<Waiting>), LoadError> {
    let call = next_call();
    let Some(from) = LOADING.get() else { return Ok((Caller { call, nested: false }, None)) };
    let undecided = |index: &u32| table.row(*index).value().is_none();
    let wait = Arc::new(Wait {
        names: Arc::clone(table) as Arc<dyn Names>,
        table: Key::new(table, 0).table,
        call,
        target,
        on: on().into_iter().filter(undecided).collect(),
    });
    let mut waits = WAITS.lock();
    if let Some(path) = cycle(&waits, from, &wait) {
        return Err(LoadError::WaitsForItself { path });
    }
    waits.entry(from).or_default().push(Arc::clone(&wait));
    Ok((Caller { call, nested: true }, Some(Waiting { from, wait })))
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waits = WAITS.lock();
        if let Some(own) = waits.get_mut(&self.from) {
            own.retain(|wait| !Arc::ptr_eq(wait, &self.wait));
            if own.is_empty() {
                waits.remove(&self.from);
            }
        }
        if waits.is_empty() {
            waits.shrink_to_fit();
        }
    }
}

/// The way from `from` over `first` back to itself, shortest first.
fn cycle(waits: &Waits, from: Key, first: &Arc<Wait>) -> Option<Vec<(PluginId, Origin)>> {
    let mut reached: FxHashMap<Key, (Arc<Wait>, Option<Key>)> = FxHashMap::default();
    let mut queue = VecDeque::new();
    let mut reach = |wait: &Arc<Wait>, by: Option<Key>, queue: &mut VecDeque<Key>| {
        for &index in &wait.on {
            if !wait.names.is_waited_for(index, &wait.on, wait.call) {
                continue;
            }
            let key = Key { table: wait.table, index };
            reached.entry(key).or_insert_with(|| {
                queue.push_back(key);
                (Arc::clone(wait), by)
            });
        }
    };
    reach(first, None, &mut queue);
    while let Some(key) = queue.pop_front() {
        if key == from {
            return Some(path(&reached, from));
        }
        for wait in waits.get(&key).into_iter().flatten() {
            reach(wait, Some(key), &mut queue);
        }
    }
    None
}

/// From `end` on, in the order in which each waits for the next.
fn path(reached: &FxHashMap<Key, (Arc<Wait>, Option<Key>)>, end: Key) -> Vec<(PluginId, Origin)> {
    let mut path = Vec::new();
    let mut at = Some(end);
    while let Some((key, (wait, by))) = at.and_then(|key| reached.get_key_value(&key)) {
        path.push(wait.names.named(key.index));
        // Who is asked for may wait for the next by what it requires.
        if let Some(target) = wait.target.filter(|target| *target != key.index) {
            path.push(wait.names.named(target));
        }
        at = *by;
    }
    // The end of the way is where it begins.
    path[1..].reverse();
    path
}

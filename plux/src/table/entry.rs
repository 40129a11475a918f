//! A row of the state table: one plugin and where it stands.
//!
//! The state is one word. Whoever sets its `BUSY` bit owns the row until the bit is cleared; the
//! owner's moves are in `claim.rs`.
//!
//! Trap: who waits for a busy row sets `WAITED` and takes its notification in one go under the lock,
//! and the owner looks at `WAITED` in the very access that clears `BUSY`, and then takes the lock. So
//! no wake is lost. `WAITED` is never set on a row that is not busy.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::error::LoadFailure;
use crate::extension::ExtensionPoint;
use crate::name::PluginId;
use crate::reason::Phase;
use crate::spec::{PluginSpec, SpecRef};
use crate::state::PluginState;
use crate::task;

/// The low bits of the word.
pub(super) const TAG: u32 = 0b0111;
pub(super) const RESOLVED: u32 = 0;
pub(super) const INITIALIZED: u32 = 1;
pub(super) const LOADING: u32 = 2;
pub(super) const LOADED: u32 = 3;
pub(super) const DISABLED: u32 = 4;
pub(super) const FAILED: u32 = 5;
pub(super) const SKIPPED: u32 = 6;
/// It was disabled, and is to be asked again.
pub(super) const RECONSIDERED: u32 = 7;
/// Somebody owns the row.
pub(super) const BUSY: u32 = 0b0_1000;
/// Somebody waits for the owner to be done.
pub(super) const WAITED: u32 = 0b1_0000;
/// The owner's attempt is not the first.
pub(super) const AGAIN: u32 = 0b10_0000;
/// Filters are asked about it.
const ASKED: u32 = 0b100_0000;

/// One plugin.
pub(crate) struct Entry<P: ExtensionPoint + ?Sized + 'static> {
    spec: SpecRef,
    /// Its place in the order of names, and its node in the graph.
    index: u32,
    pub(super) word: AtomicU32,
    pub(super) value: OnceLock<Value<P>>,
    /// What few rows need. The mutex also orders a reason and the word that announces it.
    pub(super) cold: Mutex<Option<Box<Cold<P>>>>,
}

/// What a loaded plugin is. The output goes before the plugin it came from.
pub(crate) struct Value<P: ExtensionPoint + ?Sized + 'static> {
    pub(crate) output: P::Output,
    pub(crate) plugin: Arc<P>,
}

pub(super) struct Cold<P: ?Sized> {
    /// Initialised, and not loaded by the last attempt; the next one goes on with it.
    pub(super) plugin: Option<Arc<P>>,
    /// Why the last attempt did not load it.
    pub(super) reason: Option<Reason>,
    /// The last call that had begun when that attempt ended.
    pub(super) ended: u64,
    pub(super) waiters: Option<Arc<Notify>>,
}

impl<P: ?Sized> Default for Cold<P> {
    fn default() -> Self {
        Self { plugin: None, reason: None, ended: 0, waiters: None }
    }
}

/// Why an attempt did not load a plugin.
#[derive(Debug, Clone)]
pub(crate) enum Reason {
    Disabled(Arc<str>),
    Failed(Arc<LoadFailure>),
    Skipped(PluginId),
}

impl Reason {
    pub(super) fn tag(&self) -> u32 {
        match self {
            Self::Disabled(_) => DISABLED,
            Self::Failed(_) => FAILED,
            Self::Skipped(_) => SKIPPED,
        }
    }
}

/// How the last attempt ended.
pub(crate) enum Outcome {
    /// None has, yet.
    Open,
    Loaded,
    Not(Reason),
}

impl<P: ExtensionPoint + ?Sized + 'static> Entry<P> {
    pub(super) fn new(spec: SpecRef, index: u32) -> Self {
        Self {
            spec,
            index,
            word: AtomicU32::new(RESOLVED),
            value: OnceLock::new(),
            cold: Mutex::new(None),
        }
    }

    pub(crate) fn spec(&self) -> &SpecRef {
        &self.spec
    }

    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    /// The plugin and its output, once loaded.
    pub(crate) fn value(&self) -> Option<&Value<P>> {
        self.value.get()
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.word.load(Ordering::Acquire) & BUSY != 0
    }

    /// Whether no attempt is to be made: the last one said that it does not want to load.
    pub(crate) fn is_disabled(&self) -> bool {
        self.word.load(Ordering::Acquire) & TAG == DISABLED
    }

    /// Whether an attempt can begin: nobody makes one, and it is not settled for good.
    pub(crate) fn is_open(&self) -> bool {
        let word = self.word.load(Ordering::Acquire);
        word & BUSY == 0 && !matches!(word & TAG, LOADED | DISABLED)
    }

    /// Whether an attempt has ended since the call of this number began; that one is the call's own, also
    /// when somebody tries again.
    pub(crate) fn has_ended(&self, call: u64) -> bool {
        self.cold.lock().as_ref().is_some_and(|cold| cold.ended >= call)
    }

    /// Has the next call make an attempt, if the last one said that it does not want to load.
    pub(crate) fn reconsider(&self) -> bool {
        // Held so that no attempt can end, and be found to be the call's own, in between.
        let mut slot = self.cold.lock();
        let (before, after) = (DISABLED, RECONSIDERED);
        let moved = self.word.compare_exchange(before, after, Ordering::AcqRel, Ordering::Acquire);
        if let (Ok(_), Some(cold)) = (moved, slot.as_mut()) {
            // The attempt that ended is nobody's any more. Its reason stays until the next one ends.
            cold.ended = 0;
        }
        moved.is_ok()
    }

    /// The phase that an attempt under way has come to. Copies no reason: whoever drops the last copy of
    /// one runs a destructor of the user's.
    pub(crate) fn reached(&self) -> Phase {
        let word = self.word.load(Ordering::Acquire);
        match (word & TAG, word & ASKED != 0) {
            (LOADING | LOADED, _) => Phase::Load,
            (INITIALIZED, true) => Phase::BeforeLoad,
            (INITIALIZED, false) => Phase::ShouldLoad,
            (_, true) => Phase::BeforeInit,
            (_, false) => Phase::Init,
        }
    }

    /// Asks filters about the plugin, for the owner of the row.
    pub(crate) fn ask<T>(&self, filters: impl FnOnce() -> T) -> T {
        self.word.fetch_or(ASKED, Ordering::AcqRel);
        let answer = filters();
        self.word.fetch_and(!ASKED, Ordering::AcqRel);
        answer
    }

    /// Where it stands now. Never waits for an attempt.
    pub(crate) fn state(&self) -> PluginState {
        let plain = |word: u32| match word & TAG {
            RESOLVED | RECONSIDERED => Some(PluginState::Resolved),
            INITIALIZED => Some(PluginState::Initialized),
            // Whoever has seen the value must not be told that it is still to come.
            LOADING if self.value.get().is_some() => Some(PluginState::Loaded),
            LOADING => Some(PluginState::Loading),
            LOADED => Some(PluginState::Loaded),
            _ => None,
        };
        if let Some(state) = plain(self.word.load(Ordering::Acquire)) {
            return state;
        }
        // A word that announces a reason is written with the lock held, after the reason.
        let cold = self.cold.lock();
        if let Some(state) = plain(self.word.load(Ordering::Acquire)) {
            return state;
        }
        match cold.as_ref().and_then(|cold| cold.reason.clone()) {
            Some(Reason::Disabled(reason)) => PluginState::Disabled(reason),
            Some(Reason::Failed(failure)) => PluginState::Failed(failure),
            Some(Reason::Skipped(because)) => PluginState::Skipped(because),
            None => PluginState::Resolved,
        }
    }

    /// How the last attempt ended; while one is under way, the one before it.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.value.get().is_some() {
            return Outcome::Loaded;
        }
        let reason = self.cold.lock().as_ref().and_then(|cold| cold.reason.clone());
        match reason {
            Some(reason) => Outcome::Not(reason),
            // Success clears the reason, but sets the value first.
            None if self.value.get().is_some() => Outcome::Loaded,
            None => Outcome::Open,
        }
    }

    /// Returns when an attempt of those since the call of this number began has given the row up, or nobody
    /// owns it; somebody may again. Cancel safe.
    pub(crate) async fn settled(&self, call: u64) {
        if self.is_busy()
            && let Some(given_up) = self.wait(call)
        {
            given_up.await;
        }
    }

    /// Returns when the owner of the row, if it has one, has given it up. Cancel safe.
    pub(crate) async fn given_up(&self) {
        self.settled(u64::MAX).await;
    }

    /// What resolves when the owner gives the row up; `None` when there is nothing to wait for. It counts
    /// from here, polled or not.
    fn wait(&self, call: u64) -> Option<OwnedNotified> {
        let mut slot = self.cold.lock();
        let anew = self.word.load(Ordering::Acquire) & TAG <= LOADING;
        if anew && slot.as_ref().is_some_and(|cold| cold.ended >= call) {
            return None;
        }
        let set = |word: u32| (word & BUSY != 0).then_some(word | WAITED);
        self.word.try_update(Ordering::AcqRel, Ordering::Acquire, set).ok()?;
        let waiters = slot.get_or_insert_default().waiters.get_or_insert_default();
        Some(Arc::clone(waiters).notified_owned())
    }

    /// Forgets why earlier attempts failed. Whoever waits already is still to be woken.
    pub(super) fn forget(&self) {
        let forgotten = {
            let mut slot = self.cold.lock();
            match slot.as_mut() {
                Some(cold) if cold.waiters.is_some() => cold.reason.take(),
                _ => slot.take().and_then(|cold| cold.reason),
            }
        };
        discard(&self.spec, forgotten);
    }

    /// Drops all that is the plugin's, each on its own, the output before the plugin it came from.
    pub(super) fn dismantle(self) {
        let Self { spec, value, cold, .. } = self;
        if let Some(Value { output, plugin }) = value.into_inner() {
            discard(&spec, output);
            discard(&spec, plugin);
        }
        if let Some(Cold { plugin, reason, .. }) = cold.into_inner().map(|cold| *cold) {
            discard(&spec, plugin);
            discard(&spec, reason);
        }
        let id = spec.id();
        if let Err(panic) = task::catch(|| drop(spec)) {
            tracing::error!(%id, "the destructor of its factory {panic}");
        }
    }
}

/// Drops what belongs to the plugin of `spec`: user code, whose panic costs a log line. No lock may be
/// held.
pub(crate) fn discard<T>(spec: &PluginSpec, value: T) {
    if let Err(panic) = task::catch(|| drop(value)) {
        let (id, origin) = (spec.id(), spec.origin());
        tracing::error!(%id, %origin, "its destructor {panic}");
    }
}

//! Owning a row for one attempt. Each step takes the one before it by value, so a move that is not
//! drawn here can not be written.
//!
//! ```text
//! claim ─► Claim ─► Initialized ─► Loading ─► loaded ─► Ended
//!            └───────────┴────────────┴─────► not(reason) ─►┘
//! ```
//!
//! Trap: the last state is published while the row is still owned, and `Ended` gives it up. Between
//! the two the event is emitted, so that no event of a later attempt can overtake it.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::entry::{
    AGAIN, BUSY, DISABLED, Entry, INITIALIZED, LOADED, LOADING, RESOLVED, Reason, TAG, Value,
    WAITED, discard,
};
use crate::error::{FailureCause, LoadFailure};
use crate::extension::ExtensionPoint;
use crate::reason::Phase;

/// The last call that wanted something loaded, of all managers: so a claim is no more than its row.
static LAST_CALL: AtomicU64 = AtomicU64::new(0);

/// Begins a call that wants something loaded: its number, by which callers at once share a failure.
pub(crate) fn next_call() -> u64 {
    LAST_CALL.fetch_add(1, Ordering::AcqRel) + 1
}

/// The answer to a claim.
pub(crate) enum Turn<'a, P: ExtensionPoint + ?Sized + 'static> {
    /// The row is the caller's for one attempt.
    Mine(Claim<'a, P>),
    /// Somebody else makes an attempt.
    Busy,
    /// It is loaded, or disabled for good.
    Settled,
}

impl<P: ExtensionPoint + ?Sized + 'static> Entry<P> {
    /// Asks to make an attempt for the call of this number. Of any number who ask at once one gets it,
    /// and an attempt that ended after the call had begun is the call's own.
    #[inline]
    pub(crate) fn claim(&self, call: u64) -> Turn<'_, P> {
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            let busy = word & BUSY != 0;
            let again = match word & TAG {
                // One that has ended tells of it before it gives the row up.
                tag if busy => {
                    if tag <= LOADING {
                        word & AGAIN
                    } else {
                        0
                    }
                }
                LOADED | DISABLED => return Turn::Settled,
                RESOLVED => 0,
                _ => AGAIN,
            };
            // Held until the row is claimed, so that no attempt can begin and end in between.
            let cold = (again != 0).then(|| self.cold.lock());
            let cold = cold.as_ref().and_then(|slot| slot.as_ref());
            if cold.is_some_and(|cold| cold.ended >= call) {
                return Turn::Settled;
            }
            if busy {
                return Turn::Busy;
            }
            let owned = RESOLVED | BUSY | again;
            match self.word.compare_exchange_weak(word, owned, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return Turn::Mine(Claim { hold: Hold { entry: self } }),
                Err(now) => word = now,
            }
        }
    }
}

/// The ownership itself. Dropped before its end, with the runtime, it leaves the row failed.
struct Hold<'a, P: ExtensionPoint + ?Sized + 'static> {
    entry: &'a Entry<P>,
}

impl<'a, P: ExtensionPoint + ?Sized + 'static> Hold<'a, P> {
    /// The tag, which nobody else moves.
    fn tag(&self) -> u32 {
        self.entry.word.load(Ordering::Relaxed) & TAG
    }

    /// Moves the tag from what it is; the other bits stay as they are. Returns the word before.
    #[inline]
    fn publish(&self, from: u32, to: u32) -> u32 {
        // Others may set `WAITED` meanwhile, so the difference is added and nothing is stored.
        self.entry.word.fetch_add(to.wrapping_sub(from), Ordering::AcqRel)
    }

    /// Ends it with this tag, which the word has by now.
    #[inline]
    fn close(self, tag: u32) -> Ended<'a, P> {
        let ended = Ended { entry: self.entry, tag };
        // Only an attempt that was cut short has something to do when it is dropped.
        mem::forget(self);
        ended
    }

    fn not(self, plugin: Option<Arc<P>>, reason: Reason) -> Ended<'a, P> {
        let tag = reason.tag();
        self.write(plugin, reason);
        self.close(tag)
    }

    fn write(&self, plugin: Option<Arc<P>>, reason: Reason) {
        let tag = reason.tag();
        let before = {
            let mut slot = self.entry.cold.lock();
            let cold = slot.get_or_insert_default();
            if plugin.is_some() {
                cold.plugin = plugin;
            }
            cold.ended = LAST_CALL.load(Ordering::Acquire);
            let before = cold.reason.replace(reason);
            self.publish(self.tag(), tag);
            before
        };
        discard(self.entry.spec(), before);
    }
}

impl<P: ExtensionPoint + ?Sized + 'static> Drop for Hold<'_, P> {
    fn drop(&mut self) {
        let phase = match self.tag() {
            LOADING => Phase::Load,
            INITIALIZED => Phase::ShouldLoad,
            _ => Phase::Init,
        };
        let spec = self.entry.spec();
        let cause = FailureCause::Aborted;
        let failure = LoadFailure { id: spec.id(), origin: spec.origin(), phase, cause };
        self.write(None, Reason::Failed(Arc::new(failure)));
        drop(Ended { entry: self.entry, tag: self.tag() });
    }
}

/// An attempt that has not got its plugin yet.
pub(crate) struct Claim<'a, P: ExtensionPoint + ?Sized + 'static> {
    hold: Hold<'a, P>,
}

impl<'a, P: ExtensionPoint + ?Sized + 'static> Claim<'a, P> {
    /// The plugin that an earlier attempt initialised and could not load.
    #[inline]
    pub(crate) fn take_kept(&self) -> Option<Arc<P>> {
        match self.hold.entry.word.load(Ordering::Relaxed) & AGAIN {
            0 => None,
            _ => self.hold.entry.cold.lock().as_mut().and_then(|cold| cold.plugin.take()),
        }
    }

    #[inline]
    pub(crate) fn initialized(self) -> Initialized<'a, P> {
        self.hold.publish(RESOLVED, INITIALIZED);
        Initialized { hold: self.hold }
    }

    pub(crate) fn not(self, reason: Reason) -> Ended<'a, P> {
        self.hold.not(None, reason)
    }
}

/// An attempt whose plugin is there.
pub(crate) struct Initialized<'a, P: ExtensionPoint + ?Sized + 'static> {
    hold: Hold<'a, P>,
}

impl<'a, P: ExtensionPoint + ?Sized + 'static> Initialized<'a, P> {
    #[inline]
    pub(crate) fn loading(self) -> Loading<'a, P> {
        self.hold.publish(INITIALIZED, LOADING);
        Loading { hold: self.hold }
    }

    pub(crate) fn not(self, plugin: Option<Arc<P>>, reason: Reason) -> Ended<'a, P> {
        self.hold.not(plugin, reason)
    }
}

/// An attempt whose plugin is being loaded.
pub(crate) struct Loading<'a, P: ExtensionPoint + ?Sized + 'static> {
    hold: Hold<'a, P>,
}

impl<'a, P: ExtensionPoint + ?Sized + 'static> Loading<'a, P> {
    #[inline]
    pub(crate) fn loaded(self, plugin: Arc<P>, output: P::Output) -> Ended<'a, P> {
        let Self { hold } = self;
        // It is empty: only the owner fills it, and a row with a value is never owned again.
        hold.entry.value.get_or_init(|| Value { output, plugin });
        if hold.publish(LOADING, LOADED) & AGAIN != 0 {
            hold.entry.forget();
        }
        hold.close(LOADED)
    }

    pub(crate) fn not(self, plugin: Option<Arc<P>>, reason: Reason) -> Ended<'a, P> {
        self.hold.not(plugin, reason)
    }
}

/// An attempt that is over; dropping it gives the row up and wakes who waits.
#[must_use = "the row is given up when this is dropped"]
pub(crate) struct Ended<'a, P: ExtensionPoint + ?Sized + 'static> {
    entry: &'a Entry<P>,
    tag: u32,
}

impl<P: ExtensionPoint + ?Sized + 'static> Drop for Ended<'_, P> {
    fn drop(&mut self) {
        // The tag is what it was: nobody else moves it. So all that goes is the other bits.
        let word = self.entry.word.swap(self.tag, Ordering::AcqRel);
        if word & WAITED != 0 {
            self.wake();
        }
    }
}

impl<P: ExtensionPoint + ?Sized + 'static> Ended<'_, P> {
    #[cold]
    fn wake(&self) {
        let waiters = {
            let mut slot = self.entry.cold.lock();
            let waiters = slot.as_mut().and_then(|cold| cold.waiters.take());
            // A loaded row has nothing rare about it any more.
            if self.tag == LOADED {
                *slot = None;
            }
            waiters
        };
        if let Some(waiters) = waiters {
            waiters.notify_waiters();
        }
    }
}

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

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::entry::{
    BUSY, DISABLED, Entry, INITIALIZED, LOADED, LOADING, RESOLVED, Reason, TAG, Value, WAITED,
};
use crate::error::{FailureCause, LoadFailure};
use crate::extension::ExtensionPoint;
use crate::reason::Phase;

/// The answer to a claim.
pub(crate) enum Turn<'a, P: ExtensionPoint + ?Sized> {
    /// The row is the caller's for one attempt.
    Mine(Claim<'a, P>),
    /// Somebody else makes an attempt.
    Busy,
    /// It is loaded, or disabled for good.
    Settled,
}

impl<P: ExtensionPoint + ?Sized> Entry<P> {
    /// Asks to make an attempt. Of any number who ask at once one gets it.
    pub(crate) fn claim(&self) -> Turn<'_, P> {
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            if word & BUSY != 0 {
                return Turn::Busy;
            }
            let tag = word & TAG;
            if tag == LOADED || tag == DISABLED {
                return Turn::Settled;
            }
            let owned = RESOLVED | BUSY;
            match self.word.compare_exchange_weak(word, owned, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => {
                    let again = tag != RESOLVED;
                    let kept = if again { self.take_kept() } else { None };
                    let hold = Hold { entry: self, tag: RESOLVED, again, open: true };
                    return Turn::Mine(Claim { hold, kept });
                }
                Err(now) => word = now,
            }
        }
    }

    fn take_kept(&self) -> Option<Arc<P>> {
        self.cold.lock().as_mut().and_then(|cold| cold.plugin.take())
    }
}

/// The ownership itself. Dropped before its end, with the runtime, it leaves the row failed.
struct Hold<'a, P: ExtensionPoint + ?Sized> {
    entry: &'a Entry<P>,
    tag: u32,
    /// Whether an attempt came before this one.
    again: bool,
    open: bool,
}

impl<'a, P: ExtensionPoint + ?Sized> Hold<'a, P> {
    /// Moves the tag; `BUSY` and `WAITED` stay as they are.
    fn publish(&mut self, tag: u32) {
        // Others may set `WAITED` meanwhile, so the difference is added and nothing is stored.
        self.entry.word.fetch_add(tag.wrapping_sub(self.tag), Ordering::AcqRel);
        self.tag = tag;
    }

    fn close(mut self) -> Ended<'a, P> {
        self.open = false;
        Ended { entry: self.entry, tag: self.tag }
    }

    fn not(mut self, plugin: Option<Arc<P>>, reason: Reason) -> Ended<'a, P> {
        self.write(plugin, reason);
        self.close()
    }

    fn write(&mut self, plugin: Option<Arc<P>>, reason: Reason) {
        let tag = reason.tag();
        let mut slot = self.entry.cold.lock();
        let cold = slot.get_or_insert_default();
        cold.plugin = plugin;
        cold.reason = Some(reason);
        self.publish(tag);
    }
}

impl<P: ExtensionPoint + ?Sized> Drop for Hold<'_, P> {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let phase = match self.tag {
            LOADING => Phase::Load,
            INITIALIZED => Phase::ShouldLoad,
            _ => Phase::Init,
        };
        let spec = self.entry.spec();
        let cause = FailureCause::Aborted;
        let failure = LoadFailure { id: spec.id(), origin: spec.origin(), phase, cause };
        self.write(None, Reason::Failed(Arc::new(failure)));
        drop(Ended { entry: self.entry, tag: self.tag });
    }
}

/// An attempt that has not got its plugin yet.
pub(crate) struct Claim<'a, P: ExtensionPoint + ?Sized> {
    hold: Hold<'a, P>,
    /// What an earlier attempt initialised.
    kept: Option<Arc<P>>,
}

impl<'a, P: ExtensionPoint + ?Sized> Claim<'a, P> {
    /// The plugin that an earlier attempt initialised and could not load.
    pub(crate) fn take_kept(&mut self) -> Option<Arc<P>> {
        self.kept.take()
    }

    pub(crate) fn initialized(mut self, plugin: Arc<P>) -> Initialized<'a, P> {
        self.hold.publish(INITIALIZED);
        Initialized { hold: self.hold, plugin }
    }

    pub(crate) fn not(self, reason: Reason) -> Ended<'a, P> {
        self.hold.not(self.kept, reason)
    }
}

/// An attempt whose plugin is there.
pub(crate) struct Initialized<'a, P: ExtensionPoint + ?Sized> {
    hold: Hold<'a, P>,
    plugin: Arc<P>,
}

impl<'a, P: ExtensionPoint + ?Sized> Initialized<'a, P> {
    pub(crate) fn plugin(&self) -> &P {
        &self.plugin
    }

    pub(crate) fn loading(mut self) -> Loading<'a, P> {
        self.hold.publish(LOADING);
        Loading { hold: self.hold, plugin: self.plugin }
    }

    pub(crate) fn not(self, reason: Reason) -> Ended<'a, P> {
        self.hold.not(Some(self.plugin), reason)
    }
}

/// An attempt whose plugin is being loaded.
pub(crate) struct Loading<'a, P: ExtensionPoint + ?Sized> {
    hold: Hold<'a, P>,
    plugin: Arc<P>,
}

impl<'a, P: ExtensionPoint + ?Sized> Loading<'a, P> {
    pub(crate) fn plugin(&self) -> &P {
        &self.plugin
    }

    pub(crate) fn loaded(mut self, output: P::Output) -> Ended<'a, P> {
        let entry = self.hold.entry;
        // It is empty: only the owner sets it, and a row with a value is never owned again.
        let _ = entry.value.set(Value { output, plugin: self.plugin });
        if self.hold.again {
            entry.forget();
        }
        self.hold.publish(LOADED);
        self.hold.close()
    }

    pub(crate) fn not(self, reason: Reason) -> Ended<'a, P> {
        self.hold.not(Some(self.plugin), reason)
    }
}

/// An attempt that is over; dropping it gives the row up and wakes who waits.
#[must_use = "the row is given up when this is dropped"]
pub(crate) struct Ended<'a, P: ExtensionPoint + ?Sized> {
    entry: &'a Entry<P>,
    tag: u32,
}

impl<P: ExtensionPoint + ?Sized> Drop for Ended<'_, P> {
    fn drop(&mut self) {
        let word = self.entry.word.fetch_and(!(BUSY | WAITED), Ordering::AcqRel);
        if word & WAITED != 0 {
            self.wake();
        }
    }
}

impl<P: ExtensionPoint + ?Sized> Ended<'_, P> {
    #[cold]
    fn wake(&self) {
        let waiters = {
            let mut slot = self.entry.cold.lock();
            let waiters = slot.as_ref().and_then(|cold| cold.waiters.clone());
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

//! Whether there is mail that the dispatcher may not have seen, and whether somebody looks.
//!
//! Those who send, the dispatcher, and the thread that looks share two flags. They are raised and let down by
//! swaps, which read the newest value and what was done before it; in the place of one a load could miss that. What
//! is only read is a hint (in [`Flags::read`]: a flag that stays up has somebody look in vain), or comes after a swap
//! that orders it (in [`Flags::look`]).

use std::sync::atomic::{AtomicBool, Ordering};

/// A flag. Only so that these can stand under a model checker's.
pub(super) trait Flag: Default {
    fn get(&self) -> bool;
    fn swap(&self, to: bool) -> bool;
}

impl Flag for AtomicBool {
    fn get(&self) -> bool {
        self.load(Ordering::Acquire)
    }

    fn swap(&self, to: bool) -> bool {
        self.swap(to, Ordering::AcqRel)
    }
}

#[derive(Default)]
pub(super) struct Flags<F = AtomicBool> {
    /// There is mail that the dispatcher may not have seen.
    unread: F,
    /// The thread that looks will.
    watched: F,
}

impl<F: Flag> Flags<F> {
    /// There is mail, which is there before. Whether the thread has to be told.
    pub(super) fn sent(&self) -> bool {
        !self.unread.swap(true) && self.watch()
    }

    /// Somebody is to look. Whether the thread has to be told.
    pub(super) fn watch(&self) -> bool {
        !self.watched.swap(true)
    }

    /// The dispatcher is about to take in all that there is.
    pub(super) fn read(&self) {
        if self.unread.get() {
            self.unread.swap(false);
        }
    }

    /// The thread looks: whether there is mail that the dispatcher may not have seen. As long as that is so, it
    /// goes on to look without being told.
    pub(super) fn look(&self) -> bool {
        self.watched.swap(false);
        self.unread.get()
    }
}

//! Whether there is mail that the dispatcher may not have seen, and whether somebody looks.
//!
//! Those who send, the dispatcher, and the thread that looks share two flags. They are raised and let down by
//! swaps, which read the newest value and what was done before it; in the place of one a load could miss that. What
//! is only read is a hint (in [`Flags::read`]: a flag that stays up has somebody look in vain), comes after a swap
//! that orders it (in [`Flags::look`]), or after a fence. That is for those who send while the flag is up, as most do:
//! they share what they read, and would not what they write. Of the two fences one comes first. If it is the
//! dispatcher's, who sends sees the flag let down; if not, the dispatcher sees the mail.

use std::sync::atomic::{AtomicBool, Ordering, fence};

/// A flag. Only so that these can stand under a model checker's.
pub(super) trait Flag: Default {
    fn get(&self) -> bool;
    fn swap(&self, to: bool) -> bool;
    /// All of them are in one order.
    fn fence();
}

/// The same for both of them.
macro_rules! flag {
    ($flag:ty, $fence:path) => {
        impl Flag for $flag {
            fn get(&self) -> bool {
                self.load(Ordering::Acquire)
            }

            fn swap(&self, to: bool) -> bool {
                self.swap(to, Ordering::AcqRel)
            }

            fn fence() {
                $fence(Ordering::SeqCst);
            }
        }
    };
}

flag!(AtomicBool, fence);
#[cfg(test)]
pub(super) use flag;

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
        F::fence();
        !self.unread.get() && !self.unread.swap(true) && self.watch()
    }

    /// Somebody is to look. Whether the thread has to be told.
    pub(super) fn watch(&self) -> bool {
        !self.watched.swap(true)
    }

    /// The dispatcher is about to take in all that there is.
    pub(super) fn read(&self) {
        if self.unread.get() {
            self.unread.swap(false);
            F::fence();
        }
    }

    /// The thread looks: whether there is mail that the dispatcher may not have seen. As long as that is so, it
    /// goes on to look without being told.
    pub(super) fn look(&self) -> bool {
        self.watched.swap(false);
        self.unread.get()
    }
}

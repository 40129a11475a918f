//! What bounds the loads of a manager.

use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::sync::Semaphore;

/// How long each phase may take, and how many loads there may be at once; nothing unless set.
#[derive(Default)]
pub(super) struct Limits {
    pub(super) init: Option<Duration>,
    pub(super) should_load: Option<Duration>,
    pub(super) load: Option<Duration>,
    at_once: Option<Semaphore>,
}

impl Limits {
    pub(super) fn set_places(&mut self, at_once: NonZeroUsize) {
        self.at_once = Some(Semaphore::new(at_once.get().min(Semaphore::MAX_PERMITS)));
    }

    /// How many loads may be under way at once; while none is.
    pub(super) fn places(&self) -> Option<usize> {
        self.at_once.as_ref().map(Semaphore::available_permits)
    }

    /// Where an attempt takes its place. One that another load waits for needs none: that one has
    /// a place, and would wait for its own.
    #[inline]
    pub(super) fn places_for(&self, nested: bool) -> Option<&Semaphore> {
        if nested { None } else { self.at_once.as_ref() }
    }
}

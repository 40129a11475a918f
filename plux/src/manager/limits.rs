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
    places: Option<Semaphore>,
}

impl Limits {
    pub(super) fn set_places(&mut self, at_once: NonZeroUsize) {
        self.places = Some(Semaphore::new(at_once.get().min(Semaphore::MAX_PERMITS)));
    }

    /// Where an attempt takes its place. One that another load waits for needs none: that one has
    /// a place, and would wait for its own.
    #[inline]
    pub(super) fn places(&self, nested: bool) -> Option<&Semaphore> {
        if nested { None } else { self.places.as_ref() }
    }
}

//! Whose code runs on this thread. A call from within a service is known by that.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

thread_local! {
    static CURRENT: Cell<Option<Place>> = const { Cell::new(None) };
}

/// Which service of which supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) supervisor: usize,
    pub(crate) service: u32,
}

/// Puts back what was so before, also when what runs panics.
struct Before(Option<Place>);

impl Drop for Before {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

impl Place {
    /// The service whose code this is.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.get()
    }

    /// Runs `body` as code of that service.
    pub(crate) fn within<T>(self, body: impl FnOnce() -> T) -> T {
        let _before = Before(CURRENT.replace(Some(self)));
        body()
    }
}

/// A future whose polls, and whose destructor, are code of that service.
pub(crate) struct Within<F> {
    place: Place,
    future: Option<F>,
}

impl<F> Within<F> {
    pub(crate) fn new(place: Place, future: F) -> Self {
        Self { place, future: Some(future) }
    }
}

impl<F: Future<Output = ()> + Unpin> Future for Within<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let place = self.place;
        let Some(future) = &mut self.future else { return Poll::Ready(()) };
        place.within(|| Pin::new(future).poll(cx))
    }
}

impl<F> Drop for Within<F> {
    fn drop(&mut self) {
        let future = self.future.take();
        self.place.within(|| drop(future));
    }
}

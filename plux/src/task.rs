//! The only place that spawns, and the only place that catches panics.
//!
//! Trap: a panic's payload has its message but not its place. The place is known to the panic hook
//! alone, so [`install_panic_hook`] chains one that leaves it in a thread local.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Once;
use std::task::{Context, Poll, ready};

use futures::future::BoxFuture;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::JoinSet;

/// What a panic left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Panic {
    /// The message, or a note that the payload was no string.
    pub message: String,
    /// `file:line:column`, when [`install_panic_hook`] was called before.
    pub place: Option<String>,
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "panicked at {place}: {}", self.message),
            None => write!(f, "panicked: {}", self.message),
        }
    }
}

impl std::error::Error for Panic {}

thread_local! {
    /// How many panics the hook has seen.
    static PANICS: Cell<usize> = const { Cell::new(0) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Chains a panic hook that remembers the place of a panic for the errors of plux; the hook that
/// was there before is still called. Calling it again does nothing. `plux::main` calls it.
///
/// ```
/// plux::install_panic_hook();
/// ```
pub fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get().wrapping_add(1));
            let place = info.location().map(ToString::to_string);
            // A thread that ends may have no room for it any more.
            let _ = PLACE.try_with(|last| last.replace(place));
            previous(info);
        }));
    });
}

#[cold]
fn panic_of(payload: &(dyn Any + Send), place: Option<String>) -> Box<Panic> {
    let message = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a payload that is no string".to_owned());
    Box::new(Panic { message, place })
}

/// Drops a payload; one whose own destructor panics leaves another, which is forgotten.
#[cold]
fn dispose(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

/// Runs `body`, user code, and turns a panic into a value; in a box, because there is nearly never one.
#[inline]
pub(crate) fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Box<Panic>> {
    let panics = PANICS.with(Cell::get);
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| caught(payload, panics))
}

/// What a panic under a [`catch`] left, before which the hook had seen so many.
#[cold]
fn caught(payload: Box<dyn Any + Send>, panics: usize) -> Box<Panic> {
    // Without a panic of its own the body has resumed one of elsewhere.
    let place = if PANICS.get() == panics { None } else { PLACE.take() };
    let panic = panic_of(payload.as_ref(), place);
    dispose(payload);
    panic
}

/// A future whose panics are values: in a poll, and in the destructor when it is dropped through
/// [`Caught::discard`].
pub(crate) struct Caught<F> {
    inner: F,
}

impl<F> Caught<F> {
    pub(crate) fn new(inner: F) -> Self {
        Self { inner }
    }

    /// Drops the future and catches what its destructor throws.
    pub(crate) fn discard(self) -> Result<(), Box<Panic>> {
        catch(move || drop(self.inner))
    }
}

impl<F: Future + Unpin> Future for Caught<F> {
    type Output = Result<F::Output, Box<Panic>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = Pin::new(&mut self.inner);
        match catch(|| inner.poll(cx)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

/// Spawns a task of plux's own on the current runtime.
///
/// # Panics
/// Outside a tokio runtime, as tokio does.
#[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
pub(crate) fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future)
}

/// Spawns on that runtime, from any thread. When that has ended, the future is dropped.
pub(crate) fn spawn_on(runtime: &Handle, future: impl Future<Output = ()> + Send + 'static) {
    runtime.spawn(future);
}

/// Whether the present runtime has more than one thread.
pub(crate) fn has_other_threads() -> bool {
    let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    flavor.is_ok_and(|flavor| flavor != RuntimeFlavor::CurrentThread)
}

/// Runs what may block its thread on one that is there for that.
pub(crate) fn run_apart(run: impl FnOnce() + Send + 'static) {
    tokio::task::spawn_blocking(run);
}

/// The tasks that one run of a service has spawned, and what it leaves to wait for.
#[derive(Default)]
pub(crate) struct Tasks {
    set: JoinSet<Result<(), Box<Panic>>>,
    rest: Option<BoxFuture<'static, ()>>,
}

/// How a task ended that did not come to its end by itself.
pub(crate) enum Cut {
    Panicked(Box<Panic>),
    Aborted,
}

impl Tasks {
    /// Whether none is left. An empty set wakes nobody: who spawns into one has to.
    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    pub(crate) fn spawn(&mut self, future: impl Future<Output = ()> + Send + 'static) {
        self.set.spawn(Caught::new(Box::pin(future)));
    }

    /// Leaves this to be waited for when no task is left. No abort drops it, so it is none of the user's.
    pub(crate) fn leave(&mut self, rest: BoxFuture<'static, ()>) {
        self.rest = Some(rest);
    }

    /// Waits for what was left; that is handed out then, because of what it may own.
    pub(crate) fn poll_rest(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<BoxFuture<'static, ()>>> {
        if let Some(rest) = &mut self.rest {
            ready!(rest.as_mut().poll(cx));
        }
        Poll::Ready(self.rest.take())
    }

    pub(crate) fn abort_all(&mut self) {
        self.set.abort_all();
    }

    /// Takes in what has ended: the next that was cut short, or `None` when no task is left.
    pub(crate) fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<Option<Cut>> {
        loop {
            match ready!(self.set.poll_join_next(cx)) {
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(panic))) => return Poll::Ready(Some(Cut::Panicked(panic))),
                Some(Err(error)) => {
                    // With a payload its destructor has panicked while it was aborted.
                    let cut = error.try_into_panic().map(|payload| {
                        let panic = panic_of(payload.as_ref(), None);
                        dispose(payload);
                        panic
                    });
                    return Poll::Ready(Some(cut.map_or(Cut::Aborted, Cut::Panicked)));
                }
                None => return Poll::Ready(None),
            }
        }
    }
}

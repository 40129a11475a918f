//! The only place that spawns, and the only place that catches panics.
//!
//! Trap: a panic's payload has its message but not its place. The place is known to the panic hook
//! alone, so [`install_panic_hook`] chains one that leaves it in a thread local while a [`catch`]
//! of ours is on the stack.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Once;
use std::task::{Context, Poll, Waker};

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
    static DEPTH: Cell<usize> = const { Cell::new(0) };
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
            if DEPTH.with(Cell::get) > 0 {
                let place = info.location().map(ToString::to_string);
                PLACE.with(|cell| *cell.borrow_mut() = place);
            }
            previous(info);
        }));
    });
}

struct Depth;

impl Depth {
    fn enter() -> Self {
        DEPTH.with(|depth| depth.set(depth.get() + 1));
        Self
    }
}

impl Drop for Depth {
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get() - 1));
    }
}

#[cold]
fn panic_of(payload: &(dyn Any + Send)) -> Panic {
    let message = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a payload that is no string".to_owned());
    Panic { message, place: PLACE.with(|cell| cell.borrow_mut().take()) }
}

/// Runs `body`, user code, and turns a panic into a value. A payload whose own destructor panics
/// is forgotten.
pub(crate) fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Panic> {
    let depth = Depth::enter();
    let outcome = catch_unwind(AssertUnwindSafe(body));
    drop(depth);
    outcome.map_err(|payload| {
        let panic = panic_of(payload.as_ref());
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
        panic
    })
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
    pub(crate) fn discard(self) -> Result<(), Panic> {
        catch(move || drop(self.inner))
    }
}

impl<F: Future + Unpin> Future for Caught<F> {
    type Output = Result<F::Output, Panic>;

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

/// The tasks that one run of a service has spawned.
#[derive(Default)]
pub(crate) struct Tasks {
    set: JoinSet<Result<(), Panic>>,
    /// Who polls; woken by a spawn, because an empty set wakes nobody.
    poller: Option<Waker>,
}

impl Tasks {
    pub(crate) fn spawn(&mut self, future: impl Future<Output = ()> + Send + 'static) {
        self.set.spawn(Caught::new(Box::pin(future)));
        if let Some(poller) = self.poller.take() {
            poller.wake();
        }
    }

    pub(crate) fn abort_all(&mut self) {
        self.set.abort_all();
    }

    /// Takes in what has ended: the next panic, or `None` when no task is left.
    pub(crate) fn poll_panic(&mut self, cx: &mut Context<'_>) -> Poll<Option<Panic>> {
        loop {
            match self.set.poll_join_next(cx) {
                Poll::Ready(Some(Ok(Err(panic)))) => return Poll::Ready(Some(panic)),
                Poll::Ready(Some(Ok(Ok(())))) => {}
                Poll::Ready(Some(Err(error))) => match error.try_into_panic() {
                    // Its destructor panicked while it was aborted.
                    Ok(payload) => return Poll::Ready(Some(panic_of(payload.as_ref()))),
                    Err(_) => {}
                },
                Poll::Ready(None) => {
                    self.poller = Some(cx.waker().clone());
                    return Poll::Ready(None);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

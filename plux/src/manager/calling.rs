//! Calling the async functions of a plugin: whatever they throw is a value.
//!
//! Trap: the first poll is made where the future is made, without a future of plux's around it: most
//! loads are ready then, and need nothing else. When it is pending its waker stands, so whoever
//! waits for the rest goes to sleep without polling a second time.

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::future::{BoxFuture, OptionFuture};
use tokio::time::{Instant, sleep_until};
use tracing::Span;

use super::closing::Closing;
use super::waits::{self, Key};
use crate::error::BoxError;
use crate::spec::PluginSpec;
use crate::table::discard;
use crate::task::{self, Caught, Panic};

/// What user code did instead of yielding a value. Small, because a plain load moves room for it.
pub(super) enum Trouble {
    Error(BoxError),
    Panic(Box<Panic>),
    /// The manager's limit for the phase is over.
    Late(Duration),
    Aborted,
}

impl From<Box<Panic>> for Trouble {
    #[cold]
    fn from(panic: Box<Panic>) -> Self {
        Self::Panic(panic)
    }
}

/// One phase of one plugin, in which its code is called.
pub(super) struct Calling<'a> {
    pub(super) spec: &'a PluginSpec,
    pub(super) key: Key,
    pub(super) closing: &'a Closing,
    pub(super) limit: Option<Duration>,
    /// In a box, because nearly always there is none.
    pub(super) span: Option<Box<Span>>,
}

/// A call that was pending at first.
pub(super) struct Call<'a, T> {
    spec: &'a PluginSpec,
    key: Key,
    closing: &'a Closing,
    span: Option<Box<Span>>,
    deadline: Option<Deadline>,
    future: BoxFuture<'a, Result<T, BoxError>>,
}

/// A limit, and when it is over.
#[derive(Clone, Copy)]
pub(super) struct Deadline(Duration, Instant);

impl Deadline {
    /// One that is too far away to be told apart from never is none.
    pub(super) fn after(limit: Duration) -> Option<Self> {
        Instant::now().checked_add(limit).map(|over| Self(limit, over))
    }
}

/// What the first poll of a call led to.
pub(super) enum Begun<'a, T> {
    Done(Result<T, Trouble>),
    Pending(Call<'a, T>),
}

impl<'a> Calling<'a> {
    /// Makes the future and polls it once. A panic while it is made, polled or dropped is trouble
    /// like an error. What is ready then is in time, however long it has kept the thread.
    #[inline(always)]
    pub(super) fn begin<T>(
        self,
        make: impl FnOnce() -> BoxFuture<'a, Result<T, BoxError>>,
        waker: &Waker,
    ) -> Begun<'a, T> {
        let Self { spec, key, closing, limit, span } = self;
        let deadline = limit.and_then(Deadline::after);
        let (mut made, mut answer) = (None, None);
        let poll = || {
            let _in_phase = span.as_deref().map(Span::enter);
            if let Poll::Ready(ready) =
                made.insert(make()).as_mut().poll(&mut Context::from_waker(waker))
            {
                answer = Some(ready);
                drop(made.take());
            }
        };
        let caught = waits::poll_of(key, || task::catch(poll));
        let done = match (caught, answer, made) {
            (Ok(()), None, Some(future)) => {
                return Begun::Pending(Call { spec, key, closing, span, deadline, future });
            }
            (Ok(()), Some(Ok(value)), _) => Ok(value),
            (_, Some(Err(error)), _) => Err(Trouble::Error(error)),
            (Err(panic), answer, made) => {
                // Of two panics the first one is told.
                let _ = task::catch(|| drop(made));
                discard(spec, answer);
                Err(panic.into())
            }
            (Ok(()), None, None) => Err(Trouble::Aborted),
        };
        if let Some(span) = span {
            drop(span);
        }
        Begun::Done(done)
    }
}

impl<T> Call<'_, T> {
    /// Polls it to its end, or until its limit is over or the manager is closed.
    pub(super) async fn end(self) -> Result<T, Trouble> {
        let Self { spec, key, closing, span, deadline, future } = self;
        let mut future = Caught::new(future);
        let mut asleep = false;
        let polled = poll_fn(|cx| {
            if !mem::replace(&mut asleep, true) {
                return Poll::Pending;
            }
            let _in_phase = span.as_deref().map(Span::enter);
            waits::poll_of(key, || pin!(&mut future).poll(cx))
        });
        let outcome = within(polled, deadline, closing).await;
        let discarded = future.discard();
        match outcome? {
            Ok(Ok(value)) => match discarded {
                Ok(()) => Ok(value),
                Err(panic) => {
                    discard(spec, value);
                    Err(panic.into())
                }
            },
            Ok(Err(error)) => Err(Trouble::Error(error)),
            Err(panic) => Err(panic.into()),
        }
    }
}

/// Waits for `future` until the deadline, or until the manager is closed.
pub(super) async fn within<T>(
    future: impl Future<Output = T>,
    deadline: Option<Deadline>,
    closing: &Closing,
) -> Result<T, Trouble> {
    let (mut future, mut closed) = (pin!(future), pin!(closing.signal()));
    let mut over = pin!(OptionFuture::from(deadline.map(|Deadline(_, over)| sleep_until(over))));
    closed.as_mut().enable();
    poll_fn(|cx| {
        if closing.is_closed() || closed.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(Trouble::Aborted));
        }
        if let Poll::Ready(value) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(value));
        }
        match deadline {
            Some(Deadline(limit, _)) if over.as_mut().poll(cx).is_ready() => {
                Poll::Ready(Err(Trouble::Late(limit)))
            }
            _ => Poll::Pending,
        }
    })
    .await
}

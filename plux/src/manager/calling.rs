//! Calling the async functions of a plugin: whatever they throw is a value.
//!
//! Trap: the first poll is made where the future is made, without a future of plux's around it: most
//! loads are ready then, and need nothing else. When it is pending its waker stands, so whoever
//! waits for the rest goes to sleep without polling a second time.

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tracing::Span;

use super::closing::Closing;
use crate::error::BoxError;
use crate::spec::PluginSpec;
use crate::table::discard;
use crate::task::{self, Caught, Panic};

/// What user code did instead of yielding a value. Small, because a plain load moves room for it.
pub(super) enum Trouble {
    Error(BoxError),
    Panic(Box<Panic>),
    Aborted,
}

impl From<Panic> for Trouble {
    #[cold]
    fn from(panic: Panic) -> Self {
        Self::Panic(Box::new(panic))
    }
}

/// A call that was pending at first.
pub(super) struct Call<'a, T> {
    future: BoxFuture<'a, Result<T, BoxError>>,
}

/// What the first poll of a call led to.
pub(super) enum Begun<'a, T> {
    Done(Result<T, Trouble>),
    Pending(Call<'a, T>),
}

impl<'a, T> Call<'a, T> {
    /// Makes the future and polls it once. A panic while it is made, polled or dropped is trouble
    /// like an error.
    #[inline]
    pub(super) fn begin(
        spec: &PluginSpec,
        span: Option<&Span>,
        make: impl FnOnce() -> BoxFuture<'a, Result<T, BoxError>>,
        cx: &mut Context<'_>,
    ) -> Begun<'a, T> {
        let (mut made, mut answer) = (None, None);
        let caught = task::catch(|| {
            let _in_phase = span.map(Span::enter);
            if let Poll::Ready(ready) = made.insert(make()).as_mut().poll(cx) {
                answer = Some(ready);
                drop(made.take());
            }
        });
        Begun::Done(match (caught, answer, made) {
            (Ok(()), None, Some(future)) => return Begun::Pending(Self { future }),
            (Ok(()), Some(Ok(value)), _) => Ok(value),
            (_, Some(Err(error)), _) => Err(Trouble::Error(error)),
            (Err(panic), answer, made) => {
                // Of two panics the first one is told.
                let _ = task::catch(|| drop(made));
                discard(spec, answer);
                Err(panic.into())
            }
            (Ok(()), None, None) => Err(Trouble::Aborted),
        })
    }

    /// Polls it to its end, or until the manager is closed.
    pub(super) async fn end(
        self,
        spec: &PluginSpec,
        span: Option<&Span>,
        closing: &Closing,
    ) -> Result<T, Trouble> {
        let mut future = Caught::new(self.future);
        let mut poll = |cx: &mut Context<'_>| {
            let _in_phase = span.map(Span::enter);
            pin!(&mut future).poll(cx)
        };
        let mut closed = pin!(closing.signal());
        closed.as_mut().enable();
        let mut asleep = false;
        let outcome = poll_fn(|cx| {
            if closing.is_closed() || closed.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            if mem::replace(&mut asleep, true) { poll(cx).map(Some) } else { Poll::Pending }
        })
        .await;
        let discarded = future.discard();
        match outcome {
            Some(Ok(Ok(value))) => match discarded {
                Ok(()) => Ok(value),
                Err(panic) => {
                    discard(spec, value);
                    Err(panic.into())
                }
            },
            Some(Ok(Err(error))) => Err(Trouble::Error(error)),
            Some(Err(panic)) => Err(panic.into()),
            None => Err(Trouble::Aborted),
        }
    }
}

//! The service under test, and how its runs end, by what is seen of them from within.
//!
//! Trap: a supervisor is told of a panicking destructor as of a panic of the run. So the run is polled
//! and dropped here, where the two can be told apart, and the panic is passed on.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use parking_lot::Mutex;

use super::in_drop::Watch;
use crate::error::BoxError;
use crate::service::{Service, ServiceContext};
use crate::task::{Panic, catch};

/// The end of a run.
#[derive(Debug, Clone)]
pub(super) struct End {
    /// Whether it returned; otherwise it panicked, or was dropped.
    pub(super) returned: bool,
    /// The panic of what it held, when that was dropped.
    pub(super) in_destructor: Option<Panic>,
}

/// The ends of the runs that have ended, by their numbers.
pub(super) type Ends = Arc<Mutex<BTreeMap<u32, End>>>;

pub(super) struct Watched {
    pub(super) service: Arc<dyn Service>,
    pub(super) ends: Ends,
}

/// One run.
struct Run<'run> {
    /// There until it is dropped.
    future: Option<BoxFuture<'run, Result<(), BoxError>>>,
    returned: bool,
    /// The panic of a destructor in its last poll.
    in_destructor: Option<Panic>,
    incarnation: u32,
    ends: &'run Ends,
}

impl Service for Watched {
    fn run<'life, 'run>(&'life self, cx: ServiceContext) -> BoxFuture<'run, Result<(), BoxError>>
    where
        'life: 'run,
        Self: 'run,
    {
        let (incarnation, ends) = (cx.incarnation(), &self.ends);
        let (future, returned, in_destructor) = (None, false, None);
        let mut run = Run { future, returned, in_destructor, incarnation, ends };
        run.future = Some(self.service.run(cx));
        Box::pin(run)
    }
}

impl Future for Run<'_> {
    type Output = Result<(), BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { future, in_destructor, .. } = &mut *self;
        let Some(future) = future else { return Poll::Pending };
        let watch = Watch::begin();
        match catch(|| future.as_mut().poll(cx)) {
            Ok(polled) => {
                self.returned = polled.is_ready();
                polled
            }
            Err(panic) => {
                let message = panic.message.clone();
                *in_destructor = Some(*panic).filter(|_| watch.saw_one());
                // Without a second message.
                resume_unwind(Box::new(message));
            }
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let future = self.future.take();
        let dropped = catch(move || drop(future)).err().map(|panic| *panic);
        let message = dropped.as_ref().map(|panic| panic.message.clone());
        let in_destructor = self.in_destructor.take().or(dropped);
        let end = End { returned: self.returned, in_destructor };
        self.ends.lock().insert(self.incarnation, end);
        if let Some(message) = message
            && !std::thread::panicking()
        {
            resume_unwind(Box::new(message));
        }
    }
}

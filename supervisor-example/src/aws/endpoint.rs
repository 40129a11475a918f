//! What an AWS service publishes when it is ready: a way to call it in this process.
//!
//! A call is handed to the service's run, which spawns a task of its own for it. So a call ends
//! with the run and not with the connection: a stop drains it, and a client that goes away after
//! its last byte leaves no half-done write.
//!
//! The trap: a run may end between finding it and calling it. The request then comes back
//! unread in [`CallError::Ended`], and can be given to the next run.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::FutureExt;
use http_body::{Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use plux::{BoxError, ServiceContext};
use tokio::sync::{mpsc, oneshot};

/// A request as it came in.
pub type Request = http::Request<Incoming>;

/// The body of a response.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// A response as it goes out.
pub type Response = http::Response<Body>;

/// How many calls may wait for a run that has yet to spawn them.
const WAITING_CALLS: usize = 64;

/// A body that is there as a whole.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// The typed handle of an AWS service.
#[derive(Debug, Clone)]
pub struct Endpoint {
    calls: mpsc::Sender<Call>,
}

#[derive(Debug)]
struct Call {
    request: Request,
    answer: oneshot::Sender<Response>,
}

/// Why a call has no response.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The run has ended and has not seen the request.
    #[error("the service has ended")]
    Ended(Box<Request>),
    /// The request was begun and not answered.
    #[error("the service was ended, or failed, before it answered")]
    Lost,
}

impl Endpoint {
    /// Makes an endpoint, and the queue that its service has to [serve](Calls::serve).
    pub fn channel() -> (Self, Calls) {
        let (calls, queue) = mpsc::channel(WAITING_CALLS);
        (Self { calls }, Calls { queue })
    }

    /// Calls the service. Dropping the future does not stop a call that was begun.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call(&self, request: Request) -> Result<Response, CallError> {
        let (answer, response) = oneshot::channel();
        let call = Call { request, answer };
        if let Err(mpsc::error::SendError(call)) = self.calls.send(call).await {
            return Err(CallError::Ended(Box::new(call.request)));
        }
        response.await.map_err(|_| CallError::Lost)
    }
}

/// The calls of one run.
#[derive(Debug)]
pub struct Calls {
    queue: mpsc::Receiver<Call>,
}

impl Calls {
    /// Serves calls until the run is to stop, then those that were already taken on. Returns when
    /// all of them have a task; the run ends when those have ended.
    ///
    /// A call that panics is answered by nobody, and the others go on.
    pub async fn serve<S, F>(mut self, cx: &ServiceContext, service: S)
    where
        S: Fn(Request) -> F,
        F: Future<Output = Response> + Send + 'static,
    {
        while let Some(Some(call)) = cx.running_until(self.queue.recv()).await {
            spawn(cx, call, &service);
        }
        self.queue.close();
        while let Some(call) = self.queue.recv().await {
            spawn(cx, call, &service);
        }
    }
}

fn spawn<F>(cx: &ServiceContext, call: Call, service: impl Fn(Request) -> F)
where
    F: Future<Output = Response> + Send + 'static,
{
    let responding = AssertUnwindSafe(service(call.request)).catch_unwind();
    cx.spawn(async move {
        let Ok(response) = responding.await else {
            tracing::error!("a call panicked");
            return;
        };
        let (held, released) = oneshot::channel();
        let response = response.map(|body| Held { body, _held: held }.boxed_unsync());
        if call.answer.send(response).is_ok() {
            // Until the body has gone out, the call is not over. The sender is only ever dropped.
            let _ = released.await;
        }
    });
}

/// A body that tells its call when it has gone.
struct Held {
    body: Body,
    _held: oneshot::Sender<()>,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

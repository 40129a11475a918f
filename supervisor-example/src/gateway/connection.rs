//! One connection, until its client or the gateway ends it.
//!
//! The trap: told to shut down, hyper finishes the request that is under way and then closes. It
//! has to be polled on for that, which is what the rest of this task is. But it also waits for the
//! rest of a first head, which may never come: no request is under way then.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::{Either, select};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use plux::ServiceContext;
use tokio::net::TcpStream;

use super::dispatch::Dispatch;

/// How long a client may take for the head of a request, and how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// Serves requests until the connection ends, or the service is to stop and none is under way.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    dispatch: Dispatch,
    cx: ServiceContext,
) {
    // Answers are whole when they are written; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let begun = AtomicBool::new(false);
    let service = service_fn(async |request| {
        begun.store(true, Ordering::Relaxed);
        Ok::<_, Infallible>(dispatch.answer(request, peer).await)
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            // A client may say that it has no more to ask before it has its answer.
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = match select(connection.as_mut(), pin!(cx.stopping())).await {
        Either::Left((ended, _)) => ended,
        Either::Right(_) if !begun.load(Ordering::Relaxed) => return,
        Either::Right(_) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

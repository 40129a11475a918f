//! Services as subsystems of tokio-graceful-shutdown. It restarts nothing.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use plux::BoxError;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_graceful_shutdown::{SubsystemBuilder, SubsystemHandle, Toplevel};

use crate::running::{Begun, Running, pairs};
use crate::services::service_name;

const SECONDS_60: Duration = Duration::from_secs(60);

/// A tree of one layer, and the word that ends it.
pub struct TokioGracefulShutdown {
    stop: oneshot::Sender<()>,
    run: JoinHandle<Result<(), BoxError>>,
}

async fn waiting(own: &SubsystemHandle, begun: Arc<Begun>) -> Result<(), Infallible> {
    begun.one();
    own.on_shutdown_requested().await;
    Ok(())
}

impl Running for TokioGracefulShutdown {
    async fn start(size: usize) -> Result<(Self, Duration), BoxError> {
        let begun = Begun::new(size);
        let names: Vec<_> = (0..size).map(service_name).collect();
        let (stop, stopped) = oneshot::channel();
        let (own, start) = (Arc::clone(&begun), Instant::now());
        let toplevel = Toplevel::<BoxError>::new(async move |root: &mut SubsystemHandle| {
            for name in names {
                let begun = Arc::clone(&own);
                let run = async move |own: &mut SubsystemHandle| waiting(own, begun).await;
                root.start(SubsystemBuilder::new(name, run));
            }
            // That nobody is left who could tell is an end too.
            drop(stopped.await);
            root.request_shutdown();
        });
        begun.all().await;
        let time = start.elapsed();
        let run = Handle::current().spawn(async move {
            toplevel.handle_shutdown_requests(SECONDS_60).await.map_err(BoxError::from)
        });
        Ok((Self { stop, run }, time))
    }

    async fn stop(self) -> Result<Duration, BoxError> {
        let start = Instant::now();
        self.stop.send(()).map_err(|()| "it has ended before")?;
        self.run.await??;
        Ok(start.elapsed())
    }
}

/// Times one start and stop of a subsystem, from inside the one that starts it: there is no other way.
///
/// # Errors
/// Those of the subsystems.
pub async fn by_name(_: usize) -> Result<Duration, BoxError> {
    let (answer, answered) = oneshot::channel();
    let toplevel = Toplevel::<BoxError>::new(async move |root: &mut SubsystemHandle| {
        // Whoever asked may have gone.
        drop(answer.send(each_of(root, pairs(1).collect()).await));
    });
    toplevel.handle_shutdown_requests(SECONDS_60).await?;
    answered.await?
}

async fn each_of(root: &SubsystemHandle, names: Vec<String>) -> Result<Duration, BoxError> {
    let (count, start) = (u32::try_from(names.len())?, Instant::now());
    for name in names {
        let begun = Begun::new(1);
        let told = Arc::clone(&begun);
        let run = async move |own: &mut SubsystemHandle| waiting(own, told).await;
        let nested = root.start(SubsystemBuilder::new(name, run));
        begun.all().await;
        nested.initiate_shutdown();
        nested.join().await?;
    }
    Ok(start.elapsed() / count)
}

//! A function as a service: started by name, used through what it publishes, stopped.
//!
//! The trap: nobody can use a service before `cx.ready(…)`, and a start returns only then. A service
//! that ends without it has failed to start.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use plux::{BoxError, FnService, Handle, HandleError, PluginManager, ServiceContext, Supervisor};

/// What the service publishes.
#[derive(Default)]
struct Clock {
    ticks: AtomicU64,
}

#[plux::service(grace_period = "2s")]
async fn clock(cx: ServiceContext) -> Result<(), BoxError> {
    // State that must not outlive this run is a local of it.
    let clock = Arc::new(Clock::default());
    let mut tick = tokio::time::interval(Duration::from_millis(1));
    cx.ready(Arc::clone(&clock));
    while cx.running_until(tick.tick()).await.is_some() {
        clock.ticks.fetch_add(1, Ordering::Relaxed);
    }
    println!("told to stop after {} ticks", clock.ticks.load(Ordering::Relaxed));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let services = PluginManager::<dyn FnService>::builder(()).build();
    let supervisor = Supervisor::builder().manager(services).build()?;

    println!("clock: {:?}", supervisor.start("clock").await?);
    println!("clock: {:?}", supervisor.start("clock").await?);

    let handle: Handle<Arc<Clock>> = supervisor.handle("clock")?;
    while handle.get()?.ticks.load(Ordering::Relaxed) < 3 {
        tokio::task::yield_now().await;
    }

    let stopped = supervisor.stop("clock").await?;
    assert_eq!(stopped.rows.len(), 1);
    // A handle does not outlive the run that published it.
    assert!(matches!(handle.get(), Err(HandleError::Ended { .. })));
    for service in supervisor.list() {
        println!("{}: {}", service.id.name, service.state);
    }
    Ok(())
}

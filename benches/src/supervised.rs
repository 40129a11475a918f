//! Services under plux's supervisor.

use std::sync::Arc;
use std::time::Duration;

use plux::{Backoff, BoxError, Intensity, Supervisor};
use tokio::time::Instant;

use crate::running::{ByName, Failures, Restarting, Running};
use crate::services::{idle, idle_and_failing};

/// Found and supervised before; a start loads them.
pub struct Supervised(Supervisor);

async fn start_all(supervisor: &Supervisor) -> Result<Duration, BoxError> {
    let start = Instant::now();
    let report = supervisor.start_all().await;
    let time = start.elapsed();
    if report.is_ok() { Ok(time) } else { Err("not all have started".into()) }
}

impl Running for Supervised {
    async fn start(size: usize) -> Result<(Self, Duration), BoxError> {
        let manager = idle(size);
        manager.contains("nobody")?;
        let supervisor = Supervisor::builder().manager(manager).build()?;
        let time = start_all(&supervisor).await?;
        Ok((Self(supervisor), time))
    }

    async fn stop(self) -> Result<Duration, BoxError> {
        let start = Instant::now();
        let report = self.0.shutdown().await?;
        let time = start.elapsed();
        if report.is_clean() { Ok(time) } else { Err(report.to_string().into()) }
    }
}

/// The same, and loaded before too.
pub struct Loaded(Supervised);

impl Running for Loaded {
    async fn start(size: usize) -> Result<(Self, Duration), BoxError> {
        let manager = idle(size);
        crate::all(size, manager.load_all().await.loaded().len())?;
        let supervisor = Supervisor::builder().manager(manager).build()?;
        let time = start_all(&supervisor).await?;
        Ok((Self(Supervised(supervisor)), time))
    }

    async fn stop(self) -> Result<Duration, BoxError> {
        self.0.stop().await
    }
}

impl ByName for Supervised {
    async fn know(size: usize) -> Result<Self, BoxError> {
        Ok(Self(Supervisor::builder().manager(idle(size)).build()?))
    }

    async fn start_and_stop(&self, name: &str) -> Result<(), BoxError> {
        self.0.start(name).await?;
        self.0.stop(name).await?;
        Ok(())
    }

    async fn end(self) -> Result<(), BoxError> {
        self.stop().await?;
        Ok(())
    }
}

impl Restarting for Supervised {
    async fn run(size: usize, failures: Arc<Failures>) -> Result<Self, BoxError> {
        let builder = Supervisor::builder().manager(idle_and_failing(size, &failures));
        let builder = builder.backoff(Backoff::NONE).intensity(Intensity::UNLIMITED);
        let supervisor = builder.build()?;
        start_all(&supervisor).await?;
        Ok(Self(supervisor))
    }

    async fn end(self) -> Result<(), BoxError> {
        self.stop().await?;
        Ok(())
    }
}

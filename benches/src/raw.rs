//! Tasks without anybody who looks after them: what the others are compared with.

use std::sync::Arc;
use std::time::Duration;

use plux::BoxError;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::running::{Begun, ByName, Failures, Restarting, Running};

/// A task and a [`Notify`] for each.
pub struct Raw {
    tasks: Vec<(Arc<Notify>, JoinHandle<()>)>,
}

fn spawn(begun: &Arc<Begun>) -> (Arc<Notify>, JoinHandle<()>) {
    let stop = Arc::new(Notify::new());
    let (own, begun) = (Arc::clone(&stop), Arc::clone(begun));
    let task = Handle::current().spawn(async move {
        begun.one();
        own.notified().await;
    });
    (stop, task)
}

impl Running for Raw {
    async fn start(size: usize) -> Result<(Self, Duration), BoxError> {
        let begun = Begun::new(size);
        let start = Instant::now();
        let tasks = (0..size).map(|_| spawn(&begun)).collect();
        begun.all().await;
        Ok((Self { tasks }, start.elapsed()))
    }

    async fn stop(self) -> Result<Duration, BoxError> {
        let start = Instant::now();
        for (stop, _) in &self.tasks {
            stop.notify_one();
        }
        for (_, task) in self.tasks {
            task.await?;
        }
        Ok(start.elapsed())
    }
}

/// The same for one: it has no names.
pub struct RawOne;

impl ByName for RawOne {
    async fn know(_: usize) -> Result<Self, BoxError> {
        Ok(Self)
    }

    async fn start_and_stop(&self, _: &str) -> Result<(), BoxError> {
        let begun = Begun::new(1);
        let (stop, task) = spawn(&begun);
        begun.all().await;
        stop.notify_one();
        Ok(task.await?)
    }

    async fn end(self) -> Result<(), BoxError> {
        Ok(())
    }
}

/// A task that spawns one that fails, waits for its end, and spawns it again.
pub struct RawLoop {
    others: Raw,
    task: JoinHandle<()>,
}

impl Restarting for RawLoop {
    async fn run(size: usize, failures: Arc<Failures>) -> Result<Self, BoxError> {
        let (others, _) = Raw::start(size).await?;
        let task = Handle::current().spawn(async move {
            loop {
                let failures = Arc::clone(&failures);
                let run = Handle::current().spawn(async move { failures.run().await });
                if matches!(run.await, Ok(Ok(()))) {
                    return;
                }
            }
        });
        Ok(Self { others, task })
    }

    async fn end(self) -> Result<(), BoxError> {
        self.task.await?;
        self.others.stop().await?;
        Ok(())
    }
}

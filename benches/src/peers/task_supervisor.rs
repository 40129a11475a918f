//! Services as tasks of task-supervisor.

use std::sync::Arc;
use std::time::Duration;

use plux::BoxError;
use task_supervisor::{
    CancellationToken, SupervisedTask, SupervisorBuilder, SupervisorHandle, TaskResult,
};
use tokio::time::Instant;

use crate::running::{Begun, ByName, Failures, Restarting, Running};
use crate::services::service_name;

/// A supervisor of tasks.
pub struct TaskSupervisor(SupervisorHandle);

#[derive(Clone)]
struct Waiting(Arc<Begun>);

impl SupervisedTask for Waiting {
    async fn run(self, cancel: CancellationToken) -> TaskResult {
        self.0.one();
        cancel.cancelled().await;
        Ok(())
    }
}

#[derive(Clone)]
struct Failing(Arc<Failures>);

impl SupervisedTask for Failing {
    async fn run(self, cancel: CancellationToken) -> TaskResult {
        self.0.run().await?;
        cancel.cancelled().await;
        Ok(())
    }
}

fn waiting(size: usize, begun: &Arc<Begun>) -> SupervisorBuilder {
    (0..size).fold(SupervisorBuilder::new(), |tasks, place| {
        tasks.with_task(&service_name(place), Waiting(Arc::clone(begun)))
    })
}

impl Running for TaskSupervisor {
    async fn start(size: usize) -> Result<(Self, Duration), BoxError> {
        let begun = Begun::new(size);
        let tasks = waiting(size, &begun);
        let start = Instant::now();
        let handle = tasks.spawn();
        begun.all().await;
        Ok((Self(handle), start.elapsed()))
    }

    async fn stop(self) -> Result<Duration, BoxError> {
        let start = Instant::now();
        self.0.shutdown().await?;
        Ok(start.elapsed())
    }
}

impl ByName for TaskSupervisor {
    async fn know(size: usize) -> Result<Self, BoxError> {
        let (own, _) = Self::start(size).await?;
        for place in 0..size {
            own.0.kill_task(&service_name(place)).await?;
        }
        Ok(own)
    }

    /// To restart what was killed is the way to start it; it does not tell when the task has begun.
    async fn start_and_stop(&self, name: &str) -> Result<(), BoxError> {
        self.0.restart_task(name).await?;
        self.0.kill_task(name).await?;
        Ok(())
    }

    async fn end(self) -> Result<(), BoxError> {
        self.stop().await?;
        Ok(())
    }
}

impl Restarting for TaskSupervisor {
    async fn run(size: usize, failures: Arc<Failures>) -> Result<Self, BoxError> {
        let begun = Begun::new(size);
        let tasks = waiting(size, &begun).with_task("failing", Failing(failures));
        let tasks = tasks.with_base_restart_delay(Duration::ZERO).with_unlimited_restarts();
        let handle = tasks.spawn();
        begun.all().await;
        Ok(Self(handle))
    }

    async fn end(self) -> Result<(), BoxError> {
        self.stop().await?;
        Ok(())
    }
}

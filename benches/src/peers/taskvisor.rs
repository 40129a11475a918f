//! Services as tasks of taskvisor.

use std::sync::Arc;
use std::time::Duration;

use plux::BoxError;
use taskvisor::prelude::*;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::running::{Begun, ByName, Failures, Restarting, Running};
use crate::services::service_name;

/// A run of a supervisor, and the word that ends it.
pub struct Taskvisor {
    stop: oneshot::Sender<()>,
    run: JoinHandle<Result<(), RuntimeError>>,
}

/// One that takes so many tasks: its built-in limits are lower.
fn supervisor() -> Arc<Supervisor> {
    let config = SupervisorConfig::default().with_max_registered_tasks(None);
    Supervisor::new(config.with_ownership_capacity(None), Vec::new())
}

fn waiting(place: usize, begun: &Arc<Begun>) -> TaskSpec {
    let begun = Arc::clone(begun);
    let task: TaskRef = TaskFn::arc(move |context: TaskContext| {
        let begun = Arc::clone(&begun);
        async move {
            begun.one();
            context.cancelled().await;
            Ok(())
        }
    });
    TaskSpec::restartable(service_name(place), task)
}

impl Taskvisor {
    /// Runs these until it is told to end.
    fn run(tasks: Vec<TaskSpec>) -> Self {
        let supervisor = supervisor();
        let (stop, stopped) = oneshot::channel();
        let run = Handle::current().spawn(async move {
            // That nobody is left who could tell is an end too.
            supervisor.run_until(tasks, async move { drop(stopped.await) }).await
        });
        Self { stop, run }
    }
}

impl Running for Taskvisor {
    async fn start(size: usize) -> Result<(Self, Duration), BoxError> {
        let begun = Begun::new(size);
        let tasks = (0..size).map(|place| waiting(place, &begun)).collect();
        let start = Instant::now();
        let own = Self::run(tasks);
        begun.all().await;
        Ok((own, start.elapsed()))
    }

    async fn stop(self) -> Result<Duration, BoxError> {
        let start = Instant::now();
        self.stop.send(()).map_err(|()| "it has ended before")?;
        self.run.await??;
        Ok(start.elapsed())
    }
}

/// A supervisor that is told what to run: it knows only what runs.
pub struct TaskvisorEmpty(SupervisorHandle);

impl ByName for TaskvisorEmpty {
    async fn know(_: usize) -> Result<Self, BoxError> {
        Ok(Self(supervisor().serve()?))
    }

    async fn start_and_stop(&self, name: &str) -> Result<(), BoxError> {
        let begun = Begun::new(1);
        let own = Arc::clone(&begun);
        let task: TaskRef = TaskFn::arc(move |context: TaskContext| {
            let begun = Arc::clone(&own);
            async move {
                begun.one();
                context.cancelled().await;
                Ok(())
            }
        });
        let id = self.0.add(TaskSpec::restartable(name, task)).await?;
        begun.all().await;
        self.0.cancel(id).execute().await?;
        Ok(())
    }

    async fn end(self) -> Result<(), BoxError> {
        Ok(self.0.shutdown().await?)
    }
}

impl Restarting for Taskvisor {
    async fn run(size: usize, failures: Arc<Failures>) -> Result<Self, BoxError> {
        let begun = Begun::new(size);
        let mut tasks: Vec<_> = (0..size).map(|place| waiting(place, &begun)).collect();
        let task: TaskRef = TaskFn::arc(move |context: TaskContext| {
            let failures = Arc::clone(&failures);
            async move {
                failures.run().await.map_err(|error| TaskError::fail(error.to_string()))?;
                context.cancelled().await;
                Ok(())
            }
        });
        let failing = TaskSpec::restartable("failing", task);
        tasks.push(failing.with_backoff(BackoffPolicy::constant(Duration::ZERO)));
        let own = Self::run(tasks);
        begun.all().await;
        Ok(own)
    }

    async fn end(self) -> Result<(), BoxError> {
        self.stop().await?;
        Ok(())
    }
}

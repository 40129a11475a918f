//! Services as actors of ractor, under one that starts them and, when they fail, starts them again.

use std::sync::Arc;
use std::time::Duration;

use plux::BoxError;
use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::time::Instant;

use crate::running::{ByName, Failures, Restarting, Running};
use crate::services::service_name;

/// A parent and its children.
pub struct Ractor {
    parent: ActorRef<()>,
    ended: JoinHandle<()>,
    children: Vec<(ActorRef<()>, JoinHandle<()>)>,
}

/// Starts the one again that fails.
struct Parent(Option<Arc<Failures>>);

impl Parent {
    async fn begin(&self, own: &ActorRef<()>) -> Result<(), ActorProcessingErr> {
        if let Some(failures) = &self.0 {
            let failing = Failing(Arc::clone(failures));
            Actor::spawn_linked(None, failing, (), own.get_cell()).await?;
        }
        Ok(())
    }
}

impl Actor for Parent {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn post_start(&self, own: ActorRef<()>, (): &mut ()) -> Result<(), ActorProcessingErr> {
        self.begin(&own).await
    }

    async fn handle_supervisor_evt(
        &self,
        own: ActorRef<()>,
        event: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(..) => self.begin(&own).await,
            _ => Ok(()),
        }
    }
}

struct Waiting;

impl Actor for Waiting {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

struct Failing(Arc<Failures>);

impl Actor for Failing {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn post_start(&self, _: ActorRef<()>, (): &mut ()) -> Result<(), ActorProcessingErr> {
        self.0.run().await
    }
}

impl Ractor {
    async fn parent(failures: Option<Arc<Failures>>) -> Result<Self, BoxError> {
        let (parent, ended) = Actor::spawn(None, Parent(failures), ()).await?;
        Ok(Self { parent, ended, children: Vec::new() })
    }

    async fn add(&mut self, size: usize) -> Result<Duration, BoxError> {
        let names: Vec<_> = (0..size).map(service_name).collect();
        self.children.reserve(size);
        let start = Instant::now();
        for name in names {
            let parent = self.parent.get_cell();
            self.children.push(Actor::spawn_linked(Some(name), Waiting, (), parent).await?);
        }
        Ok(start.elapsed())
    }
}

impl Running for Ractor {
    async fn start(size: usize) -> Result<(Self, Duration), BoxError> {
        let mut own = Self::parent(None).await?;
        let time = own.add(size).await?;
        Ok((own, time))
    }

    async fn stop(self) -> Result<Duration, BoxError> {
        let start = Instant::now();
        for (child, _) in &self.children {
            child.stop(None);
        }
        for (_, ended) in self.children {
            ended.await?;
        }
        let time = start.elapsed();
        self.parent.stop(None);
        self.ended.await?;
        Ok(time)
    }
}

impl ByName for Ractor {
    /// It knows only what runs.
    async fn know(_: usize) -> Result<Self, BoxError> {
        Self::parent(None).await
    }

    async fn start_and_stop(&self, name: &str) -> Result<(), BoxError> {
        let parent = self.parent.get_cell();
        let name = Some(name.to_owned());
        let (child, ended) = Actor::spawn_linked(name, Waiting, (), parent).await?;
        child.stop(None);
        Ok(ended.await?)
    }

    async fn end(self) -> Result<(), BoxError> {
        self.stop().await?;
        Ok(())
    }
}

impl Restarting for Ractor {
    async fn run(size: usize, failures: Arc<Failures>) -> Result<Self, BoxError> {
        let mut own = Self::parent(Some(failures)).await?;
        own.add(size).await?;
        Ok(own)
    }

    async fn end(self) -> Result<(), BoxError> {
        self.stop().await?;
        Ok(())
    }
}

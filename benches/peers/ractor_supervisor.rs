//! What COMPARE.md says of ractor-supervisor: a sibling that can not be dropped at once when all are
//! restarted.

use std::future::pending;
use std::thread;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use ractor_supervisor::{
    ChildSpec, Restart, SpawnFn, Supervisor, SupervisorArguments, SupervisorOptions,
    SupervisorStrategy,
};
use tokio::time::{Instant, sleep};

/// Its first handler is in one poll for 300 ms, as who waits for a file is.
struct Busy(Instant);

struct Alive(Instant);

impl Drop for Alive {
    fn drop(&mut self) {
        println!("the sibling has ended at {:?}", self.0.elapsed());
    }
}

impl Actor for Busy {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, own: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(own.send_message(())?)
    }

    async fn handle(&self, _: ActorRef<()>, (): (), (): &mut ()) -> Result<(), ActorProcessingErr> {
        let _alive = Alive(self.0);
        #[expect(clippy::disallowed_methods, reason = "a blocked thread is what this is about")]
        let block = || thread::sleep(Duration::from_millis(300));
        tokio::task::block_in_place(block);
        pending().await
    }
}

/// Fails after 100 ms.
struct Faulty(Instant);

impl Actor for Faulty {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, own: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        own.send_after(Duration::from_millis(100), || ());
        Ok(())
    }

    async fn handle(&self, _: ActorRef<()>, (): (), (): &mut ()) -> Result<(), ActorProcessingErr> {
        println!("the other fails at {:?}", self.0.elapsed());
        Err("failed".into())
    }
}

fn child<A>(id: &str, make: fn(Instant) -> A, since: Instant) -> ChildSpec
where
    A: Actor<Msg = (), State = (), Arguments = ()>,
{
    let spawn_fn = SpawnFn::new(move |supervisor, id| async move {
        let (child, _) = Supervisor::spawn_linked(id, make(since), (), supervisor).await?;
        Ok(child.get_cell())
    });
    let (restart, backoff_fn, reset_after) = (Restart::Permanent, None, None);
    ChildSpec { id: id.to_owned(), restart, spawn_fn, backoff_fn, reset_after }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let since = Instant::now();
    let options = SupervisorOptions {
        strategy: SupervisorStrategy::OneForAll,
        max_restarts: 5,
        max_window: Duration::from_secs(10),
        reset_after: None,
    };
    let child_specs = vec![child("busy", Busy, since), child("faulty", Faulty, since)];
    let arguments = SupervisorArguments { child_specs, options };
    let (_supervisor, ended) = Supervisor::spawn("root".to_owned(), arguments).await?;
    ended.await?;
    println!("the supervisor has ended, its restarts used up, at {:?}", since.elapsed());
    sleep(Duration::from_millis(400)).await;
    Ok(())
}

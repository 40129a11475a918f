//! Services that share a fate: one for all, and a budget of restarts that they use up together.
//!
//! The trap: a group's budget is beside that of each member. Here no member needs more restarts than it may;
//! all together do, and that ends the group.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use plux::{
    Backoff, BoxError, FnService, GiveUp, Group, Intensity, PluginManager, ServiceContext,
    ServiceFailure, ServiceState, Supervisor,
};

/// The shard that fails next.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Two that hold halves of one state: when one has lost its half, the other's is worth nothing.
async fn shard(cx: ServiceContext, number: u32) -> Result<(), BoxError> {
    cx.ready(());
    println!("shard {number}: run {}", cx.incarnation());
    if NEXT.load(Ordering::SeqCst) == number
        && cx.running_until(tokio::time::sleep(Duration::from_millis(10))).await.is_some()
    {
        NEXT.store(1 - number, Ordering::SeqCst);
        return Err(format!("shard {number} has lost its half").into());
    }
    println!("shard {number}: stopped ({})", cx.stopping().await);
    Ok(())
}

#[plux::service]
async fn left(cx: ServiceContext) -> Result<(), BoxError> {
    shard(cx, 0).await
}

#[plux::service]
async fn right(cx: ServiceContext) -> Result<(), BoxError> {
    shard(cx, 1).await
}

fn main() -> ExitCode {
    plux::main(async {
        let minute = Duration::from_secs(60);
        let shards = Group::one_for_all("shards", ["left", "right"])
            .with_intensity(Intensity::new(3, minute), GiveUp::Escalate);
        let supervisor = Supervisor::builder()
            .manager(PluginManager::<dyn FnService>::builder(()).build())
            .backoff(Backoff::constant(Duration::from_millis(5)))
            .group(shards)
            .build()?;
        assert!(supervisor.start_all().await.is_ok());
        supervisor.clone().run_until_signal().await?;
        // Left, right, left: three restarts of both. The fourth was one too many.
        let services = supervisor.list();
        let [left, right] = services.as_slice() else { return Err("there are two".into()) };
        println!("right: {}", right.state);
        let ServiceState::Failed(failure) = &right.state else { return Err("it goes on".into()) };
        assert!(matches!(&**failure, ServiceFailure::GaveUp { restarts: 3, group: Some(_), .. }));
        assert_eq!([left.incarnation, right.incarnation], [4, 4]);
        Ok::<_, BoxError>(())
    })
}

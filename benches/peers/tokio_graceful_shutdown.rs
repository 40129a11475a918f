//! What COMPARE.md says of tokio-graceful-shutdown: one of four subsystems panics.

use std::time::Duration;

use plux::BoxError;
use tokio::time::{Instant, sleep};
use tokio_graceful_shutdown::{SubsystemBuilder, SubsystemHandle, Toplevel};

async fn drain(name: &str, since: Instant, subsystem: &SubsystemHandle) -> Result<(), BoxError> {
    subsystem.on_shutdown_requested().await;
    println!("{name}: told to stop at {:?}", since.elapsed());
    sleep(Duration::from_millis(100)).await;
    println!("{name}: ended at {:?}", since.elapsed());
    Ok(())
}

#[tokio::main]
async fn main() {
    let since = Instant::now();
    let toplevel = Toplevel::new(async move |root: &mut SubsystemHandle| {
        for name in ["database", "queue", "gateway"] {
            let run = async move |own: &mut SubsystemHandle| drain(name, since, own).await;
            root.start(SubsystemBuilder::new(name, run));
        }
        let faulty = async |_: &mut SubsystemHandle| -> Result<(), BoxError> {
            sleep(Duration::from_millis(50)).await;
            panic!("disk 7 is full")
        };
        root.start(SubsystemBuilder::new("faulty", faulty));
    });
    if let Err(error) = toplevel.handle_shutdown_requests(Duration::from_secs(2)).await {
        for error in error.get_subsystem_errors() {
            let told = format!("{error} {error:?}");
            println!("{error}; with the message of the panic: {}", told.contains("disk 7"));
        }
    }
}

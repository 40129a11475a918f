//! A supervisor as a service of another one: what is given up inside is an end, which the outer one repairs.
//!
//! The trap: a supervisor that was shut down stays so. Each run of the cell makes a fresh one, whose services
//! begin with run 1 and a full budget.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use plux::{
    Backoff, BoxError, FnService, GiveUp, Intensity, Nested, PluginManager, ServiceContext,
    Supervisor, SupervisorBuilder,
};

static RUNS: AtomicU32 = AtomicU32::new(0);

/// Never lasts.
#[plux::service]
async fn worker(cx: ServiceContext) -> Result<(), BoxError> {
    cx.ready(());
    let all = RUNS.fetch_add(1, Ordering::SeqCst) + 1;
    println!("worker: run {} of this supervisor, {all} of all", cx.incarnation());
    tokio::time::sleep(Duration::from_millis(10)).await;
    Err("it does not last".into())
}

/// What runs in the outer supervisor: supervisors.
#[plux::extension_point(namespace = "example.cells", output = Nested)]
pub trait Cell {}

#[derive(Default)]
struct Workers;

#[plux::plugin]
impl Cell for Workers {
    async fn load(&self, _: &()) -> Result<Nested, BoxError> {
        Ok(Nested::new(|| {
            println!("workers: a fresh supervisor");
            let services = PluginManager::<dyn FnService>::builder(()).build();
            fragile(Supervisor::builder()).manager(services).build()
        }))
    }
}

/// One restart, and the next failure shuts the supervisor down.
fn fragile(builder: SupervisorBuilder) -> SupervisorBuilder {
    builder
        .backoff(Backoff::constant(Duration::from_millis(5)))
        .intensity(Intensity::new(1, Duration::from_secs(60)))
        .give_up(GiveUp::Escalate)
}

fn main() -> ExitCode {
    plux::main(async {
        let cells = PluginManager::<dyn Cell>::builder(()).build();
        let supervisor = fragile(Supervisor::builder()).manager(cells).build()?;
        supervisor.start("workers").await?;
        let report = supervisor.clone().run_until_signal().await?;
        println!("{report}");
        assert_eq!(report.failed_before(), ["workers"]);
        // Two runs inside of each of two supervisors.
        assert_eq!(RUNS.load(Ordering::SeqCst), 4);
        let state = supervisor.list()[0].state.to_string();
        println!("workers: {state}");
        assert!(state.contains("inside, not all was clean: worker: failed"));
        // It is not clean, and the exit status would say so.
        Ok::<_, BoxError>(())
    })
}

//! A service that crashes comes back; one that does not heal is given up, and ends the process.
//!
//! The trap: a service is restarted from its first successful start on. What fails in that first start
//! stays failed, and whoever asked for it gets the error.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use plux::{
    Backoff, BoxError, FnService, GiveUp, Intensity, PluginManager, ServiceContext, Supervisor,
};

static RUNS: AtomicU32 = AtomicU32::new(0);

/// It breaks soon after it serves.
#[plux::service]
async fn flaky(cx: ServiceContext) -> Result<(), BoxError> {
    RUNS.fetch_add(1, Ordering::Relaxed);
    cx.ready(());
    println!("flaky: run {}", cx.incarnation());
    tokio::time::sleep(Duration::from_millis(20)).await;
    Err("the disk is gone".into())
}

/// It goes on without it.
#[plux::service(requires = [keep("flaky")])]
async fn steady(cx: ServiceContext) -> Result<(), BoxError> {
    cx.ready(());
    let why = cx.stopping().await;
    println!("steady: run {}, stopped ({why})", cx.incarnation());
    Ok(())
}

fn main() -> ExitCode {
    plux::main(async {
        let services = PluginManager::<dyn FnService>::builder(()).build();
        let supervisor = Supervisor::builder()
            .manager(services)
            .backoff(Backoff::constant(Duration::from_millis(10)))
            .intensity(Intensity::new(3, Duration::from_secs(60)))
            .give_up(GiveUp::Escalate)
            .build()?;
        supervisor.start_all().await;
        let report = supervisor.run_until_signal().await?;
        print!("{report}");
        assert_eq!(RUNS.load(Ordering::Relaxed), 4, "one start, and three restarts");
        assert_eq!(report.failed_before(), ["flaky"]);
        // It is not clean, and the exit status would say so.
        Ok::<_, BoxError>(())
    })
}

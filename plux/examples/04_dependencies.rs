//! Services that stand on each other, and a process that always ends.
//!
//! The trap: a stop goes the other way than a start. `shop` requires `store`, so `store` starts first
//! and stops last; the report says so.

use std::process::ExitCode;

use parking_lot::Mutex;
use plux::{BoxError, FnService, Handle, PluginManager, ServiceContext, Supervisor};

/// What `store` publishes.
#[derive(Default)]
struct Store {
    orders: Mutex<Vec<&'static str>>,
}

#[plux::service]
async fn store(cx: ServiceContext) -> Result<(), BoxError> {
    cx.ready(Store::default());
    println!("store: open");
    let why = cx.stopping().await;
    println!("store: closed ({why})");
    Ok(())
}

#[plux::service(requires = ["store"])]
async fn shop(cx: ServiceContext) -> Result<(), BoxError> {
    let store: Handle<Store> = cx.dependency("store")?;
    cx.ready(());
    println!("shop: open");
    store.get()?.orders.lock().push("one table");
    // A service may ask for the end of everything; it must not wait for it.
    if let Some(supervisor) = cx.supervisor().upgrade() {
        supervisor.request_shutdown();
    }
    cx.stopping().await;
    let orders = store.get()?.orders.lock().clone();
    println!("shop: closed, sold {orders:?}");
    Ok(())
}

fn main() -> ExitCode {
    plux::main(async {
        let services = PluginManager::<dyn FnService>::builder(()).build();
        let supervisor = Supervisor::builder().manager(services).build()?;
        // Ctrl-C is heard from the beginning, also while services start.
        let start = async {
            let started = supervisor.start("shop").await;
            if started.is_err() {
                supervisor.request_shutdown();
            }
            started
        };
        let (report, started) = tokio::join!(supervisor.run_until_signal(), start);
        started?;
        let report = report?;
        println!("{report}");
        assert_eq!(report.rows().len(), 2);
        Ok::<_, BoxError>(report)
    })
}

//! How much memory a service costs that runs and has nothing to do.

use std::alloc::System;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use plux::Supervisor;
#[cfg(feature = "peers")]
use plux_benches::heap;
#[cfg(feature = "peers")]
use plux_benches::peers::{self, Ractor, TaskSupervisor, Taskvisor, TokioGracefulShutdown};
use plux_benches::{Gates, Heap, Options, Table, count, idle, on_worker};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::runtime::Handle;
use tokio::sync::Notify;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Failure = Box<dyn Error + Send + Sync>;

const SIZES: &[usize] = &[100, 1_000, 10_000];

/// The size from which on what a supervisor costs once is nothing to each of its services.
const MANY: usize = 10_000;

/// What a running service may take, over the bare task. It is not the goal, which the gate would be if it
/// were met: it keeps what has been reached.
const MOST: f64 = 3.75;

fn main() -> Result<ExitCode, Failure> {
    let options = Options::read()?;
    let mut gates = Gates::new(options.check);
    let columns = ["services", "way", "bytes for each", "ratio", "gate (goal of G13: 1.75)"];
    let mut table = Table::new("service_heap", &columns);
    for &size in options.sizes(SIZES) {
        let raw = on_worker(raw(size))?;
        let [found, built, running] = on_worker(supervised(size))?;
        let gate = match size {
            MANY.. => format!("≤ {MOST}: {}", gates.at_most(running / raw, MOST)),
            _ => String::new(),
        };
        for (way, value, gate) in [
            ("`tokio::spawn` and a `Notify`", raw, ""),
            ("supervised, running", running, gate.as_str()),
            ("of that before the supervisor: found", found, ""),
            ("of that before the start: found and supervised", built, ""),
        ] {
            let ratio = format!("{:.2}", value / raw);
            table.row([&count(size), way, &format!("{value:.0}"), &ratio, gate]);
        }
        #[cfg(feature = "peers")]
        for (way, value) in others(size)? {
            let more = match size {
                MANY.. => format!("not less than plux: {}", gates.at_most(running, value)),
                _ => String::new(),
            };
            let (value, ratio) = (format!("{value:.0}"), format!("{:.2}", value / raw));
            table.row([&count(size), way, &value, &ratio, &more]);
        }
    }
    table.end(!options.short)?;
    Ok(gates.end())
}

/// What the others need for each.
#[cfg(feature = "peers")]
fn others(size: usize) -> Result<Vec<(&'static str, f64)>, Failure> {
    let mut rows = vec![
        ("task-supervisor", on_worker(heap::<TaskSupervisor>(size))?),
        ("taskvisor", on_worker(heap::<Taskvisor>(size))?),
        ("tokio-graceful-shutdown", on_worker(heap::<TokioGracefulShutdown>(size))?),
        ("ractor", on_worker(heap::<Ractor>(size))?),
    ];
    if peers::installed() {
        rows.push(("Erlang/OTP, as it counts it", peers::figure("heap", size)?));
    }
    Ok(rows)
}

/// A task that waits for its own notification.
async fn raw(size: usize) -> Result<f64, Failure> {
    let runtime = Handle::current();
    let mut stops = Vec::with_capacity(size);
    let before = Heap::now();
    for _ in 0..size {
        let stop = Arc::new(Notify::new());
        stops.push(Arc::clone(&stop));
        runtime.spawn(async move { stop.notified().await });
    }
    settle().await;
    let live = (Heap::now() - before).live;
    for stop in stops {
        stop.notify_one();
    }
    Ok(live as f64 / size as f64)
}

/// Found, supervised and not started, running: for each service from the beginning on.
async fn supervised(size: usize) -> Result<[f64; 3], Failure> {
    // The specs are constants of a real program, and a first start is the runtime's affair too.
    start(1).await?;
    start(size).await
}

async fn start(size: usize) -> Result<[f64; 3], Failure> {
    let manager = idle(size);
    let before = Heap::now();
    let each = || (Heap::now() - before).live as f64 / size as f64;
    manager.contains("nobody")?;
    let found = each();
    let supervisor = Supervisor::builder().manager(manager).build()?;
    let built = each();
    drop(supervisor.start_all().await);
    settle().await;
    let running = each();
    let up = supervisor.list().iter().filter(|status| status.state.is_live()).count();
    if up != size {
        return Err(format!("{up} of {size} services run").into());
    }
    supervisor.shutdown().await?;
    Ok([found, built, running])
}

/// Lets every task come to its wait.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

//! How much memory a plugin costs: registered, loaded, and after its manager.

use std::alloc::System;
use std::error::Error;
use std::process::ExitCode;

use plux::PluginSpec;
use plux_benches::{
    Asking, Gates, Heap, Options, Plain, Table, asking, count, manager, on_worker, specs,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Failure = Box<dyn Error + Send + Sync>;

const SIZES: &[usize] = &[10, 100, 1_000, 10_000, 100_000];

/// The size from which on what a manager costs once is nothing to each of its plugins.
const MANY: usize = 1_000;

/// What a plugin of `T` takes in an `Arc`.
const fn in_arc<T>() -> f64 {
    (size_of::<T>() + 2 * size_of::<usize>()) as f64
}

fn main() -> Result<ExitCode, Failure> {
    let options = Options::read()?;
    let mut gates = Gates::new(options.check);
    let columns = [
        "plugins",
        "which",
        "bytes, registered",
        "allocations for a load",
        "bytes a load leaves beside the plugin",
        "bytes after the manager, in all",
        "gate (G14)",
    ];
    let mut table = Table::new("plugin_heap", &columns);
    for (which, of, plugin, calls) in [
        ("plain", specs as fn(usize) -> &'static [PluginSpec], in_arc::<Plain>(), Some(3.0)),
        ("a field and `should_load`", asking, in_arc::<Asking>(), None),
    ] {
        for &size in options.sizes(SIZES) {
            let cost = on_worker(async move { cost(of(size)).await })?;
            let left = cost.left - plugin;
            let mut verdict = String::new();
            if size >= MANY {
                verdict = format!(
                    "≤ 200: {}; 0: {}; 0: {}",
                    gates.at_most(cost.registered, 200.0),
                    gates.at_most(left, 0.0),
                    gates.at_most(cost.after as f64, 0.0),
                );
                if let Some(limit) = calls {
                    let how = gates.at_most(cost.calls, limit);
                    verdict = format!("{verdict}; ≤ {limit}: {how}");
                }
            }
            table.row([
                &count(size),
                which,
                &format!("{:.0}", cost.registered),
                &format!("{:.2}", cost.calls),
                &format!("{left:.1}"),
                &count(cost.after),
                &verdict,
            ]);
        }
    }
    table.end(!options.short)?;
    Ok(gates.end())
}

/// All for each plugin, but for the last.
struct Cost {
    registered: f64,
    calls: f64,
    left: f64,
    after: i64,
}

async fn cost(specs: &'static [PluginSpec]) -> Result<Cost, Failure> {
    // What each worker takes with its first load is not the plugins'.
    measure(specs).await?;
    measure(specs).await?;
    measure(specs).await
}

async fn measure(specs: &'static [PluginSpec]) -> Result<Cost, Failure> {
    let each = |bytes: i64| bytes as f64 / specs.len() as f64;
    let before = Heap::now();
    let manager = manager(specs);
    let made = Heap::now();
    manager.contains("nobody")?;
    let registered = Heap::now() - made;
    let unloaded = Heap::now();
    let report = manager.load_all().await;
    let calls = (Heap::now() - unloaded).calls;
    if report.loaded().len() != specs.len() {
        return Err(report.to_string().into());
    }
    drop(report);
    settle().await;
    let left = (Heap::now() - unloaded).live;
    drop(manager);
    settle().await;
    let after = (Heap::now() - before).live;
    Ok(Cost { registered: each(registered.live), calls: each(calls), left: each(left), after })
}

/// Lets the other worker put away the tasks that have ended.
async fn settle() {
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
}

//! Writes the run of a seed as a trace, for programs that judge one: `docs/trace.md` says what stands in
//! it.
//!
//! ```sh
//! cargo run -p plux-tests --bin trace -- --seed 7 --services 30 --commands 100 --faults 10 --out run.jsonl
//! ```

mod flags;
mod script;

use std::error::Error;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

use futures::future::{join, join_all};
use plux::testing::{RecordedRun, Trace};
use plux::{BuildError, SupervisorBuilder};
use schedules::{Asks, Call, Case};

use crate::flags::Flags;

/// After the last call, so much is waited for what still goes on by itself.
const QUIET: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let flags = Flags::of(std::env::args().skip(1))?;
    let case = Case::of_size(flags.seed, flags.sizes());
    // Their panics are in the trace.
    std::panic::set_hook(Box::new(|_| {}));
    let trace = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?
        .block_on(played(&case));
    drop(std::panic::take_hook());
    let trace = trace?;
    match flags.out {
        Some(path) => std::fs::write(path, trace.to_string())?,
        None => print!("{trace}"),
    }
    Ok(())
}

/// Every call at its time, all of them at once.
async fn played(case: &Case) -> Result<Trace, BuildError> {
    let set = |mut builder: SupervisorBuilder| {
        if let Some(most) = case.cap.and_then(NonZeroUsize::new) {
            builder = builder.max_concurrent_restarts(most);
        }
        match case.shutdown {
            Some(time) => builder.shutdown_timeout(Duration::from_millis(time)),
            None => builder,
        }
    };
    let group = case.members().map(|member| &*case.services[member].row.name);
    let run = RecordedRun::with(script::probes(case), group, set)?;
    let calls = join_all(case.calls.iter().map(|call| made(&run, case, call)));
    let last = case.calls.iter().map(|call| call.at).max().unwrap_or_default();
    // Some are answered by the end only.
    let end = async {
        tokio::time::sleep(Duration::from_millis(last) + QUIET).await;
        run.clone().end().await
    };
    Ok(join(calls, end).await.1)
}

async fn made(run: &RecordedRun, case: &Case, call: &Call) {
    tokio::time::sleep(Duration::from_millis(call.at)).await;
    let name = |service: usize| &*case.services[service].row.name;
    match call.asks {
        Asks::Stop(service) => drop(run.stop(name(service)).await),
        Asks::Restart(service) => drop(run.restart(name(service)).await),
        Asks::Shutdown => drop(run.shutdown().await),
        Asks::AbortNow => drop(run.abort_now()),
        Asks::Start(service) => drop(run.start(name(service)).await),
        // A trace has no word for a wait.
        Asks::StopUnused(service) | Asks::Wait(service) => {
            drop(run.stop_unused(name(service)).await)
        }
        // Nor for services that come and go; in a case of a given size there are none.
        Asks::Add(_) | Asks::Remove(_) => {}
    }
}

//! A process that always ends: `plux::main` owns the runtime and ends it in the background, and
//! [`Supervisor::run_until_signal`] turns signals into a shutdown.

use std::future::Future;
use std::process::{ExitCode, Termination};

use crate::error::RunError;
use crate::signals::{Bounds, listen};
use crate::supervisor::{ShutdownReport, Supervisor};
use crate::task::{catch, install_panic_hook};

/// Exit status for what should never happen, as in `sysexits.h`.
const INTERNAL: u8 = 70;

/// Runs `future` to its end on a multi-thread runtime of its own, and turns its output into the exit
/// status. Work that is still running then is not waited for: leaked tasks and blocked threads end
/// with the process, and so do listeners that have not heard everything, unless a supervisor was shut
/// down or their manager was [closed](crate::PluginManager::close). Panics of plugins and services
/// carry their place ([`install_panic_hook`]).
///
/// ```no_run
/// use plux::{FnService, PluginManager, Supervisor};
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     plux::main(async {
///         let services = PluginManager::<dyn FnService>::builder(()).build();
///         let supervisor = Supervisor::builder().manager(services).build()?;
///         supervisor.start_all().await;
///         Ok::<_, plux::BoxError>(supervisor.run_until_signal().await?)
///     })
/// }
/// ```
#[expect(clippy::print_stderr, reason = "without a runtime there is no subscriber to tell")]
pub fn main<F>(future: F) -> ExitCode
where
    F: Future,
    F::Output: Termination,
{
    install_panic_hook();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("plux: the runtime can not be built: {error}");
            return ExitCode::from(INTERNAL);
        }
    };
    // The panic itself was told by the hook.
    let code = catch(|| runtime.block_on(future).report());
    runtime.shutdown_background();
    code.unwrap_or(ExitCode::from(INTERNAL))
}

impl Supervisor {
    /// Waits for SIGINT or SIGTERM, or for a shutdown begun elsewhere, and returns when everything
    /// has stopped: dependents first, each within its grace period. A second signal ends everything
    /// at once, as [`Supervisor::abort_now`] does. When even that is not possible, because every
    /// worker of the runtime is blocked, the process is ended with status 1 after the longest time
    /// the services were given.
    ///
    /// From the first call on the two signals are plux's: one that comes while no supervisor waits for
    /// it ends the process. So poll this from the beginning, beside the first starts:
    ///
    /// ```no_run
    /// # async fn serve(supervisor: plux::Supervisor) -> Result<plux::ShutdownReport, plux::RunError> {
    /// let (report, _started) =
    ///     tokio::join!(supervisor.run_until_signal(), supervisor.start_all());
    /// report
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`RunError`] when the signals can not be listened to.
    pub async fn run_until_signal(&self) -> Result<ShutdownReport, RunError> {
        let signals = listen().map_err(RunError::Signals)?;
        let mut bound = self.shared.shutdown_bound.subscribe();
        let bounds = || Bounds {
            graceful: *self.shared.shutdown_bound.borrow(),
            abort: self.shared.abort_bound,
        };
        let taken = signals.take(bounds());
        loop {
            tokio::select! {
                () = signals.wait(1) => break,
                () = self.shutting_down() => {
                    taken.begin();
                    break;
                }
                // Services have come, or gone. The sender lives as long as this.
                _ = bound.changed() => taken.bound(bounds()),
            }
        }
        let report = self.shutdown();
        tokio::pin!(report);
        tokio::select! {
            report = &mut report => return report.map_err(RunError::from),
            () = signals.wait(2) => {}
        }
        self.abort_now();
        report.await.map_err(RunError::from)
    }
}

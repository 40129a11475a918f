//! The machine: what a table says of it, and the runtime that everything is measured on.

use std::future::Future;
use std::process::Command;

use plux::BoxError;

/// Cores and compiler, without anything that names a person or a place.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let compiler = Command::new("rustc").arg("--version").output();
    let compiler = compiler.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let compiler = compiler.as_deref().unwrap_or("rustc").trim();
    format!("{cores} cores, {}, {compiler}, bench profile", std::env::consts::ARCH)
}

/// Runs `future` on a worker of a runtime with two of them. On the thread that waits for a runtime
/// every spawn would be one from outside, which is a slower path.
///
/// # Errors
/// What the future answers, or that there is no runtime.
pub fn on_worker<T: Send + 'static>(
    future: impl Future<Output = Result<T, BoxError>> + Send + 'static,
) -> Result<T, BoxError> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_time().build()?;
    let task = runtime.spawn(future);
    runtime.block_on(task)?
}

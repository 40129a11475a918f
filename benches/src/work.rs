//! What plugins, and the tasks they are compared with, do; and the ways that most benches have.

use std::future::Future;
use std::hint::black_box;
use std::time::Duration;

use plux::{BoxError, PluginManager};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::plugins::NoOp;

/// Keeps a thread for about a tenth of a millisecond.
pub fn compute() {
    let mut value = black_box(1_u64);
    for _ in 0..100_000 {
        value = value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    }
    black_box(value);
}

/// Times a `load_all`, and proves that it has loaded `size`. What is not found yet is not timed.
///
/// # Errors
/// When less was done.
pub async fn load_all(size: usize, manager: PluginManager<dyn NoOp>) -> Result<Duration, BoxError> {
    all(size, manager.names()?.len())?;
    find_and_load_all(size, manager).await
}

/// The same with finding.
///
/// # Errors
/// When less was done.
pub async fn find_and_load_all(
    size: usize,
    manager: PluginManager<dyn NoOp>,
) -> Result<Duration, BoxError> {
    let start = Instant::now();
    let report = manager.load_all().await;
    let time = start.elapsed();
    all(size, report.loaded().len())?;
    Ok(time)
}

/// Times a [`JoinSet`] of `size` such tasks.
///
/// # Errors
/// A task that panicked.
pub async fn join_set<F: Future<Output = ()> + Send + 'static>(
    size: usize,
    task: impl Fn(usize) -> F,
) -> Result<Duration, BoxError> {
    let start = Instant::now();
    let mut set = JoinSet::new();
    for place in 0..size {
        set.spawn(task(place));
    }
    while let Some(joined) = set.join_next().await {
        joined?;
    }
    Ok(start.elapsed())
}

/// A way that does less than the others is no way to do the same.
///
/// # Errors
/// When less was done.
pub fn all(expected: usize, got: usize) -> Result<(), BoxError> {
    if got == expected { Ok(()) } else { Err(format!("{got} of {expected}").into()) }
}

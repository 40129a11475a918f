//! What keeps services running, as the benches measure it: a trait for each thing that it can do.
//!
//! All services do nothing but to wait for their stop.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use plux::BoxError;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::heap::Heap;
use crate::services::service_name;

/// Starts and stops services, all at once.
pub trait Running: Sized + Send + 'static {
    /// So many services; the time is from the call that starts them until the last one runs.
    fn start(size: usize) -> impl Future<Output = Result<(Self, Duration), BoxError>> + Send;

    /// The time from the call that stops them until the last one has ended.
    fn stop(self) -> impl Future<Output = Result<Duration, BoxError>> + Send;
}

/// Starts and stops one of many by its name.
pub trait ByName: Sized + Send + Sync + 'static {
    /// It knows so many services, and none of them runs.
    fn know(size: usize) -> impl Future<Output = Result<Self, BoxError>> + Send;

    /// Starts this one and waits until it runs, stops it and waits until it has ended.
    fn start_and_stop(&self, name: &str) -> impl Future<Output = Result<(), BoxError>> + Send;

    /// Ends it.
    fn end(self) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// Starts again what has failed.
pub trait Restarting: Sized + Send + 'static {
    /// So many run, and one more that fails as it is told and is started again without a delay.
    fn run(
        size: usize,
        failures: Arc<Failures>,
    ) -> impl Future<Output = Result<Self, BoxError>> + Send;

    /// Ends it.
    fn end(self) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// Times the start of so many.
///
/// # Errors
/// Those of the way.
pub async fn start<W: Running>(size: usize) -> Result<Duration, BoxError> {
    let (way, time) = W::start(size).await?;
    way.stop().await?;
    Ok(time)
}

/// Times the stop of so many.
///
/// # Errors
/// Those of the way.
pub async fn stop<W: Running>(size: usize) -> Result<Duration, BoxError> {
    W::start(size).await?.0.stop().await
}

/// The bytes for each of so many that run.
///
/// # Errors
/// Those of the way.
pub async fn heap<W: Running>(size: usize) -> Result<f64, BoxError> {
    // What a first start allocates once is the runtime's affair.
    W::start(1).await?.0.stop().await?;
    let before = Heap::now();
    let (way, _) = W::start(size).await?;
    // Lets every task come to its wait.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let live = (Heap::now() - before).live;
    way.stop().await?;
    Ok(live as f64 / size as f64)
}

/// How many are started and stopped for one figure.
const PAIRS: usize = 100;

/// Times one start and stop by name, of so many.
///
/// # Errors
/// Those of the way.
pub async fn by_name<W: ByName>(size: usize) -> Result<Duration, BoxError> {
    let way = W::know(size).await?;
    let names: Vec<_> = pairs(size).collect();
    for name in &names {
        // What is loaded by a first start is not what this is about.
        way.start_and_stop(name).await?;
    }
    let start = Instant::now();
    for name in &names {
        way.start_and_stop(name).await?;
    }
    let time = start.elapsed() / PAIRS as u32;
    way.end().await?;
    Ok(time)
}

/// Who of so many are started and stopped for one figure.
pub(crate) fn pairs(size: usize) -> impl ExactSizeIterator<Item = String> {
    (0..PAIRS).map(move |pair| service_name(pair * 7_919 % size))
}

/// How often one fails for one figure.
const FAILURES: u32 = 100;

/// Times one restart after such a failure, beside so many that go on.
///
/// # Errors
/// Those of the way.
pub async fn restart<W: Restarting>(size: usize, how: How) -> Result<Duration, BoxError> {
    let failures = Arc::new(Failures::new(how));
    let way = W::run(size, Arc::clone(&failures)).await?;
    let start = Instant::now();
    failures.go.notify_one();
    failures.over.notified().await;
    let time = start.elapsed() / FAILURES;
    way.end().await?;
    Ok(time)
}

/// In what way a run fails.
#[derive(Debug, Clone, Copy)]
pub enum How {
    /// It returns an error.
    Error,
    /// It panics.
    Panic,
}

/// The failures of one service: a hundred in a row, from the word on.
pub struct Failures {
    how: How,
    runs: AtomicU32,
    go: Notify,
    over: Notify,
}

impl Failures {
    fn new(how: How) -> Self {
        Self { how, runs: AtomicU32::new(0), go: Notify::new(), over: Notify::new() }
    }

    /// What a run does first; when this returns, it is the one that goes on.
    ///
    /// # Errors
    /// The failure.
    ///
    /// # Panics
    /// When that is the way in which it fails.
    pub async fn run(&self) -> Result<(), BoxError> {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        if run == 0 {
            self.go.notified().await;
        }
        if run == FAILURES {
            self.over.notify_one();
            return Ok(());
        }
        match self.how {
            How::Error => Err("again".into()),
            How::Panic => panic!("again"),
        }
    }
}

/// Tells when so many have begun.
pub struct Begun {
    left: AtomicUsize,
    all: Notify,
}

impl Begun {
    /// None has.
    pub fn new(size: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(size), all: Notify::new() })
    }

    /// One more has.
    pub fn one(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.all.notify_one();
        }
    }

    /// Waits until all have.
    pub async fn all(&self) {
        self.all.notified().await;
    }
}

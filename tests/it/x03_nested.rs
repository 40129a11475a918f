//! A supervisor inside another one that is aborted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use plux::{
    BoxError, BuildError, GracePeriod, ListFinder, Name, Namespace, Nested, PluginManager,
    PluginSpec, Service, ServiceContext, StopHow, Supervisor,
};

/// Longer than any end takes.
const LONG: Duration = Duration::from_secs(60);

#[plux::extension_point(namespace = "reviewed", output = Arc<dyn Service>)]
trait Part {}

struct Given(Arc<dyn Service>);

#[plux::async_trait]
impl Part for Given {
    async fn load(&self, _: &()) -> Result<Arc<dyn Service>, BoxError> {
        Ok(Arc::clone(&self.0))
    }
}

fn over(
    name: &'static str,
    service: Arc<dyn Service>,
    join: Duration,
) -> Result<Supervisor, BuildError> {
    let make =
        move || -> Result<Arc<dyn Part>, BoxError> { Ok(Arc::new(Given(Arc::clone(&service)))) };
    let spec =
        PluginSpec::new::<dyn Part>(Namespace::literal("reviewed"), Name::literal(name), make);
    let manager = PluginManager::<dyn Part>::builder(()).finder(ListFinder::new([spec])).build();
    Supervisor::builder()
        .manager(manager)
        .grace_period(GracePeriod::Bounded(Duration::ZERO))
        .join_timeout(join)
        .build()
}

#[derive(Default)]
struct Lives {
    now: AtomicUsize,
    most: AtomicUsize,
    /// Destructors do not come to their end.
    held: AtomicBool,
}

/// Lets the destructors end when the test is over, whichever way.
struct LetGo(Arc<Lives>);

impl Drop for LetGo {
    fn drop(&mut self) {
        self.0.held.store(false, Ordering::SeqCst);
    }
}

/// Its destructor takes a while.
struct Slow(Arc<Lives>);

impl Drop for Slow {
    #[expect(clippy::disallowed_methods, reason = "a destructor that blocks its thread")]
    fn drop(&mut self) {
        thread::sleep(Duration::from_millis(100));
        while self.0.held.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Leaf(Arc<Lives>);

#[plux::async_trait]
impl Service for Leaf {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        let now = self.0.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most.fetch_max(now, Ordering::SeqCst);
        let _slow = Slow(Arc::clone(&self.0));
        cx.ready(());
        std::future::pending().await
    }
}

/// A service inside a supervisor inside another one, which waits that long for what it aborts.
fn tree(lives: &Arc<Lives>, join: Duration) -> Supervisor {
    let leaf: Arc<dyn Service> = Arc::new(Leaf(Arc::clone(lives)));
    let inside = Nested::new(move || over("leaf", Arc::clone(&leaf), LONG));
    over("cell", Arc::new(inside), join).expect("it fits together")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x03_a04_after_a_shutdown_nothing_inside_runs() {
    let lives = Arc::default();
    let outer = tree(&lives, LONG);
    outer.start("cell").await.unwrap();
    let report = outer.shutdown().await.unwrap();
    assert_eq!(lives.now.load(Ordering::SeqCst), 0, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn r06_a04_c01_nothing_inside_runs_twice() {
    let lives = Arc::default();
    let outer = tree(&lives, LONG);
    outer.start("cell").await.unwrap();
    outer.restart("cell").await.unwrap();
    assert_eq!(lives.most.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x03_a04_what_does_not_end_inside_has_leaked_outside() {
    let lives = Arc::<Lives>::default();
    let _let_go = LetGo(Arc::clone(&lives));
    lives.held.store(true, Ordering::SeqCst);
    let outer = tree(&lives, Duration::from_millis(10));
    outer.start("cell").await.unwrap();
    let report = outer.shutdown().await.unwrap();
    assert!(matches!(report.row("cell").unwrap().how, StopHow::Leaked), "{report}");
}

//! The destructors of what services fail with: user code, like any other.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::panicking;

use plux::{
    BoxError, ListFinder, Name, Namespace, PluginManager, PluginSpec, RestartPolicy, Service,
    ServiceContext, StartOutcome, Supervisor,
};

use crate::kit::{Scripted, settle};

/// An error whose destructor panics, and counts how often it did.
#[derive(Debug)]
struct Cursed(Arc<AtomicUsize>);

impl fmt::Display for Cursed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cursed")
    }
}

impl std::error::Error for Cursed {}

impl Drop for Cursed {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        assert!(panicking(), "the destructor of an error");
    }
}

/// Fails with it before it is ready, then after, then when it is told to stop.
#[derive(Clone)]
struct Fails(Arc<AtomicUsize>);

#[plux::async_trait]
impl Scripted for Fails {
    async fn load(&self, _: &()) -> Result<Arc<dyn Service>, BoxError> {
        Ok(Arc::new(self.clone()))
    }
}

#[plux::async_trait]
impl Service for Fails {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        if cx.incarnation() == 1 {
            return Err(Cursed(Arc::clone(&self.0)).into());
        }
        cx.ready(());
        if cx.incarnation() == 2 {
            return Err(Cursed(Arc::clone(&self.0)).into());
        }
        cx.stopping().await;
        if cx.incarnation() == 3 { Err(Cursed(Arc::clone(&self.0)).into()) } else { Ok(()) }
    }
}

#[tokio::test(start_paused = true)]
async fn c02_the_destructor_of_an_error_runs_nowhere_near_the_supervisors_loop() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let fails = Fails(Arc::clone(&dropped));
    let (namespace, name) = (Namespace::literal("test"), Name::literal("a"));
    let spec =
        PluginSpec::new::<dyn Scripted>(namespace, name, move || Ok(Arc::new(fails.clone())));
    let manager =
        PluginManager::<dyn Scripted>::builder(()).finder(ListFinder::new([spec])).build();
    let supervisor =
        Supervisor::builder().manager(manager).restart(RestartPolicy::Temporary).build().unwrap();
    for state in ["failed", "failed", "running"] {
        // Nobody waits for the answer: it stays with the supervisor, and the error in it.
        supervisor.request_restart("a").unwrap();
        settle().await;
        assert_eq!(supervisor.status("a").unwrap().state.word(), state);
    }
    supervisor.request_stop("a").unwrap();
    settle().await;
    assert_eq!(supervisor.start("a").await.unwrap(), StartOutcome::Started);
    supervisor.stop("a").await.unwrap();
    assert_eq!(supervisor.start("a").await.unwrap(), StartOutcome::Started);
    assert_eq!(dropped.load(Ordering::SeqCst), 3, "none is kept for ever");
    let report = supervisor.shutdown().await.unwrap();
    assert!(report.is_clean(), "{report}");
}

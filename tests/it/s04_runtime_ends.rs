//! Services whose runtime ends.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;

use crate::kit::{Do, Kit, Probe, tireless};

/// Holds up whoever wakes a caller, here the supervisor's own loop, until the services have been dropped.
struct HoldsUp {
    services: Vec<Probe>,
    is_here: AtomicBool,
    /// They were dropped while it held that up.
    all_dropped: AtomicBool,
}

impl HoldsUp {
    /// Whether it becomes so.
    fn until(condition: impl Fn() -> bool) -> bool {
        for _ in 0..10_000 {
            if condition() {
                return true;
            }
            thread::park_timeout(Duration::from_millis(1));
        }
        false
    }
}

impl Wake for HoldsUp {
    fn wake(self: Arc<Self>) {
        self.is_here.store(true, Ordering::SeqCst);
        let all_dropped = Self::until(|| self.services.iter().all(|service| service.live() == 0));
        self.all_dropped.store(all_dropped, Ordering::SeqCst);
    }
}

#[test]
fn s01_s04_who_is_dropped_with_the_runtime_has_not_ended_by_itself_and_does_not_come_back() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let services: Vec<_> = names.into_iter().map(Probe::new).collect();
    let last = Probe::new("last").begin([]);
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let kit = Kit::with(services.iter().chain([&last]), tireless);
    for name in names {
        runtime.block_on(kit.supervisor.start(name)).unwrap();
    }
    let no = || AtomicBool::new(false);
    let holds_up = Arc::new(HoldsUp { services, is_here: no(), all_dropped: no() });
    let waker = Waker::from(Arc::clone(&holds_up));
    let mut call = pin!(kit.supervisor.start("last"));
    let entered = runtime.enter();
    assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(entered);
    assert!(HoldsUp::until(|| last.live() == 1));
    last.order(Do::Ready);
    assert!(HoldsUp::until(|| holds_up.is_here.load(Ordering::SeqCst)));
    drop(runtime);
    assert!(holds_up.all_dropped.load(Ordering::SeqCst));
    for name in names {
        assert_eq!((kit.state(name).as_str(), kit.incarnation(name)), ("running", 1));
        assert_eq!(kit.events.states(name), ["starting", "running"]);
    }
}

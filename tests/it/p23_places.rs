//! Who takes one of the places of those that load at once, and when it is free again.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use parking_lot::Mutex;
use plux::{BoxError, LoadError, PluginFilter, PluginManager};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::asking::{Slot, beside, one_at_once, tried_again};
use crate::scripted::{PATIENCE, Plugin, Script, finder, idle, state};

#[tokio::test(start_paused = true)]
async fn p23_what_is_only_to_be_skipped_or_has_loaded_needs_no_place() {
    let plugins = [
        Plugin::new("hangs").hangs(),
        Plugin::new("disabled").disabled(),
        Plugin::new("loaded"),
        Plugin::new("skipped").requires("disabled"),
    ];
    let manager = one_at_once(plugins);
    assert!(manager.load("disabled").await.is_err());
    assert!(manager.load("loaded").await.is_ok());
    let _hangs = beside(&manager, "hangs");
    idle().await;
    let skipped = timeout(PATIENCE, manager.load("skipped")).await.expect("it waits for a place");
    assert!(matches!(skipped, Err(LoadError::Skipped { .. })), "{skipped:?}");
    for name in ["disabled", "loaded"] {
        timeout(PATIENCE, manager.load(name)).await.expect("it waits for a place").ok();
    }
}

#[tokio::test(start_paused = true)]
async fn p23_who_waits_for_an_attempt_under_way_needs_no_place() {
    let a = Plugin::new("a").yields(|| async {
        sleep(Duration::from_millis(10)).await;
        Err::<(), _>("no luck".into())
    });
    let manager = one_at_once([a, Plugin::new("c").requires("a"), Plugin::new("hangs").hangs()]);
    let _a = beside(&manager, "a");
    idle().await;
    let _hangs = beside(&manager, "hangs");
    idle().await;
    // The next place is for what hangs.
    let skipped = timeout(PATIENCE, manager.load("c")).await.expect("it waits for a place");
    assert!(matches!(skipped, Err(LoadError::Skipped { .. })), "{skipped:?}");
    assert_eq!(state(&manager, "hangs"), "loading");
}

/// A filter that looks at everything.
struct Passes;

impl PluginFilter<dyn Script> for Passes {}

#[tokio::test(start_paused = true)]
async fn p23_who_got_a_place_gives_it_back_while_what_it_requires_is_tried_again() {
    let slot = Slot::default();
    let (gate, r, z) = tried_again(&slot);
    let plugins = [r, Plugin::new("x").requires("r"), z, Plugin::new("other")];
    // With a filter it takes a place to be skipped.
    let builder = PluginManager::builder(()).finder(finder(plugins)).filter(Passes);
    let manager = builder.max_concurrent(NonZeroUsize::MIN).build();
    slot.set(&manager);
    let x = beside(&manager, "x");
    sleep(Duration::from_millis(1)).await;
    let z = beside(&manager, "z");
    sleep(Duration::from_millis(20)).await;
    assert!(z.await.unwrap());
    let other = timeout(PATIENCE, manager.load("other")).await.expect("the place is kept");
    assert!(other.is_ok() && !x.is_finished());
    gate.add_permits(1);
    assert!(!timeout(PATIENCE, x).await.expect("x hangs").unwrap());
}

/// An error that is dropped when its end is allowed.
#[derive(Debug)]
struct Lingers {
    dropping: Arc<Notify>,
    end: Mutex<mpsc::Receiver<()>>,
}

impl fmt::Display for Lingers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the first time")
    }
}

impl std::error::Error for Lingers {}

impl Drop for Lingers {
    fn drop(&mut self) {
        self.dropping.notify_one();
        // The test is over when the other end is gone.
        let _ = self.end.get_mut().recv();
    }
}

/// Runs for real: a destructor blocks its thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p23_a_place_is_free_while_what_an_earlier_attempt_left_is_dropped() {
    let (dropping, (end, blocked)) = (Arc::new(Notify::new()), mpsc::channel());
    let first = Lingers { dropping: Arc::clone(&dropping), end: Mutex::new(blocked) };
    let first = Mutex::new(Some(first));
    let a = Plugin::new("a").yields(move || {
        let first = first.lock().take();
        async move {
            Err::<(), _>(first.map_or_else(|| BoxError::from("the second time"), BoxError::from))
        }
    });
    let manager = one_at_once([a, Plugin::new("b")]);
    assert!(manager.load("a").await.is_err());
    let again = beside(&manager, "a");
    dropping.notified().await;
    let other = timeout(PATIENCE, manager.load("b")).await;
    assert!(!again.is_finished());
    drop(end);
    assert!(other.expect("the place is kept").is_ok());
    assert!(!again.await.unwrap());
}

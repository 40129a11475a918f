//! Limits: how many at once, and how long each phase may take.

use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use parking_lot::Mutex;
use plux::{FailureCause, Phase, PluginManager, PluginManagerBuilder};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant, advance, sleep, timeout};

use crate::scripted::{
    Heard, PATIENCE, Plugin, Script, failure, finder, idle, manager, spawn, state,
};

const SECOND: Duration = Duration::from_secs(1);

fn limited(
    plugins: impl IntoIterator<Item = Plugin>,
    limits: impl FnOnce(PluginManagerBuilder<dyn Script>) -> PluginManagerBuilder<dyn Script>,
) -> PluginManager<dyn Script> {
    limits(PluginManager::builder(()).finder(finder(plugins))).build()
}

fn at_once(loads: usize) -> NonZeroUsize {
    NonZeroUsize::new(loads).unwrap()
}

#[derive(Default)]
struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// Plugins that take ten milliseconds, and count how many of them load.
fn gauged(count: usize, gauge: &Arc<Gauge>) -> Vec<Plugin> {
    let plugin = |at: usize| {
        let gauge = Arc::clone(gauge);
        Plugin::new(&format!("p{at:03}")).yields(move || {
            let gauge = Arc::clone(&gauge);
            async move {
                let now = gauge.now.fetch_add(1, Ordering::SeqCst) + 1;
                gauge.most.fetch_max(now, Ordering::SeqCst);
                sleep(Duration::from_millis(10)).await;
                gauge.now.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
        })
    };
    (0..count).map(plugin).collect()
}

#[tokio::test(start_paused = true)]
async fn p23_no_more_load_at_once_than_the_limit_says() {
    for limit in [1, 3, 50, 500] {
        let gauge = Arc::new(Gauge::default());
        let manager =
            limited(gauged(100, &gauge), |builder| builder.max_concurrent(at_once(limit)));
        let began = Instant::now();
        let (all, again) = tokio::join!(manager.load_all(), manager.load_all());
        assert!(all.is_ok() && again.is_ok());
        assert_eq!(gauge.most.load(Ordering::SeqCst), limit.min(100), "limit {limit}");
        let rounds = 100_usize.div_ceil(limit) as u32;
        let (least, took) = (rounds * Duration::from_millis(10), began.elapsed());
        assert!(took >= least && took < least + rounds * Duration::from_millis(2), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn p23_without_a_limit_all_load_at_once() {
    let gauge = Arc::new(Gauge::default());
    assert!(manager(gauged(100, &gauge)).load_all().await.is_ok());
    assert_eq!(gauge.most.load(Ordering::SeqCst), 100);
}

#[tokio::test(start_paused = true)]
async fn p23_who_waits_for_a_requirement_takes_no_place() {
    let chain = |at: usize| {
        let plugin = Plugin::new(&format!("c{at}")).takes(10);
        if at == 0 { plugin } else { plugin.requires(&format!("c{}", at - 1)) }
    };
    let manager = limited((0..20).map(chain), |builder| builder.max_concurrent(at_once(1)));
    let calls = (0..20).rev().map(|at| {
        let manager = manager.clone();
        async move { manager.load(&format!("c{at}")).await.is_ok() }
    });
    let all = timeout(PATIENCE, futures::future::join_all(calls)).await.expect("a deadlock");
    assert!(all.iter().all(|loaded| *loaded));
}

#[tokio::test(start_paused = true)]
async fn p23_a_load_that_asks_for_another_shares_its_place() {
    let slot = Arc::new(OnceLock::<PluginManager<dyn Script>>::new());
    let asks = |name: &str, other: &'static str| {
        let slot = Arc::clone(&slot);
        Plugin::new(name).yields(move || {
            let manager = slot.get().unwrap().clone();
            async move { Ok(manager.load(other).await?.name().clone()) }
        })
    };
    let plugins = [asks("a", "b"), asks("b", "d"), Plugin::new("c").takes(5), Plugin::new("d")];
    let plugins = plugins.map(|plugin| plugin).into_iter();
    let manager = limited(plugins, |builder| builder.max_concurrent(at_once(1)));
    slot.set(manager.clone()).unwrap();
    let report = timeout(PATIENCE, manager.load_all()).await.expect("a deadlock");
    assert!(report.is_ok(), "{report}");
}

#[tokio::test(start_paused = true)]
async fn p23_strict_nothing_that_waits_for_its_place_begins_after_the_error() {
    let late = [Plugin::new("b").takes(5), Plugin::new("c").takes(5)];
    let runs = late.each_ref().map(Plugin::runs);
    let fails = Plugin::new("a").yields(|| async {
        sleep(Duration::from_millis(5)).await;
        Err::<(), _>("no luck".into())
    });
    let manager =
        limited([fails].into_iter().chain(late), |builder| builder.max_concurrent(at_once(1)));
    let error = manager.try_load_all().await.err().unwrap();
    assert_eq!(failure(error).id.name, "a");
    sleep(SECOND).await;
    assert_eq!(runs.map(|runs| runs.all()), [[0; 3]; 2]);
    assert_eq!(state(&manager, "b"), "resolved");
    assert!(manager.load("b").await.is_ok(), "it can be loaded later");
}

#[tokio::test(start_paused = true)]
async fn p23_a_phase_that_takes_too_long_has_failed_and_its_place_is_free() {
    struct Dropped(Arc<AtomicBool>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&dropped);
    let asks = Plugin::new("asks").should_load(pending);
    let loads = Plugin::new("loads").yields(move || {
        let held = Dropped(Arc::clone(&flag));
        async move {
            let _held = held;
            pending::<Result<(), _>>().await
        }
    });
    let heard = Heard::default();
    let manager = limited([asks, loads, Plugin::new("plain").takes(900)], |builder| {
        builder
            .max_concurrent(at_once(1))
            .should_load_timeout(2 * SECOND)
            .load_timeout(SECOND)
            .listener(heard.clone())
    });
    let began = Instant::now();
    let report = timeout(10 * PATIENCE, manager.load_all()).await.expect("a hang");
    let took = began.elapsed();
    assert!(took >= 3900 * SECOND / 1000 && took < 4 * SECOND, "{took:?}");
    let failed: Vec<_> = report
        .failed()
        .iter()
        .map(|(id, error)| {
            let failure = failure(error.clone());
            let FailureCause::Late { limit } = failure.cause else { panic!("{failure}") };
            assert!(error.to_string().contains(&format!("{limit:?}")), "{error}");
            (id.name.to_string(), failure.phase, limit)
        })
        .collect();
    let expected = [
        ("asks".to_owned(), Phase::ShouldLoad, 2 * SECOND),
        ("loads".to_owned(), Phase::Load, SECOND),
    ];
    assert_eq!(failed, expected);
    assert!(dropped.load(Ordering::SeqCst), "the future is dropped");
    assert!(manager.get("plain").is_some());
    idle().await;
    let late = heard.of("loads").pop().unwrap();
    assert!(late.starts_with("failed in load: it took longer than 1s"), "{late}");
}

#[tokio::test(start_paused = true)]
async fn p23_a_phase_that_is_done_in_time_is_not_touched_and_a_late_one_can_be_tried_again() {
    let tries = AtomicUsize::new(0);
    let a = Plugin::new("a").yields(move || {
        let millis = if tries.fetch_add(1, Ordering::SeqCst) == 0 { 1001 } else { 999 };
        async move {
            sleep(Duration::from_millis(millis)).await;
            Ok(millis)
        }
    });
    let manager = limited([a], |builder| builder.load_timeout(SECOND));
    let began = Instant::now();
    assert_eq!(failure(manager.load("a").await.err().unwrap()).phase, Phase::Load);
    assert!(began.elapsed() <= SECOND + Duration::from_millis(1), "{:?}", began.elapsed());
    let loaded = manager.load("a").await.unwrap();
    assert_eq!(loaded.output().downcast_ref::<u64>(), Some(&999));
}

#[tokio::test(start_paused = true)]
async fn p23_a_limit_that_never_ends_is_none() {
    let manager =
        limited([Plugin::new("a").takes(1_000_000)], |builder| builder.load_timeout(Duration::MAX));
    assert!(manager.load("a").await.is_ok());
}

/// The thread is really blocked. No time passes by itself while a factory with a limit runs, so only the
/// first one is late.
#[tokio::test(start_paused = true)]
async fn p23_a_factory_that_blocks_is_given_up_and_what_it_makes_is_dropped() {
    let (begins, mut begun) = unbounded_channel();
    let (go, blocked) = mpsc::channel::<()>();
    let (blocked, done) = (Mutex::new(blocked), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&done);
    let blocks = Plugin::new("blocks").factory(move || {
        begins.send(()).unwrap();
        // The test is over when the other end is gone, and has failed when the time is over.
        let _ = blocked.lock().recv_timeout(PATIENCE);
        count.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    let limit = Duration::from_millis(30);
    let plugins = [blocks, Plugin::new("plain"), Plugin::new("z").factory(|| Err("no".into()))];
    let manager =
        limited(plugins, |builder| builder.init_timeout(limit).max_concurrent(at_once(1)));
    let all = manager.clone();
    let all = spawn(async move { all.load_all().await });
    begun.recv().await.unwrap();
    advance(limit).await;
    let report = timeout(PATIENCE, all).await.expect("a hang").unwrap();
    let [(_, late), (_, other)] = report.failed() else { panic!("{report}") };
    let late = failure(late.clone());
    assert_eq!(late.phase, Phase::Init);
    assert!(matches!(late.cause, FailureCause::Late { limit: at } if at == limit), "{late}");
    let other = failure(other.clone());
    assert_eq!(other.phase, Phase::Init);
    assert!(matches!(other.cause, FailureCause::Error(_)), "{other}");
    assert!(manager.get("plain").is_some());
    assert_eq!(done.load(Ordering::SeqCst), 0);
    // The next try runs the factory again.
    let again = manager.clone();
    let again = spawn(async move { again.load("blocks").await.is_ok() });
    go.send(()).unwrap();
    go.send(()).unwrap();
    assert!(timeout(PATIENCE, again).await.expect("a hang").unwrap());
}

#[tokio::test]
async fn p23_a_panic_in_a_factory_with_a_limit_is_the_plugins_failure() {
    let a = Plugin::new("a").factory(|| panic!("out of ink"));
    let manager = limited([a], |builder| builder.init_timeout(PATIENCE));
    let failed = failure(manager.load("a").await.err().unwrap());
    assert_eq!(failed.phase, Phase::Init);
    assert!(failed.to_string().contains("out of ink"), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn p16_p23_the_end_of_the_last_handle_ends_who_waits_for_a_place() {
    let plugins = [Plugin::new("a").hangs(), Plugin::new("b"), Plugin::new("c")];
    let runs = plugins.each_ref().map(Plugin::runs);
    let manager = limited(plugins, |builder| builder.max_concurrent(at_once(1)));
    {
        let mut all = Box::pin(manager.load_all());
        assert!(futures::poll!(&mut all).is_pending());
        idle().await;
    }
    drop(manager);
    idle().await;
    let runs: Vec<_> = runs.iter().map(|runs| runs.loads()).collect();
    assert_eq!(runs, [1, 0, 0]);
}

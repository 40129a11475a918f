//! What listeners hear of plugins.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use plux::{Disabled, Event, Listener, LoadError, PluginManager};
use tokio::task::yield_now;

use crate::scripted::{Heard, Plugin, Script, finder, idle, spawn};

const RESOLVED: &str = "resolved scripted-tests";

fn heard(plugins: impl IntoIterator<Item = Plugin>) -> (PluginManager<dyn Script>, Heard) {
    let heard = Heard::default();
    let finder = finder(plugins);
    let builder = PluginManager::<dyn Script>::builder(()).finder(finder);
    (builder.listener(heard.clone()).build(), heard)
}

#[tokio::test(start_paused = true)]
async fn p26_each_end_of_an_attempt_is_heard_once_and_what_led_to_it_in_order() {
    let (manager, heard) = heard([
        Plugin::new("loads"),
        Plugin::new("late").takes(10),
        Plugin::new("unmade").factory(|| Err("no luck".into())),
        Plugin::new("unasked").should_load(|| async { Err("no idea".into()) }),
        Plugin::new("fails").fails(),
        Plugin::new("unwilling").disabled(),
        Plugin::new("declines")
            .yields(|| async { Err::<(), _>(Disabled::because("no key").into()) }),
        Plugin::new("skipped").requires("fails"),
        Plugin::new("broken").requires("nowhere"),
    ]);
    let _ = manager.load_all().await;
    idle().await;
    let of = |name| heard.of(name);
    for name in ["loads", "late"] {
        assert_eq!(of(name), [RESOLVED, "initialized", "load started", "loaded"]);
    }
    assert_eq!(of("unmade"), [RESOLVED, "init failed: no luck"]);
    assert_eq!(of("unasked"), [RESOLVED, "initialized", "failed in should_load: no idea"]);
    let failed = [RESOLVED, "initialized", "load started", "failed in load: no luck"];
    assert_eq!(of("fails"), failed);
    let unwilling = "disabled: its should_load answered false";
    assert_eq!(of("unwilling"), [RESOLVED, "initialized", unwilling]);
    assert_eq!(of("declines"), [RESOLVED, "initialized", "load started", "disabled: no key"]);
    assert_eq!(of("skipped"), ["skipped because of fails"]);
    let [broken] = &of("broken")[..] else { panic!("{:?}", of("broken")) };
    assert!(broken.starts_with("resolve failed: ") && broken.contains("nowhere"), "{broken}");

    // Another attempt is heard anew; what is decided makes none.
    heard.clear();
    let _ = manager.load_all().await;
    idle().await;
    assert_eq!(of("fails"), [RESOLVED, "load started", "failed in load: no luck"]);
    assert_eq!(of("unmade"), [RESOLVED, "init failed: no luck"]);
    assert_eq!(of("skipped"), ["skipped because of fails"]);
    for name in ["loads", "late", "unwilling", "declines"] {
        assert_eq!(of(name), [""; 0], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn p06_p26_what_can_not_be_used_is_heard_of_whichever_way_it_is_asked_for() {
    let names = ["cycle", "other", "twice", "unknown"];
    let (manager, heard) = heard([
        Plugin::new("cycle").requires("other"),
        Plugin::new("other").requires("cycle"),
        Plugin::new("twice"),
        Plugin::new("twice"),
        Plugin::new("unknown").requires("nowhere"),
        Plugin::new("wants").wants("unknown"),
    ]);
    let expected = |error: &LoadError| [format!("resolve failed: {error}")];
    for name in names {
        let error = manager.load(name).await.unwrap_err();
        idle().await;
        assert_eq!(heard.of(name), expected(&error));
    }
    heard.clear();
    let error = manager.try_load_all().await.unwrap_err();
    idle().await;
    assert_eq!(heard.of("cycle"), expected(&error));
    assert!(names[1..].iter().all(|name| heard.of(name).is_empty()), "nothing was asked of them");
    heard.clear();
    let report = manager.load_all().await;
    idle().await;
    for (id, error) in report.failed() {
        assert_eq!(heard.of(id.name.as_str()), expected(error));
    }
    assert_eq!(report.failed().len(), names.len());
    assert_eq!(heard.of("wants").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn p26_callers_at_once_make_one_attempt_that_is_heard_once() {
    let (manager, heard) = heard([Plugin::new("a").takes(5)]);
    let calls = (0..100).map(|_| manager.load("a"));
    assert!(futures::future::join_all(calls).await.iter().all(Result::is_ok));
    idle().await;
    assert_eq!(heard.of("a"), [RESOLVED, "initialized", "load started", "loaded"]);
}

/// On many threads, where the next attempt begins the moment it may.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p26_the_end_of_an_attempt_is_heard_before_the_next_one_begins() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let (manager, heard) = heard([Plugin::new("a")
        .factory(move || Err(format!("try {}", counted.fetch_add(1, Ordering::SeqCst)).into()))]);
    let tries = (0..8).map(|_| {
        let manager = manager.clone();
        spawn(async move {
            for _ in 0..200 {
                assert!(manager.load("a").await.is_err());
            }
        })
    });
    assert!(futures::future::join_all(tries).await.iter().all(Result::is_ok));
    let attempts = calls.load(Ordering::SeqCst);
    while heard.of("a").len() < 2 * attempts {
        yield_now().await;
    }
    for (at, events) in heard.of("a").chunks(2).enumerate() {
        assert_eq!(events, [RESOLVED, &format!("init failed: try {at}")]);
    }
}

/// Notes who was told which event.
struct Named(&'static str, Arc<Mutex<Vec<(&'static str, u64)>>>);

impl Listener for Named {
    fn on_event(&self, event: &Event) {
        self.1.lock().push((self.0, event.number));
    }
}

#[tokio::test(start_paused = true)]
async fn p26_several_are_called_in_the_order_they_were_added_for_every_event() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let manager = PluginManager::<dyn Script>::builder(())
        .finder(finder([Plugin::new("a"), Plugin::new("b")]))
        .listener(Named("first", Arc::clone(&told)))
        .listener(Named("second", Arc::clone(&told)))
        .build();
    let _ = manager.load_all().await;
    idle().await;
    let told = told.lock();
    assert_eq!(told.len(), 16);
    for (at, pair) in told.chunks(2).enumerate() {
        let number = at as u64 + 1;
        assert_eq!(pair, [("first", number), ("second", number)]);
    }
}

#[tokio::test(start_paused = true)]
async fn p26_a_listener_that_is_added_late_hears_only_what_follows() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let manager = PluginManager::<dyn Script>::builder(())
        .finder(finder([Plugin::new("a"), Plugin::new("b"), Plugin::new("c")]))
        .build();
    manager.load("a").await.unwrap();
    manager.listen(Named("first", Arc::clone(&told)));
    manager.load("b").await.unwrap();
    manager.listen(Named("late", Arc::clone(&told)));
    manager.load("c").await.unwrap();
    idle().await;
    let told = told.lock();
    let of = |name| told.iter().filter(|(who, _)| *who == name).count();
    assert_eq!((of("first"), of("late")), (8, 4));
    // For the same event the one that was there before comes first.
    assert_eq!(told[4..6], [("first", 5), ("late", 5)]);
}

#[tokio::test(start_paused = true)]
async fn p26_a_listener_may_be_added_outside_a_runtime_and_by_a_listener() {
    struct Adds(PluginManager<dyn Script>, Heard, AtomicUsize);
    impl Listener for Adds {
        fn on_event(&self, _: &Event) {
            if self.2.fetch_add(1, Ordering::SeqCst) == 0 {
                self.0.listen(self.1.clone());
            }
        }
    }
    let manager = std::thread::spawn(|| {
        let finder = finder([Plugin::new("a"), Plugin::new("b")]);
        let manager = PluginManager::<dyn Script>::builder(()).finder(finder).build();
        manager.listen(Heard::default());
        manager
    })
    .join()
    .unwrap();
    let heard = Heard::default();
    manager.listen(Adds(manager.clone(), heard.clone(), AtomicUsize::new(0)));
    manager.load("a").await.unwrap();
    idle().await;
    manager.load("b").await.unwrap();
    idle().await;
    assert_eq!(heard.of("b"), [RESOLVED, "initialized", "load started", "loaded"]);
}

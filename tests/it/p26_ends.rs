//! What listeners hear when a runtime ends, and when work goes on in another one.

use std::sync::Arc;

use parking_lot::Mutex;
use plux::{Event, Listener, PluginManager};
use tokio::runtime::{Builder, Runtime};

use crate::scripted::{Heard, Plugin, Script, finder};

const RESOLVED: &str = "resolved scripted-tests";
const LOADED: [&str; 4] = [RESOLVED, "initialized", "load started", "loaded"];

/// One of each kind. The first looks after each task whether it has come to its end.
fn runtimes() -> [Runtime; 2] {
    let [mut one, mut many] = [Builder::new_current_thread(), Builder::new_multi_thread()];
    [one.event_interval(1).build().unwrap(), many.worker_threads(2).build().unwrap()]
}

fn heard(plugins: impl IntoIterator<Item = Plugin>) -> (PluginManager<dyn Script>, Heard) {
    let heard = Heard::default();
    let builder = PluginManager::<dyn Script>::builder(()).finder(finder(plugins));
    (builder.listener(heard.clone()).build(), heard)
}

/// Keeps the numbers of what it hears.
#[derive(Clone, Default)]
struct Numbers(Arc<Mutex<Vec<u64>>>);

impl Listener for Numbers {
    fn on_event(&self, event: &Event) {
        self.0.lock().push(event.number);
    }
}

#[test]
fn p26_listeners_hear_on_when_the_runtime_they_began_on_has_ended() {
    let names = ["a", "b", "c", "d"];
    let (manager, heard) = heard(names.map(Plugin::new));
    let numbers = Numbers::default();
    manager.listen(numbers.clone());
    for (name, runtime) in names.into_iter().zip(runtimes().into_iter().chain(runtimes())) {
        runtime.block_on(manager.load(name)).unwrap();
        drop(runtime);
        assert_eq!(heard.of(name), LOADED, "{name}");
    }
    assert_eq!(*numbers.0.lock(), Vec::from_iter(1..=16), "they count on");
}

#[test]
fn p26_what_has_happened_when_the_runtime_ends_is_heard() {
    for _ in 0..50 {
        for runtime in runtimes() {
            let (manager, heard) = heard([Plugin::new("a").fails()]);
            let _ = runtime.block_on(manager.load_all());
            drop(manager);
            drop(runtime);
            let failed = [RESOLVED, "initialized", "load started", "failed in load: no luck"];
            assert_eq!(heard.of("a"), failed);
        }
    }
}

#[test]
fn p26_nothing_is_lost_when_a_runtime_ends_while_another_goes_on() {
    for _ in 0..50 {
        let plugins = (0..50).map(|at| Plugin::new(&format!("p{at}")));
        let (manager, _) = heard(plugins.chain([Plugin::new("first")]));
        let numbers = Numbers::default();
        manager.listen(numbers.clone());
        let [first, second] = runtimes();
        first.block_on(manager.load("first")).unwrap();
        let ending = std::thread::spawn(move || drop(first));
        assert!(second.block_on(manager.load_all()).is_ok());
        ending.join().unwrap();
        drop(second);
        assert_eq!(*numbers.0.lock(), Vec::from_iter(1..=204));
    }
}

#[test]
fn p26_a_listener_that_is_added_while_the_runtime_ends_hears_what_follows() {
    struct Adds(PluginManager<dyn Script>, Heard);
    impl Drop for Adds {
        fn drop(&mut self) {
            self.0.listen(self.1.clone());
        }
    }
    for (ends, goes_on) in runtimes().into_iter().zip(runtimes()) {
        let (manager, first) = heard([Plugin::new("a")]);
        let late = Heard::default();
        let adds = Adds(manager.clone(), late.clone());
        drop(ends.spawn(async move {
            std::future::pending::<()>().await;
            drop(adds);
        }));
        drop(ends);
        goes_on.block_on(manager.load("a")).unwrap();
        drop(goes_on);
        assert_eq!(first.of("a"), LOADED);
        assert_eq!(late.of("a"), LOADED);
    }
}

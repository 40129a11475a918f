//! Errors of users' that panic themselves: when they are dropped, or when they are printed.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};

use futures::FutureExt;
use parking_lot::Mutex;
use plux::{
    BoxError, EntryError, Event, FindError, Found, Listener, LoadError, Namespace, PluginFinder,
    PluginManager,
};

use crate::panic::Written;
use crate::scripted::{Heard, Plugin, Script, finder, idle};

/// Panics where it is told to.
#[derive(Debug)]
enum Cursed {
    Dropped,
    Printed,
}

impl fmt::Display for Cursed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert!(matches!(self, Self::Dropped), "a cursed text");
        f.write_str("cursed")
    }
}

impl std::error::Error for Cursed {}

impl Drop for Cursed {
    fn drop(&mut self) {
        assert!(matches!(self, Self::Printed), "a cursed end");
    }
}

/// Fails at its first load.
fn fails_once(name: &str) -> Plugin {
    let first = AtomicBool::new(true);
    Plugin::new(name).yields(move || {
        let fails = first.swap(false, Ordering::SeqCst);
        async move { if fails { Err(Cursed::Dropped.into()) } else { Ok(()) } }
    })
}

/// Hears nothing before the gate is open.
struct Gated(Mutex<Receiver<()>>);

impl Listener for Gated {
    fn on_event(&self, _: &Event) {
        assert!(self.0.lock().recv().is_err(), "nothing comes, and it opens");
    }
}

#[test]
fn p24_p26_an_error_that_panics_when_its_event_is_dropped_deafens_nobody() {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).build().unwrap();
    let (closed, gate) = channel();
    let heard = Heard::default();
    let cursed = ["a", "b", "c"];
    let plugins = cursed.map(fails_once).into_iter().chain([Plugin::new("plain")]);
    let manager = PluginManager::<dyn Script>::builder(())
        .finder(finder(plugins))
        .listener(Gated(Mutex::new(gate)))
        .listener(heard.clone())
        .build();
    runtime.block_on(async {
        for name in cursed {
            drop(manager.load(name).await.unwrap_err());
            // With success the row forgets the error, and the event is the last to hold it.
            manager.load(name).await.unwrap();
        }
        drop(closed);
        manager.load("plain").await.unwrap();
        manager.close().await;
    });
    assert_eq!(cursed.map(|name| heard.of(name).len()), [4 + 3; 3]);
    assert_eq!(heard.of("plain").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn p24_an_error_that_panics_when_its_event_is_dropped_costs_one_error_line() {
    /// Lets go of its manager, and of all that is in it, with the last event.
    struct LetsGo(Mutex<Option<PluginManager<dyn Script>>>);
    impl Listener for LetsGo {
        fn on_event(&self, event: &Event) {
            if event.number == 4 {
                drop(self.0.lock().take());
            }
        }
    }
    let (written, _guard) = Written::listen();
    let manager =
        PluginManager::<dyn Script>::builder(()).finder(finder([fails_once("a")])).build();
    manager.listen(LetsGo(Mutex::new(Some(manager.clone()))));
    assert!(manager.load("a").now_or_never().is_none());
    drop(manager);
    idle().await;
    let [line] = written.lines().try_into().unwrap();
    assert!(
        line.contains("ERROR") && line.contains("the destructor of an error panicked"),
        "{line}"
    );
    assert!(line.contains("a cursed end") && line.contains("id=scripted:a"), "{line}");
}

/// Finds a plugin, and another whose error can not be printed.
struct Unreadable(&'static str);

impl PluginFinder for Unreadable {
    fn find(&self, namespace: &Namespace) -> Result<Found, BoxError> {
        let mut found = finder([Plugin::new("a")]).find(namespace)?;
        found.errors.push(EntryError::new(self.0, Cursed::Printed));
        Ok(found)
    }
}

#[tokio::test(start_paused = true)]
async fn p24_p26_a_plugin_whose_error_panics_when_it_is_printed_is_heard_of_without_its_text() {
    let heard = Heard::default();
    let builder = PluginManager::<dyn Script>::builder(()).finder(Unreadable("b"));
    let manager = builder.listener(heard.clone()).build();
    assert!(matches!(manager.load("b").await, Err(LoadError::Find(FindError::Entry(_)))));
    assert!(manager.try_load_all().await.is_err());
    idle().await;
    let [first, second] = heard.of("b").try_into().unwrap();
    assert!(first.starts_with("resolve failed: ") && first.contains("a cursed text"), "{first}");
    assert_eq!(first, second);
}

#[test]
fn p24_an_entry_whose_error_panics_when_it_is_printed_is_told_of_without_its_text() {
    let (written, _guard) = Written::listen();
    let manager = PluginManager::<dyn Script>::builder(()).finder(Unreadable("line 9")).build();
    assert_eq!(manager.names().unwrap(), ["a"]);
    let [line] = written.lines().try_into().unwrap();
    assert!(line.contains("ERROR") && line.contains("`line 9`"), "{line}");
    assert!(line.contains("p24_errors.rs:") && line.contains("a cursed text"), "{line}");
}

//! Plugins whose loads use the manager that loads them.

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use plux::{BoxError, PluginManager};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::scripted::{Plugin, Script, finder, spawn};

pub(crate) type Manager = PluginManager<dyn Script>;

/// Where loads find the manager that is built of them.
#[derive(Clone, Default)]
pub(crate) struct Slot(Arc<OnceLock<Manager>>);

impl Slot {
    pub(crate) fn get(&self) -> Manager {
        self.0.get().expect("the manager is built").clone()
    }

    pub(crate) fn set(&self, manager: &Manager) {
        self.0.set(manager.clone()).expect("one manager a slot");
    }
}

/// A plugin whose load does something with the manager; it is told how often it was called before.
pub(crate) fn with<F>(
    name: &str,
    slot: &Slot,
    load: impl Fn(Manager, usize) -> F + Send + Sync + 'static,
) -> Plugin
where
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let (slot, calls) = (slot.clone(), AtomicUsize::new(0));
    Plugin::new(name).yields(move || load(slot.get(), calls.fetch_add(1, Ordering::SeqCst)))
}

/// Two plugins: `r` fails after five milliseconds, and from its second try on when the gate lets it;
/// `z` begins a try of it, and leaves that to itself.
pub(crate) fn tried_again(slot: &Slot) -> (Arc<Semaphore>, Plugin, Plugin) {
    let gate = Arc::new(Semaphore::new(0));
    let closed = Arc::clone(&gate);
    let r = with("r", slot, move |_, calls| {
        let gate = Arc::clone(&closed);
        async move {
            match calls {
                0 => sleep(Duration::from_millis(5)).await,
                _ => gate.acquire().await?.forget(),
            }
            Err("not this time".into())
        }
    });
    let z = with("z", slot, |manager, _| async move {
        let _ = timeout(Duration::from_millis(1), manager.load("r")).await;
        Ok(())
    });
    (gate, r, z)
}

pub(crate) fn one_at_once(plugins: impl IntoIterator<Item = Plugin>) -> Manager {
    let builder = PluginManager::builder(()).finder(finder(plugins));
    builder.max_concurrent(NonZeroUsize::MIN).build()
}

/// The load goes on beside the test.
pub(crate) fn beside(manager: &Manager, name: &'static str) -> JoinHandle<bool> {
    let manager = manager.clone();
    spawn(async move { manager.load(name).await.is_ok() })
}

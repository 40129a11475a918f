//! What carries the core's decisions out: tasks, timers, the mailbox.

mod child;
mod dispatcher;
mod timers;

pub(crate) use child::{Caller, Child, Mailbox};

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::{SetOnce, mpsc};
use tokio::time::Instant;

use crate::graph::Graph;
use crate::listener::Hub;
use crate::name::Name;
use crate::origin::Origin;
use crate::task;

use super::core::{Core, Index, Input};
use super::report::ShutdownReport;
use super::source::ServiceSource;
use dispatcher::Dispatcher;

/// What handles, children and the dispatcher share.
pub(crate) struct Shared {
    pub(crate) children: Box<[Arc<Child>]>,
    pub(crate) by_name: FxHashMap<Name, Index>,
    pub(crate) graph: Arc<Graph>,
    pub(crate) sources: Vec<Arc<dyn ServiceSource>>,
    pub(crate) hub: Hub,
    pub(crate) mailbox: Mailbox,
    pub(crate) join_timeout: Duration,
    /// The longest a shutdown may take before everything left is reported as leaked.
    pub(crate) shutdown_bound: Option<Duration>,
    pub(crate) owner: Weak<Owner>,
    pub(crate) epoch: Instant,
    pub(crate) shutting_down: SetOnce<()>,
    pub(crate) report: SetOnce<ShutdownReport>,
    /// Taken by the first call, which is inside a runtime; building need not be.
    pub(crate) idle: Mutex<Option<Idle>>,
}

/// A dispatcher that has not begun.
pub(crate) struct Idle {
    pub(crate) core: Core<Caller>,
    pub(crate) mailbox: mpsc::UnboundedReceiver<Input<Caller>>,
}

impl Shared {
    pub(crate) fn index(&self, name: &str) -> Option<Index> {
        self.by_name.get(name).copied()
    }

    /// Name and place of registration.
    pub(crate) fn describe(&self, index: Index) -> (Name, Origin) {
        let child = &self.children[index as usize];
        (child.id.name.clone(), child.origin)
    }

    /// Hands `input` to the dispatcher; `false` when that has ended.
    pub(crate) fn send(self: &Arc<Self>, input: Input<Caller>) -> bool {
        let idle = self.idle.lock().take();
        if let Some(Idle { core, mailbox }) = idle {
            task::spawn(Dispatcher::new(Arc::clone(self), core, mailbox).run());
        }
        self.mailbox.send(input).is_ok()
    }
}

/// What every owning handle holds: the end of the last one begins a shutdown.
pub(crate) struct Owner {
    pub(crate) mailbox: Mailbox,
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Without a dispatcher nothing runs that could be stopped.
        let _ = self.mailbox.send(Input::Shutdown);
    }
}

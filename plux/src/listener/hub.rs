//! The way from a fact to the listeners: a queue, and one task that calls them in order.
//!
//! Trap: the number of an event is given by the task, not by the one who emits it; two emitters
//! could otherwise queue their numbers in the wrong order.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::contract::Listener;
use crate::event::{Event, EventKind};
use crate::name::PluginId;
use crate::task;

/// Hands events to listeners. While there has been no listener an event costs one branch and is never
/// made.
///
/// The task begins with the first event inside a runtime, and ends when the hub has been dropped and
/// what was queued has been heard.
pub(crate) struct Hub {
    line: OnceLock<Line>,
}

struct Line {
    queue: mpsc::UnboundedSender<Message>,
    started: AtomicBool,
    /// The other end of the queue until it is started.
    idle: Mutex<Option<FanOut>>,
}

enum Message {
    Fact(PluginId, EventKind),
    /// One more, which hears what follows.
    Listen(Box<dyn Listener>),
    /// Answered when all before it has been heard.
    Flush(oneshot::Sender<()>),
}

impl Hub {
    pub(crate) fn new(listeners: Vec<Box<dyn Listener>>) -> Self {
        let line = OnceLock::new();
        if !listeners.is_empty() {
            line.get_or_init(|| Line::new(listeners));
        }
        Self { line }
    }

    /// Adds a listener, the last to be told.
    pub(crate) fn listen(&self, listener: Box<dyn Listener>) {
        self.line.get_or_init(|| Line::new(Vec::new())).send(Message::Listen(listener));
    }

    /// Queues an event; `fact` is called only when somebody listens.
    #[inline(always)]
    pub(crate) fn emit(&self, fact: impl FnOnce() -> (PluginId, EventKind)) {
        if let Some(line) = self.line.get() {
            line.tell(fact);
        }
    }

    /// Returns when all that was emitted before has been heard. Takes as long as the listeners take.
    pub(crate) async fn flush(&self) {
        if let Some(line) = self.line.get() {
            let (answer, heard) = oneshot::channel();
            line.send(Message::Flush(answer));
            if line.started.load(Ordering::Acquire) {
                // An error is the end of the task, with its runtime: nobody hears any more.
                let _ = heard.await;
            }
        }
    }
}

impl Line {
    #[cold]
    #[inline(never)]
    fn tell(&self, fact: impl FnOnce() -> (PluginId, EventKind)) {
        let (id, kind) = fact();
        self.send(Message::Fact(id, kind));
    }

    fn new(listeners: Vec<Box<dyn Listener>>) -> Self {
        let (queue, inbox) = mpsc::unbounded_channel();
        let idle = Mutex::new(Some(FanOut { inbox, listeners, heard: 0 }));
        Self { queue, started: AtomicBool::new(false), idle }
    }

    fn send(&self, message: Message) {
        // An error is the end of the task, with its runtime: nobody hears any more.
        let _ = self.queue.send(message);
        if !self.started.load(Ordering::Acquire) {
            self.start();
        }
    }

    #[cold]
    fn start(&self) {
        // The lock is held until `started` is true: who finds nothing to start finds that.
        let mut idle = self.idle.lock();
        if tokio::runtime::Handle::try_current().is_ok()
            && let Some(fan_out) = idle.take()
        {
            task::spawn(fan_out.run());
            self.started.store(true, Ordering::Release);
        }
    }
}

struct FanOut {
    inbox: mpsc::UnboundedReceiver<Message>,
    listeners: Vec<Box<dyn Listener>>,
    heard: u64,
}

impl FanOut {
    async fn run(mut self) {
        while let Some(message) = self.inbox.recv().await {
            match message {
                Message::Fact(id, kind) => {
                    self.heard += 1;
                    self.tell(&Event { number: self.heard, id, kind });
                }
                Message::Listen(listener) => self.listeners.push(listener),
                // Whoever waited may have given up.
                Message::Flush(answer) => drop(answer.send(())),
            }
        }
    }

    fn tell(&self, event: &Event) {
        for listener in &self.listeners {
            if let Err(panic) = task::catch(|| listener.on_event(event)) {
                tracing::error!(number = event.number, id = %event.id, "a listener {panic}");
            }
        }
    }
}

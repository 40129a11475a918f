//! The way from a fact to the listeners: a queue, and one task that calls them in order.
//!
//! Trap: the number of an event is given by the task, not by the one who emits it; two emitters
//! could otherwise queue their numbers in the wrong order.
//!
//! Trap: the task ends with its runtime, and the hub may be used on another one after that. So a task
//! that is dropped tells what is queued there and then, and leaves its end of the queue for the next.

use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::contract::Listener;
use crate::event::{Event, EventKind};
use crate::given::{Given, let_go};
use crate::name::PluginId;
use crate::task;

/// Hands events to listeners. While there has been no listener an event costs one branch and is never
/// made.
///
/// The task begins with the first event inside a runtime, and ends with that, or when the hub has been
/// dropped; what was queued has then been heard.
pub(crate) struct Hub {
    line: OnceLock<Line>,
}

struct Line {
    queue: mpsc::UnboundedSender<Message>,
    far_end: Arc<FarEnd>,
}

/// The other end of the queue.
struct FarEnd {
    /// Whether a task has it.
    started: AtomicBool,
    /// It, while no task has it.
    idle: Mutex<Option<FanOut>>,
}

enum Message {
    Fact(PluginId, EventKind),
    /// One more, which hears what follows.
    Listen(Given<Box<dyn Listener>>),
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
        self.line.get_or_init(|| Line::new(Vec::new())).send(Message::Listen(given(listener)));
    }

    /// Whether somebody listens. Who makes a fact before it is so, and tells of it afterwards, asks this before: so
    /// whoever comes between hears nothing of it.
    #[inline(always)]
    pub(crate) fn is_heard(&self) -> bool {
        self.line.get().is_some()
    }

    /// Queues an event; `fact` is called only when somebody listens.
    #[inline(always)]
    pub(crate) fn emit(&self, fact: impl FnOnce() -> (PluginId, EventKind)) {
        if let Some(line) = self.line.get() {
            line.tell(fact);
        }
    }

    /// Queues an event without a look at who hears it: that is for [`Hub::attend`], when the caller holds
    /// no lock any more.
    pub(crate) fn post(&self, fact: impl FnOnce() -> (PluginId, EventKind)) {
        if let Some(line) = self.line.get() {
            let (id, kind) = fact();
            line.queue(Message::Fact(id, kind));
        }
    }

    /// Sees to it that what was posted is heard.
    pub(crate) fn attend(&self) {
        if let Some(line) = self.line.get() {
            line.attend();
        }
    }

    /// Returns when all that was emitted before has been heard. Takes as long as the listeners take.
    pub(crate) async fn flush(&self) {
        if let Some(line) = self.line.get() {
            let (answer, heard) = oneshot::channel();
            line.send(Message::Flush(answer));
            // Outside a runtime nobody hears.
            if line.far_end.started.load(Ordering::Acquire) {
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
        let listeners = listeners.into_iter().map(given).collect();
        let idle = Mutex::new(Some(FanOut { inbox, listeners, heard: 0 }));
        let far_end = Arc::new(FarEnd { started: AtomicBool::new(false), idle });
        Self { queue, far_end }
    }

    fn send(&self, message: Message) {
        self.queue(message);
        self.attend();
    }

    fn queue(&self, message: Message) {
        // It is never refused: the far end is there as long as this one.
        let _ = self.queue.send(message);
    }

    fn attend(&self) {
        // Either this sees that the task has gone, or the task sees the message before it goes.
        fence(Ordering::SeqCst);
        if !self.far_end.started.load(Ordering::Acquire) {
            self.start();
        }
    }

    #[cold]
    fn start(&self) {
        if tokio::runtime::Handle::try_current().is_ok()
            && let Some(fan_out) = self.far_end.take(|_| true)
        {
            // Not under the lock: a runtime that is ending drops the task at once.
            let hearing = Hearing { fan_out: Some(fan_out), far_end: Arc::clone(&self.far_end) };
            task::spawn(hearing.run());
        }
    }
}

impl FarEnd {
    /// Takes it for a task, if it is idle and `wanted`. Who finds nothing to take finds `started`.
    fn take(&self, wanted: impl FnOnce(&FanOut) -> bool) -> Option<FanOut> {
        let mut idle = self.idle.lock();
        let fan_out = idle.take_if(|fan_out| wanted(fan_out))?;
        self.started.store(true, Ordering::Release);
        Some(fan_out)
    }

    /// Leaves it for the next task.
    fn leave(&self, fan_out: FanOut) {
        let mut idle = self.idle.lock();
        *idle = Some(fan_out);
        self.started.store(false, Ordering::Release);
    }
}

/// The task.
struct Hearing {
    fan_out: Option<FanOut>,
    far_end: Arc<FarEnd>,
}

impl Hearing {
    async fn run(mut self) {
        if let Some(fan_out) = &mut self.fan_out {
            while let Some(message) = fan_out.inbox.recv().await {
                fan_out.hear(message);
            }
        }
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        while let Some(mut fan_out) = self.fan_out.take() {
            // No more than is there now: on another runtime there may be more without end.
            for _ in 0..fan_out.inbox.len() {
                if let Ok(message) = fan_out.inbox.try_recv() {
                    fan_out.hear(message);
                }
            }
            self.far_end.leave(fan_out);
            // What was sent meanwhile by one who saw `started` is still this task's.
            fence(Ordering::SeqCst);
            self.fan_out = self.far_end.take(|fan_out| !fan_out.inbox.is_empty());
        }
    }
}

fn given(listener: Box<dyn Listener>) -> Given<Box<dyn Listener>> {
    Given::new("a listener", listener)
}

struct FanOut {
    inbox: mpsc::UnboundedReceiver<Message>,
    listeners: Vec<Given<Box<dyn Listener>>>,
    heard: u64,
}

impl FanOut {
    fn hear(&mut self, message: Message) {
        match message {
            Message::Fact(id, kind) => {
                self.heard += 1;
                self.tell(Event { number: self.heard, id, kind });
            }
            Message::Listen(listener) => self.listeners.push(listener),
            // Whoever waited may have given up.
            Message::Flush(answer) => drop(answer.send(())),
        }
    }

    fn tell(&self, event: Event) {
        for listener in &self.listeners {
            if let Err(panic) = task::catch(|| listener.on_event(&event)) {
                tracing::error!(number = event.number, id = %event.id, "a listener {panic}");
            }
        }
        // It may be the last to hold a user's error.
        let Event { number, id, kind } = event;
        if let Err(panic) = task::catch(|| drop(kind)) {
            tracing::error!(number, %id, "the destructor of an error {panic}");
        }
    }
}

impl Drop for FanOut {
    /// Nobody will hear what is left.
    fn drop(&mut self) {
        while let Ok(message) = self.inbox.try_recv() {
            let_go("an error", message);
        }
    }
}

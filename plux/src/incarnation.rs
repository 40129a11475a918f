//! One run of a service: what its context, its handles and its supervisor share.
//!
//! Trap: it outlives the run, because contexts and handles may be kept; so whatever it publishes is
//! taken out when the run ends, and everything asks [`Incarnation::is_over`] first.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

use futures::future::BoxFuture;
use futures::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Duration, Instant};

use crate::error::HandleError;
use crate::health::Health;
use crate::name::Name;
use crate::origin::Origin;
use crate::place::{Place, Within};
use crate::reason::StopReason;
use crate::task::{Cut, Panic, Tasks, catch};

/// What a run may ask of the supervisor that began it.
pub(crate) trait Link: Any + Send + Sync {
    /// The service's name.
    fn name(&self) -> &Name;
    /// Where it was registered.
    fn origin(&self) -> Origin;
    /// Which service it is.
    fn place(&self) -> Place;
    /// The run can serve; it may have said that it is unhealthy, and why.
    fn ready(&self, incarnation: u32, unhealthy: Option<Arc<str>>);
    /// The run is in another health than before.
    fn health(&self, incarnation: u32, health: Health);
    /// The present run of a service that this one depends on.
    fn dependency(&self, name: &str) -> Result<Arc<Incarnation>, HandleError>;
}

/// What `ready` published.
trait Published: Any + Send + Sync {
    fn type_name(&self) -> &'static str;
}

impl<T: Any + Send + Sync> Published for T {
    fn type_name(&self) -> &'static str {
        std::any::type_name::<T>()
    }
}

pub(crate) struct Incarnation {
    pub(crate) link: Arc<dyn Link>,
    pub(crate) number: u32,
    /// The code of its reason to stop, when there is one.
    reason: AtomicU8,
    stop: Notify,
    aborted: AtomicBool,
    over: AtomicBool,
    ready: AtomicBool,
    /// Wakes the task that polls the run.
    poller: AtomicWaker,
    shown: Mutex<Shown>,
    /// No task may begin any more. Written with `spawned` locked.
    closed: AtomicBool,
    spawned: Mutex<Option<Box<Tasks>>>,
}

/// What others see of a run.
#[derive(Default)]
struct Shown {
    published: Option<Arc<dyn Published>>,
    /// Most runs say nothing of themselves, and take no memory for it.
    told: Option<Box<Told>>,
}

/// What a run says of itself.
#[derive(Default)]
struct Told {
    /// Its last beat, if it is watched.
    beat: Option<Instant>,
    text: Option<Arc<str>>,
    health: Health,
}

impl Shown {
    fn beat(&mut self) {
        if let Some(beat) = self.told.as_mut().and_then(|told| told.beat.as_mut()) {
            *beat = Instant::now();
        }
    }
}

impl std::fmt::Debug for Incarnation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{}", self.link.name(), self.number)
    }
}

impl Incarnation {
    pub(crate) fn new(link: Arc<dyn Link>, number: u32, watched: bool) -> Self {
        let beat = watched.then(Instant::now);
        let told = beat.map(|beat| Box::new(Told { beat: Some(beat), ..Told::default() }));
        Self {
            link,
            number,
            reason: AtomicU8::new(0),
            stop: Notify::new(),
            aborted: AtomicBool::new(false),
            over: AtomicBool::new(false),
            ready: AtomicBool::new(false),
            poller: AtomicWaker::new(),
            shown: Mutex::new(Shown { published: None, told }),
            closed: AtomicBool::new(false),
            spawned: Mutex::new(None),
        }
    }

    /// Tells it to stop; the first reason stays.
    pub(crate) fn signal(&self, reason: StopReason) {
        let (first, last) = (Ordering::AcqRel, Ordering::Relaxed);
        if self.reason.compare_exchange(0, reason.code(), first, last).is_ok() {
            self.stop.notify_waiters();
        }
    }

    pub(crate) fn stop_reason(&self) -> Option<StopReason> {
        StopReason::from_code(self.reason.load(Ordering::Acquire))
    }

    pub(crate) async fn stopping(&self) -> StopReason {
        loop {
            // It hears of every signal from here on.
            let signalled = self.stop.notified();
            if let Some(reason) = self.stop_reason() {
                return reason;
            }
            signalled.await;
        }
    }

    /// Has whoever polls it drop it.
    pub(crate) fn abort(&self) {
        self.aborted.store(true, Ordering::Release);
        self.poller.wake();
    }

    /// Registers the poller, then says whether it is to drop the run.
    pub(crate) fn poll_aborted(&self, cx: &mut Context<'_>) -> bool {
        self.poller.register(cx.waker());
        self.aborted.load(Ordering::Acquire)
    }

    /// Marks the run as over and takes back what it published. Whoever uses a handle now learns
    /// that the run has ended.
    pub(crate) fn end(&self) -> Result<(), Box<Panic>> {
        self.over.store(true, Ordering::Release);
        let shown = std::mem::take(&mut *self.shown.lock());
        catch(move || drop(shown))
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Publishes `value` and reports readiness, once; `false` when it is too late for either.
    pub(crate) fn publish<T: Send + Sync + 'static>(&self, value: T) -> bool {
        let published = Arc::new(value);
        let mut shown = self.shown.lock();
        if self.is_over() || self.ready.swap(true, Ordering::AcqRel) {
            return false;
        }
        shown.beat();
        shown.published = Some(published);
        let unhealthy = shown.told.as_ref().and_then(|told| told.health.unhealthy().cloned());
        // Told under the lock: so a change of health is heard before it, or after it and is not in it.
        self.link.ready(self.number, unhealthy);
        true
    }

    /// What it published, if it is a `T`.
    pub(crate) fn published<T: Send + Sync + 'static>(&self) -> Result<Arc<T>, HandleError> {
        let (name, origin) = (|| self.link.name().clone(), self.link.origin());
        let published = {
            let shown = self.shown.lock();
            match &shown.published {
                Some(published) => Arc::clone(published),
                None if self.is_over() => {
                    let incarnation = self.number;
                    return Err(HandleError::Ended { name: name(), origin, incarnation });
                }
                None => return Err(HandleError::NotReady { name: name(), origin }),
            }
        };
        let (type_name, expected) = ((*published).type_name(), std::any::type_name::<T>());
        let value: Arc<dyn Any + Send + Sync> = published;
        value.downcast().map_err(|_| HandleError::Type {
            name: name(),
            origin,
            published: type_name,
            expected,
        })
    }

    /// A sign of life; nothing unless it is watched.
    pub(crate) fn beat(&self) {
        self.shown.lock().beat();
    }

    /// How long ago the last beat was, if it is watched.
    pub(crate) fn silent(&self) -> Option<Duration> {
        self.shown.lock().told.as_ref()?.beat.map(|beat| beat.elapsed())
    }

    /// Keeps what it says of what it does, until it is over.
    pub(crate) fn say(&self, text: Arc<str>) {
        let mut shown = self.shown.lock();
        if !self.is_over() {
            shown.told.get_or_insert_default().text = Some(text);
        }
    }

    /// Keeps how well it says that it is, until it is over, and tells of a change.
    pub(crate) fn feel(&self, health: Health) {
        let mut shown = self.shown.lock();
        let before = shown.told.as_ref().map_or(&Health::Healthy, |told| &told.health);
        if self.is_over() || *before == health {
            return;
        }
        shown.told.get_or_insert_default().health = health.clone();
        // Under the lock: what is heard last is what is kept.
        self.link.health(self.number, health);
    }

    /// What it last said of what it does, and of its health.
    pub(crate) fn told(&self) -> (Option<Arc<str>>, Health) {
        let shown = self.shown.lock();
        let told = shown.told.as_ref();
        told.map(|told| (told.text.clone(), told.health.clone())).unwrap_or_default()
    }

    /// Spawns a task that ends with the run; dropped unpolled when nothing may begin any more.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        // A runtime that is ending drops what is spawned at once, and a destructor may spawn again: so the
        // future is kept here until the lock is free, and its task takes it when it is first polled.
        let future = Arc::new(Mutex::new(Some(Within::new(self.link.place(), Box::pin(future)))));
        let kept = Arc::clone(&future);
        let mut spawned = self.spawned.lock();
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        let tasks = spawned.get_or_insert_default();
        let first = tasks.is_empty();
        tasks.spawn(async move {
            let future = future.lock().take();
            if let Some(future) = future {
                future.await;
            }
        });
        drop(spawned);
        if first {
            self.poller.wake();
        }
        drop(kept);
    }

    /// Has the end of the run wait for this, however it ends; no user code.
    pub(crate) fn leave(&self, rest: BoxFuture<'static, ()>) {
        self.spawned.lock().get_or_insert_default().leave(rest);
    }

    /// The panic of a spawned task, if one panicked.
    pub(crate) fn poll_panicked(&self, cx: &mut Context<'_>) -> Option<Box<Panic>> {
        let mut spawned = self.spawned.lock();
        match spawned.as_mut()?.poll_cut(cx) {
            Poll::Ready(Some(Cut::Panicked(panic))) => Some(panic),
            _ => None,
        }
    }

    /// Lets no task begin any more, if none has; `false` when there are some.
    pub(crate) fn close_tasks(&self) -> bool {
        let spawned = self.spawned.lock();
        self.closed.store(spawned.is_none(), Ordering::Relaxed);
        spawned.is_none()
    }

    /// Waits until every spawned task has ended, and lets no new one begin after that. An abort drops
    /// them all. Answers how the first was cut short; a panic counts before an abort.
    pub(crate) async fn join_tasks(&self) -> Option<Cut> {
        let mut first = None;
        poll_fn(|cx| {
            let aborted = self.poll_aborted(cx);
            let mut spawned = self.spawned.lock();
            let mut rest = None;
            if let Some(tasks) = spawned.as_mut() {
                if aborted {
                    tasks.abort_all();
                }
                while let Some(cut) = ready!(tasks.poll_cut(cx)) {
                    if !matches!(first, Some(Cut::Panicked(_))) {
                        first = Some(cut);
                    }
                }
                rest = ready!(tasks.poll_rest(cx));
            }
            self.closed.store(true, Ordering::Relaxed);
            drop(spawned);
            drop(rest);
            Poll::Ready(())
        })
        .await;
        first
    }
}

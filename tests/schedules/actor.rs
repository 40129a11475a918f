//! A service that does what its case says, and writes down what its runs see of themselves.

use std::collections::{HashMap, HashSet};
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::future::{Either, join, select};
use parking_lot::Mutex;
use plux::{
    BoxError, Disabled, Event, EventKind, Fatal, Health, Listener, Origin, Service, ServiceContext,
    ServiceFailure, ServiceState, StopReason, Stopped,
};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::case::{self, Case, End, OnStop, Script, Task};
use crate::commands;
use crate::leaking;
use crate::nested;
use crate::run::{Cause, Line, Outcome, State, What, Why};

/// No case makes a tenth of these lines.
const MOST: usize = 100_000;

/// Writes down what happens, in order.
#[derive(Clone)]
pub(crate) struct Recorder {
    shared: Arc<Shared>,
}

struct Shared {
    zero: Instant,
    case: Case,
    /// Whom a name means, by what was heard.
    names: Mutex<HashMap<String, usize>>,
    /// Which additions may have been made.
    added: Mutex<HashSet<usize>>,
    lines: Mutex<Vec<Line>>,
    /// When it is, while the clock is another one.
    stands: Mutex<Option<u64>>,
    /// The number of the next call from within.
    next: AtomicU32,
    full: Notify,
}

impl Recorder {
    /// Of such a case.
    pub(crate) fn new(case: &Case) -> Self {
        let (lines, full) = (Mutex::new(Vec::new()), Notify::new());
        // The shutdown has a number too.
        let next = AtomicU32::new(case.calls.len() as u32 + 1);
        let all = case.services.iter().enumerate();
        let first = all.filter(|(_, it)| it.present && it.comes.is_none());
        let names = first.map(|(place, it)| (it.row.name.clone(), place)).collect();
        let (names, added) = (Mutex::new(names), Mutex::new(HashSet::new()));
        let (zero, case, stands) = (Instant::now(), case.clone(), Mutex::new(None));
        Self { shared: Arc::new(Shared { zero, case, names, added, lines, stands, next, full }) }
    }

    pub(crate) fn case(&self) -> &Case {
        &self.shared.case
    }

    /// Whether these were not added yet; from then on they were.
    pub(crate) fn may_add(&self, addition: usize) -> bool {
        self.shared.added.lock().insert(addition)
    }

    pub(crate) fn may_be_added_again(&self, addition: usize) {
        self.shared.added.lock().remove(&addition);
    }

    /// A number for a call.
    pub(crate) fn id(&self) -> u32 {
        self.shared.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn name(&self, place: usize) -> &str {
        &self.shared.case.services[place].row.name
    }

    pub(crate) fn write(&self, what: What) {
        let stands = *self.shared.stands.lock();
        let at = stands.unwrap_or_else(|| self.now());
        let mut lines = self.shared.lines.lock();
        lines.push(Line { at, what });
        if lines.len() == MOST {
            self.shared.full.notify_one();
        }
    }

    fn now(&self) -> u64 {
        self.shared.zero.elapsed().as_millis() as u64
    }

    /// Does this while the clock stands: in another runtime it is another one.
    pub(crate) fn at_once(&self, what: impl FnOnce()) {
        *self.shared.stands.lock() = Some(self.now());
        what();
        *self.shared.stands.lock() = None;
    }

    /// Returns when there are more lines than any case makes.
    pub(crate) async fn is_full(&self) {
        self.shared.full.notified().await;
    }

    pub(crate) fn place(&self, name: &str) -> usize {
        let heard = self.shared.names.lock().get(name).copied();
        let any = || self.shared.case.services.iter().position(|it| it.row.name == name);
        heard.or_else(any).unwrap_or(usize::MAX)
    }

    pub(crate) fn lines(&self) -> Vec<Line> {
        std::mem::take(&mut self.shared.lines.lock())
    }
}

impl Listener for Recorder {
    fn on_event(&self, event: &Event) {
        let name = event.id.name.as_str();
        if let EventKind::Added(origin) = &event.kind {
            self.shared.names.lock().insert(name.to_owned(), place(origin));
        }
        let service = self.place(name);
        match &event.kind {
            EventKind::Service { state, incarnation } => {
                let (state, incarnation) = (recorded(state), *incarnation);
                self.write(What::State { service, state, incarnation });
            }
            EventKind::Added(_) => self.write(What::Added { service }),
            EventKind::Removed => self.write(What::Removed { service }),
            _ => {}
        }
    }
}

/// Whose origin that is.
pub(crate) fn place(origin: &Origin) -> usize {
    (origin.line as usize).saturating_sub(1)
}

pub(crate) fn recorded(state: &ServiceState) -> State {
    match state {
        ServiceState::Waiting => State::Waiting,
        ServiceState::Backoff { .. } => State::Backoff,
        ServiceState::Starting => State::Starting,
        ServiceState::Running => State::Running,
        ServiceState::Stopping(reason) => State::Stopping(match reason {
            StopReason::Asked => Why::Asked,
            StopReason::Dependency => Why::Dependency,
            StopReason::Restart => Why::Restart,
            StopReason::Shutdown => Why::Shutdown,
            StopReason::Unneeded => Why::Unneeded,
            StopReason::StartTimeout => Why::StartDeadline,
            StopReason::Group => Why::Group,
            StopReason::Watchdog => Why::Watchdog,
            _ => Why::Health,
        }),
        ServiceState::Stopped(why) => State::Stopped(match why {
            Stopped::Asked => Why::Asked,
            Stopped::Dependency => Why::Dependency,
            Stopped::Restart => Why::Restart,
            Stopped::Unneeded => Why::Unneeded,
            Stopped::Group => Why::Group,
            Stopped::Shutdown => Why::Shutdown,
            Stopped::Completed => Why::Completed,
            _ => Why::NeverStarted,
        }),
        ServiceState::Failed(failure) => State::Failed(match **failure {
            ServiceFailure::GaveUp { again: Some(_), .. } => Cause::CoolingDown,
            ServiceFailure::GaveUp { .. } => Cause::GaveUp,
            ServiceFailure::Leaked => Cause::Leaked,
            ServiceFailure::Load(_)
            | ServiceFailure::BeforeReady(_)
            | ServiceFailure::StartTimeout { .. } => Cause::StartFailed,
            _ => Cause::Exit,
        }),
        _ => State::Disabled,
    }
}

/// The namespace of the actors.
#[plux::extension_point(namespace = "schedules", output = Arc<dyn Service>)]
pub(crate) trait Scripted {}

/// A service of a case.
#[derive(Clone)]
pub(crate) struct Actor {
    pub(crate) place: usize,
    pub(crate) service: Arc<case::Service>,
    pub(crate) recorder: Recorder,
}

#[plux::async_trait]
impl Scripted for Actor {
    async fn load(&self, _: &()) -> Result<Arc<dyn Service>, BoxError> {
        if self.service.declines {
            return Err(Disabled::because("it is in the script").into());
        }
        Ok(Arc::new(self.clone()))
    }
}

#[plux::async_trait]
impl Service for Actor {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        let incarnation = cx.incarnation();
        let script = self.service.script(incarnation);
        let (service, recorder) = (self.place, self.recorder.clone());
        recorder.write(What::Begun { service, incarnation });
        let end = Mutex::new(None);
        let life = Arc::new(Life { service, incarnation, recorder, outcome: end });
        let ending = Ending { life: Arc::clone(&life), in_destructor: script.in_destructor };
        if !self.service.inner.is_empty() {
            let around = Arc::downgrade(&life);
            drop(life);
            let told = nested::run(self, cx, around).await;
            ending.life.set(if told.is_ok() { Outcome::Ok } else { Outcome::Error });
            return told;
        }
        match script.task {
            Some(Task::Stuck(time)) => {
                let stuck = leaking::spawn_stuck(&cx, stuck(Arc::clone(&life)))?;
                let released = What::Released { service, incarnation };
                leaking::release(stuck, time, self.recorder.clone(), released);
            }
            Some(task) => {
                cx.spawn(attend(task, Arc::clone(&life)));
            }
            None => {}
        }
        drop(life);
        if let Some(inside) = script.asks.filter(|it| it.in_task) {
            let (run, recorder) = (cx.clone(), self.recorder.clone());
            cx.spawn(async move {
                let asked = commands::inside(&run, service, inside, &recorder);
                run.running_until(asked).await;
            });
        }
        let end = match cx.running_until(self.alive(&cx, script)).await {
            Some(end) => end,
            None => match script.on_stop {
                OnStop::Hangs => std::future::pending().await,
                OnStop::Takes(time, end) => {
                    wait(time).await;
                    end
                }
            },
        };
        ending.life.set(outcome(end));
        match end {
            End::Ok => Ok(()),
            End::Error => Err("it is in the script".into()),
            End::Fatal => Err(Fatal::because("it is in the script").into()),
            // One that is resumed costs no message on the terminal.
            End::Panic => resume_unwind(Box::new("it is in the script")),
        }
    }
}

pub(crate) fn outcome(end: End) -> Outcome {
    match end {
        End::Ok => Outcome::Ok,
        End::Error => Outcome::Error,
        End::Panic => Outcome::Panic,
        End::Fatal => Outcome::Fatal,
    }
}

impl Actor {
    /// A run that nobody tells to stop, and what it says of itself.
    async fn alive(&self, cx: &ServiceContext, script: Script) -> End {
        let says = join(self.beats(cx, script), self.falls_ill(cx, script));
        match select(pin!(self.act(cx, script)), pin!(says)).await {
            Either::Left((end, _)) => end,
            Either::Right((_, act)) => act.await,
        }
    }

    async fn beats(&self, cx: &ServiceContext, script: Script) {
        let Some(watchdog) = self.service.row.watchdog else { return };
        let mut left = script.silent.unwrap_or(u64::MAX);
        loop {
            cx.heartbeat();
            let pause = left.min(watchdog / 2);
            wait(pause).await;
            left -= pause;
            if left == 0 {
                cx.heartbeat();
                let (service, incarnation) = (self.place, cx.incarnation());
                return self.recorder.write(What::Silent { service, incarnation });
            }
        }
    }

    async fn falls_ill(&self, cx: &ServiceContext, script: Script) {
        let Some(time) = script.ill else { return };
        wait(time).await;
        let (service, incarnation) = (self.place, cx.incarnation());
        self.recorder.write(What::Ill { service, incarnation });
        cx.health(Health::Unhealthy("it is in the script".into()));
    }

    /// A run that nobody tells to stop.
    async fn act(&self, cx: &ServiceContext, script: Script) -> End {
        if let Some(time) = script.ready {
            wait(time).await;
            cx.ready(());
        }
        if let Some(inside) = script.asks.filter(|it| !it.in_task) {
            commands::inside(cx, self.place, inside, &self.recorder).await;
        }
        match script.ends {
            None => std::future::pending().await,
            Some((time, end)) => {
                wait(time).await;
                end
            }
        }
    }
}

pub(crate) async fn wait(time: u64) {
    if time > 0 {
        sleep(Duration::from_millis(time)).await;
    }
}

async fn attend(task: Task, life: Arc<Life>) {
    let mut watch = Watch { life, done: false };
    match task {
        Task::Hangs | Task::Stuck(_) => std::future::pending().await,
        Task::Takes(time) => wait(time).await,
        Task::Panics(time) => {
            wait(time).await;
            watch.done = true;
            watch.life.replace(&[None, Some(Outcome::Ok)], Outcome::Panic);
            resume_unwind(Box::new("it is in the script"));
        }
    }
    watch.done = true;
}

/// A task that is never polled, and knows that it is dropped.
fn stuck(life: Arc<Life>) -> impl Future<Output = ()> {
    let watch = Watch { life, done: false };
    async move {
        let _watch = watch;
        std::future::pending().await
    }
}

/// One run and its tasks: the last of them to go writes down the end.
pub(crate) struct Life {
    service: usize,
    incarnation: u32,
    recorder: Recorder,
    outcome: Mutex<Option<Outcome>>,
}

impl Life {
    /// How it ended, unless that is known.
    fn set(&self, outcome: Outcome) {
        self.replace(&[None], outcome);
    }

    fn replace(&self, these: &[Option<Outcome>], by: Outcome) {
        let mut outcome = self.outcome.lock();
        if these.contains(&outcome) {
            *outcome = Some(by);
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let (service, incarnation) = (self.service, self.incarnation);
        let outcome = self.outcome.get_mut().unwrap_or(Outcome::Aborted);
        self.recorder.write(What::Ended { service, incarnation, outcome });
    }
}

/// The end of `run`.
struct Ending {
    life: Arc<Life>,
    in_destructor: bool,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let panics = self.in_destructor && !std::thread::panicking();
        if panics {
            // What it would have returned goes with it.
            *self.life.outcome.lock() = Some(Outcome::Panic);
        }
        self.life.set(Outcome::Aborted);
        if Arc::strong_count(&self.life) > 1 {
            let (service, incarnation) = (self.life.service, self.life.incarnation);
            self.life.recorder.write(What::Over { service, incarnation });
        }
        if panics {
            resume_unwind(Box::new("it is in the script"));
        }
    }
}

/// The end of a task.
struct Watch {
    life: Arc<Life>,
    done: bool,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.done {
            self.life.replace(&[Some(Outcome::Ok)], Outcome::Aborted);
        }
    }
}

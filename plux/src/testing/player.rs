//! Carries a script out, and tells the recorder what really happens.
//!
//! Trap: that a run is gone is told by the destructor of what the run holds, because a run that is
//! aborted comes to no other line.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{BoxFuture, Either, select};
use parking_lot::{Condvar, Mutex};

use super::record::Fact;
use super::recorder::Recorder;
use super::script::Script;
use super::scripted::{Published, Scripted};
use super::step::{Seam, Step};
use super::words::Outcome;
use crate::error::BoxError;
use crate::reason::{Disabled, Fatal};
use crate::service::{Service, ServiceContext};

/// The plugin, and what its load yields.
#[derive(Clone)]
pub(super) struct Player {
    part: Arc<Part>,
}

struct Part {
    name: Arc<str>,
    script: Script,
    recorder: Recorder,
    made: AtomicU32,
    asked: AtomicU32,
    loaded: AtomicU32,
}

/// How a step ended what it was in, if it did.
type End = Option<Result<(), BoxError>>;

impl Player {
    pub(super) fn new(name: Arc<str>, script: Script, recorder: Recorder) -> Self {
        let (made, asked, loaded) = Default::default();
        Self { part: Arc::new(Part { name, script, recorder, made, asked, loaded }) }
    }

    fn tell(&self, fact: Fact) {
        self.part.recorder.write(Some(&self.part.name), fact);
    }

    /// Counts the turn, and says what it does.
    fn turn(&self, seam: Seam, turns: &AtomicU32) -> Arc<[Step]> {
        let turn = turns.fetch_add(1, Ordering::Relaxed) + 1;
        self.tell(Fact::Called { seam, turn });
        self.part.script.steps(seam, turn)
    }

    /// What the factory does.
    pub(super) fn make(&self) -> Result<(), BoxError> {
        for step in &*self.turn(Seam::Factory, &self.part.made) {
            match step {
                Step::Fail(message) => return Err((*message).into()),
                Step::Panic(message) => panic!("{message}"),
                Step::Block(time) => block(*time),
                other => unfit(other),
            }
        }
        Ok(())
    }

    /// Whether the plugin goes on.
    async fn plugin(&self, steps: &[Step]) -> Result<bool, BoxError> {
        for step in steps {
            match step {
                Step::Decline => return Ok(false),
                Step::Disable(reason) => return Err(Disabled::because(*reason).into()),
                Step::Fail(message) => return Err((*message).into()),
                other => wait(other).await,
            }
        }
        Ok(true)
    }

    async fn play(&self, cx: ServiceContext, steps: &[Step], live: &Live) -> Result<(), BoxError> {
        let mut told = false;
        let mut ignores = false;
        // After the last step it waits.
        for step in steps.iter().chain([&Step::Hang]) {
            ignores |= matches!(step, Step::IgnoreStop);
            let mut doing = pin!(self.take(&cx, step, live));
            while !told {
                match select(pin!(cx.stopping()), doing.as_mut()).await {
                    Either::Left((reason, _)) => {
                        told = true;
                        self.tell(Fact::ToldToStop { incarnation: live.incarnation, reason });
                        if !ignores {
                            return self.stop(&cx, live).await;
                        }
                    }
                    Either::Right((Some(end), _)) => return end,
                    Either::Right((None, _)) => break,
                }
            }
            if told && let Some(end) = doing.await {
                return end;
            }
        }
        Ok(())
    }

    async fn stop(&self, cx: &ServiceContext, live: &Live) -> Result<(), BoxError> {
        for step in &*self.part.script.steps(Seam::OnStop, live.incarnation) {
            if let Some(end) = self.take(cx, step, live).await {
                return end;
            }
        }
        Ok(())
    }

    async fn take(&self, cx: &ServiceContext, step: &Step, live: &Live) -> End {
        let incarnation = live.incarnation;
        match step {
            Step::Ready => {
                self.tell(Fact::Ready { incarnation });
                cx.ready(Published { incarnation });
            }
            Step::Complete => return Some(Ok(())),
            Step::Fail(message) => return Some(Err((*message).into())),
            Step::Fatal(message) => return Some(Err(Fatal::because(*message).into())),
            Step::IgnoreStop => {}
            Step::Spawn(steps) => {
                let task = Task::new(self.clone(), incarnation, Arc::clone(&live.task_panicked));
                let (cx, steps) = (cx.clone(), steps.clone());
                let own = cx.clone();
                cx.spawn(async move { task.play(&own, &steps).await });
            }
            Step::Call(call) => call.call(cx.clone()).await,
            other => wait(other).await,
        }
        None
    }
}

/// The steps that are the same everywhere.
async fn wait(step: &Step) {
    match step {
        Step::Sleep(time) => tokio::time::sleep(*time).await,
        Step::Block(time) => block(*time),
        Step::Hang => pending().await,
        Step::Panic(message) => panic!("{message}"),
        other => unfit(other),
    }
}

fn unfit(step: &Step) -> ! {
    unreachable!("the script has refused {step:?} here")
}

/// Blocks the thread, whatever tokio's clock says.
fn block(time: Duration) {
    let nobody = Mutex::new(());
    Condvar::new().wait_for(&mut nobody.lock(), time);
}

#[async_trait]
impl Scripted for Player {
    async fn should_load(&self, (): &()) -> Result<bool, BoxError> {
        let steps = self.turn(Seam::ShouldLoad, &self.part.asked);
        self.plugin(&steps).await
    }

    async fn load(&self, (): &()) -> Result<Arc<dyn Service>, BoxError> {
        let steps = self.turn(Seam::Load, &self.part.loaded);
        self.plugin(&steps).await?;
        Ok(Arc::new(self.clone()))
    }
}

/// Not an async function, so that it can panic before there is a future.
impl Service for Player {
    fn run<'life, 'run>(&'life self, cx: ServiceContext) -> BoxFuture<'run, Result<(), BoxError>>
    where
        'life: 'run,
        Self: 'run,
    {
        let mut live = Live::new(self.clone(), cx.incarnation());
        let steps = self.part.script.steps(Seam::Run, live.incarnation);
        if let Some(Step::PanicInCall(message)) = steps.first() {
            panic!("{message}");
        }
        Box::pin(async move {
            let end = self.play(cx, &steps, &live).await;
            live.end(match &end {
                Ok(()) => Outcome::Ok,
                Err(error) if error.is::<Fatal>() => Outcome::Fatal,
                Err(_) => Outcome::Error,
            });
            end
        })
    }
}

/// What a run holds: its end is the end of the run.
struct Live {
    player: Player,
    incarnation: u32,
    ended: Option<Outcome>,
    task_panicked: Arc<AtomicBool>,
}

impl Live {
    fn new(player: Player, incarnation: u32) -> Self {
        player.tell(Fact::Begun { incarnation });
        Self { player, incarnation, ended: None, task_panicked: Arc::default() }
    }

    fn end(&mut self, outcome: Outcome) {
        self.player.tell(Fact::Ended { incarnation: self.incarnation, outcome });
        self.ended = Some(outcome);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if self.ended.is_none() {
            let panicked = std::thread::panicking() || self.task_panicked.load(Ordering::Relaxed);
            self.end(if panicked { Outcome::Panic } else { Outcome::Aborted });
        }
        let mut outcome = self.ended.unwrap_or(Outcome::Aborted);
        let mut last = None;
        for step in &*self.player.part.script.steps(Seam::Destructor, self.incarnation) {
            match step {
                Step::Block(time) => block(*time),
                Step::Panic(message) => last = Some(*message),
                other => unfit(other),
            }
        }
        // One panic more would end the process.
        let last = last.filter(|_| !std::thread::panicking());
        if last.is_some() && matches!(outcome, Outcome::Ok | Outcome::Aborted) {
            outcome = Outcome::Panic;
        }
        self.player.tell(Fact::Dropped { incarnation: self.incarnation, outcome });
        if let Some(message) = last {
            panic!("{message}");
        }
    }
}

/// A task of a run, from its making to its end.
struct Task {
    player: Player,
    incarnation: u32,
    panicked: Arc<AtomicBool>,
}

impl Task {
    fn new(player: Player, incarnation: u32, panicked: Arc<AtomicBool>) -> Self {
        player.tell(Fact::TaskBegun { incarnation });
        Self { player, incarnation, panicked }
    }

    /// Ends when the run is told to stop, unless it ignores that.
    async fn play(&self, cx: &ServiceContext, steps: &[Step]) {
        let mut ignores = false;
        for step in steps {
            match step {
                Step::Complete => return,
                Step::IgnoreStop => ignores = true,
                step if ignores => wait(step).await,
                step => {
                    if cx.running_until(wait(step)).await.is_none() {
                        return;
                    }
                }
            }
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.panicked.store(true, Ordering::Relaxed);
        }
        self.player.tell(Fact::TaskDropped { incarnation: self.incarnation });
    }
}

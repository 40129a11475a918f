//! The one loop that steps the core and carries out what it says. It awaits its mailbox and its
//! timers, and no user code.
//!
//! Trap: a worker of tokio's that a timer has woken is the only one that waits for timers, and wakes no other
//! for the one task that comes of it. If a run that begins or is aborted then blocks that thread, no timer
//! is due any more, in the whole runtime. So the dispatcher [hands on](hand_on) after its timers.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures::future::{join, join_all};
use futures::poll;
use rustc_hash::FxHashMap;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::event::EventKind;
use crate::name::Name;
use crate::origin::Origin;
use crate::supervisor::core::{About, Action, Core, Index, Input, Summary};
use crate::supervisor::found::Settings;
use crate::supervisor::report::ShutdownReport;
use crate::supervisor::roster::Roster;

use super::child::begin;
use super::post;
use super::shared::{Caller, Child, Mail, Shared};
use super::timers::{Due, Timers};
use super::told::Told;

/// How many inputs are taken in before the timers are looked at again.
const BATCH: usize = 32;

/// For so many actions there is always room.
const ROOM: usize = 1024;

/// Owns the core; ends with the shutdown.
pub(crate) struct Dispatcher {
    pub(super) core: Core<Caller>,
    mailbox: mpsc::UnboundedReceiver<Mail>,
    timers: Timers,
    actions: Vec<Action<Caller>>,
    /// When the present step began, or the part of it that is carried out. In a shutdown, when what it is about
    /// was taken in: each end is little work then, there are many, and nothing begins any more.
    now: Instant,
    /// Whose loans are to be taken back next.
    recalled: Vec<Index>,
    finished: Option<Summary>,
    pub(super) settings: Settings,
    /// Who was at a place that is free now: an answer may still tell of it.
    pub(super) gone: FxHashMap<Index, (Name, Origin)>,
    /// The tasks that drop what is the user's.
    pub(super) letting_go: Vec<JoinHandle<()>>,
    /// Who is there. Dropped last, as what is shared: its children drop what services failed with.
    pub(super) roster: Arc<Roster<Arc<Child>>>,
    pub(super) shared: Arc<Shared>,
}

impl Dispatcher {
    pub(crate) fn new(
        shared: Arc<Shared>,
        core: Core<Caller>,
        settings: Settings,
        mailbox: mpsc::UnboundedReceiver<Mail>,
    ) -> Self {
        let (roster, timers) =
            (Arc::clone(&shared.roster.read()), Timers::new(shared.mailbox.look()));
        Self {
            shared,
            roster,
            core,
            settings,
            gone: FxHashMap::default(),
            letting_go: Vec::new(),
            mailbox,
            timers,
            actions: Vec::new(),
            now: Instant::now(),
            recalled: Vec::new(),
            finished: None,
        }
    }

    /// The one at that place, if there is one.
    pub(super) fn child(&self, place: Index) -> Option<&Arc<Child>> {
        self.roster.get(place)
    }

    /// Runs on the current runtime, until the end.
    pub(crate) fn begin(self) {
        let shared = Arc::clone(&self.shared);
        post::run(self.run(), shared.mailbox.look());
    }

    async fn run(mut self) {
        let mut mails = Vec::with_capacity(BATCH);
        while self.finished.is_none() {
            let receive = poll_fn(|cx| {
                self.shared.mailbox.look().read();
                self.mailbox.poll_recv_many(cx, &mut mails, BATCH)
            });
            tokio::select! {
                biased;
                _ = receive => {
                    self.now = Instant::now();
                    for mail in mails.drain(..) {
                        self.hear(mail);
                    }
                }
                () = self.timers.wait() => {}
            }
            let mut was_due = false;
            loop {
                self.now = Instant::now();
                let Some(due) = self.timers.pop(self.now) else { break };
                was_due = true;
                match due {
                    Due::Service(service, arming) => {
                        let Some(child) = self.child(service) else { continue };
                        let (reached, silent) = (child.reached(), child.silent());
                        self.step(Input::Timer { service, arming, reached, silent });
                    }
                    Due::Shutdown => self.step(Input::ShutdownTimer),
                }
            }
            if was_due {
                hand_on().await;
            }
        }
        self.finish().await;
    }

    fn hear(&mut self, mail: Mail) {
        match mail {
            Mail::Input(input) => match self.refusal(&input) {
                None => self.step(input),
                Some(refusal) => {
                    if let Some(caller) = input.into_caller() {
                        let _ = caller.answer.send(refusal);
                    }
                }
            },
            Mail::InVain { caller, up } => self.in_vain(caller, up),
            Mail::Add(addition) => self.add(*addition),
        }
    }

    /// Takes back what is lent of whom the input is about, then steps.
    pub(super) fn step(&mut self, input: Input<Caller>) {
        match input.about() {
            About::Nobody => {}
            About::One(service) => self.recall(service),
            About::All => (0..self.core.len()).for_each(|it| self.recall(it)),
        }
        self.step_core(input);
        while let Some(service) = self.recalled.pop() {
            self.recall(service);
        }
    }

    fn recall(&mut self, service: Index) {
        if !self.core.is_lent(service) {
            return;
        }
        let loan = self.child(service).and_then(|child| child.cell.recall());
        if let Some((incarnation, loan)) = loan {
            self.step_core(Input::Regained { service, incarnation, loan });
        }
    }

    fn step_core(&mut self, input: Input<Caller>) {
        if !self.core.is_shutting_down() {
            self.now = Instant::now();
        }
        let mut actions = std::mem::take(&mut self.actions);
        self.core.step(input, self.now.duration_since(self.shared.epoch), &mut actions);
        let has_taken_long = actions.len() > BATCH;
        for (place, action) in actions.drain(..).enumerate() {
            if place % BATCH == BATCH - 1 {
                self.now = Instant::now();
            }
            self.act(action);
        }
        if has_taken_long {
            self.now = Instant::now();
            actions.shrink_to(ROOM);
        }
        self.actions = actions;
        if self.core.is_shutting_down() {
            // Once is enough.
            let _ = self.shared.shutting_down.set(());
        }
    }

    fn act(&mut self, action: Action<Caller>) {
        match action {
            Action::Begin { service, incarnation, watched } => {
                if let Some(child) = self.child(service) {
                    begin(child, incarnation, watched);
                }
            }
            Action::Signal { service, reason } => {
                if let Some(run) = self.child(service).and_then(|child| child.run()) {
                    run.signal(reason);
                }
            }
            Action::Abort { service } => {
                if let Some(run) = self.child(service).and_then(|child| child.run()) {
                    run.abort();
                }
            }
            Action::Lend { service, loan } => {
                if let Some(child) = self.child(service) {
                    child.cell.lend(loan);
                }
            }
            Action::Recall { service } => self.recalled.push(service),
            Action::Arm { service, arming, after } => {
                self.timers.arm(self.now, service, arming, after);
                self.sweep_timers();
            }
            Action::ArmShutdown { after } => self.timers.arm_shutdown(self.now, after),
            Action::Publish { service, state, incarnation } => {
                if let Some(child) = self.child(service) {
                    let heard = self.shared.hub.is_heard().then(|| state.clone());
                    child.cell.publish(state, incarnation);
                    if let Some(state) = heard {
                        self.emit(service, EventKind::Service { state, incarnation });
                    }
                }
                self.timers.moved();
                self.sweep_timers();
            }
            Action::Report { service, incarnation, exit } => {
                self.emit(service, EventKind::StopFailed { exit: *exit, incarnation });
            }
            Action::Health { service, incarnation, health } => {
                self.emit(service, EventKind::Health { health, incarnation });
            }
            Action::Remove { service, caller } => self.remove(service, caller),
            Action::Reply { caller, answer } => {
                let Caller { place, answer: to, .. } = caller;
                let told = Told::of(*answer, place, |place| self.known(place));
                // A caller that gave up hears nothing.
                if let Err(unheard) = to.send(told)
                    && unheard.may_own()
                {
                    self.let_go("what nobody heard", unheard, || {});
                }
            }
            Action::Finish { summary } => self.finished = Some(*summary),
        }
    }

    pub(super) fn emit(&self, service: Index, kind: EventKind) {
        if let Some(child) = self.child(service) {
            self.shared.hub.emit(|| (child.spec.id(), kind));
        }
    }

    /// Who is at that place, or was there last.
    pub(super) fn known(&self, place: Index) -> (Name, Origin) {
        match self.child(place) {
            Some(child) => (child.spec.name().clone(), child.spec.origin()),
            None => self.gone[&place].clone(),
        }
    }

    /// In a shutdown a service arms two more at most, and all go with its end.
    fn sweep_timers(&mut self) {
        if self.timers.are_many() && !self.core.is_shutting_down() {
            self.timers.sweep(|service, arming| self.core.is_armed(service, arming));
        }
    }

    /// Ends what loads, keeps the report, and lets everybody know.
    async fn finish(&mut self) {
        let Some(summary) = self.finished.take() else { return };
        // Whoever asks from here on is answered by that, and need not wait for what follows.
        self.mailbox.close();
        while let Ok(mail) = self.mailbox.try_recv() {
            if let Mail::Add(addition) = mail {
                self.add(*addition);
            }
        }
        let sources = self.roster.sources().to_vec();
        let closing = join_all(sources.iter().map(|source| source.end_loads()));
        let letting_go = join_all(std::mem::take(&mut self.letting_go));
        let pending = match in_time(&self.shared, join(closing, letting_go)).await {
            Some(_) => Vec::new(),
            None => sources.iter().flat_map(|source| source.pending()).collect(),
        };
        // A listener may take its time, but not the shutdown's.
        let heard =
            join(join_all(sources.iter().map(|source| source.flush())), self.shared.hub.flush());
        in_time(&self.shared, heard).await;
        self.tell(summary, pending);
    }

    /// Keeps the report; whoever calls from now on gets it.
    fn tell(&mut self, summary: Summary, pending: Vec<Name>) {
        self.mailbox.close();
        let (known, ordered) = (|place| self.known(place), self.roster.is_in_name_order());
        let report = ShutdownReport::new(summary, pending, known, ordered);
        // Only the first report counts.
        let _ = self.shared.report.set(report);
    }
}

/// Waits for that, but no longer than for what does not end. A worker that has this for itself may block.
async fn in_time<T>(shared: &Shared, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    // Mostly there is nothing to wait for.
    if let Poll::Ready(outcome) = poll!(future.as_mut()) {
        return Some(outcome);
    }
    let (look, bound) = (shared.mailbox.look(), shared.join_timeout);
    look.due(Instant::now().checked_add(bound).map(Instant::into_std));
    let outcome = timeout(bound, future).await.ok();
    look.due(None);
    outcome
}

/// Is polled again by whoever is free: a task that wakes itself is queued for all workers, and one of them
/// is woken for it.
async fn hand_on() {
    let mut again = true;
    poll_fn(|cx| {
        if std::mem::take(&mut again) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}

/// A runtime that ends takes the dispatcher with it: what was live then is reported as leaked, so
/// that nobody waits for a report that would never come.
impl Drop for Dispatcher {
    fn drop(&mut self) {
        if !self.shared.report.initialized() {
            let summary = self.core.interrupted();
            self.tell(summary, Vec::new());
        }
    }
}

//! The one loop that steps the core and carries out what it says. It awaits its mailbox and its
//! timers, and no user code.

use std::sync::Arc;

use futures::future::{join, join_all};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::event::EventKind;
use crate::name::Name;
use crate::supervisor::core::{Action, Core, Index, Input, Summary};
use crate::supervisor::report::ShutdownReport;

use super::child::begin;
use super::shared::{Caller, Shared};
use super::timers::{Due, Timers};

/// How many inputs are taken in before the timers are looked at again.
const BATCH: usize = 256;

/// Owns the core; ends with the shutdown.
pub(crate) struct Dispatcher {
    core: Core<Caller>,
    mailbox: mpsc::UnboundedReceiver<Input<Caller>>,
    timers: Timers,
    actions: Vec<Action<Caller>>,
    /// Whose loans are to be taken back next.
    recalled: Vec<Index>,
    finished: Option<Summary>,
    /// Dropped last: its children drop what services failed with.
    shared: Arc<Shared>,
}

impl Dispatcher {
    pub(crate) fn new(
        shared: Arc<Shared>,
        core: Core<Caller>,
        mailbox: mpsc::UnboundedReceiver<Input<Caller>>,
    ) -> Self {
        Self {
            shared,
            core,
            mailbox,
            timers: Timers::default(),
            actions: Vec::new(),
            recalled: Vec::new(),
            finished: None,
        }
    }

    pub(crate) async fn run(mut self) {
        let mut inputs = Vec::with_capacity(BATCH);
        while self.finished.is_none() {
            tokio::select! {
                biased;
                _ = self.mailbox.recv_many(&mut inputs, BATCH) => {
                    for input in inputs.drain(..) {
                        self.step(input);
                    }
                }
                () = self.timers.wait() => {}
            }
            while let Some(due) = self.timers.pop(Instant::now()) {
                match due {
                    Due::Service(service, arming) => {
                        let child = &self.shared.children[service as usize];
                        let (reached, silent) = (child.reached(), child.silent());
                        self.step(Input::Timer { service, arming, reached, silent });
                    }
                    Due::Shutdown => self.step(Input::ShutdownTimer),
                }
            }
        }
        self.finish().await;
    }

    /// Takes back what is lent of whom the input is about, then steps.
    fn step(&mut self, input: Input<Caller>) {
        match input.service() {
            Some(service) => self.recall(service),
            None => (0..self.shared.children.len() as Index).for_each(|it| self.recall(it)),
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
        if let Some((incarnation, loan)) = self.shared.children[service as usize].cell.recall() {
            self.step_core(Input::Regained { service, incarnation, loan });
        }
    }

    fn step_core(&mut self, input: Input<Caller>) {
        let now = Instant::now();
        let mut actions = std::mem::take(&mut self.actions);
        self.core.step(input, now.duration_since(self.shared.epoch), &mut actions);
        for action in actions.drain(..) {
            self.act(action, now);
        }
        self.actions = actions;
        if self.core.is_shutting_down() {
            // Once is enough.
            let _ = self.shared.shutting_down.set(());
        }
    }

    fn act(&mut self, action: Action<Caller>, now: Instant) {
        match action {
            Action::Begin { service, incarnation, watched } => {
                begin(&self.shared.children[service as usize], incarnation, watched);
            }
            Action::Signal { service, reason } => {
                if let Some(run) = self.shared.children[service as usize].run() {
                    run.signal(reason);
                }
            }
            Action::Abort { service } => {
                if let Some(run) = self.shared.children[service as usize].run() {
                    run.abort();
                }
            }
            Action::Lend { service, loan } => {
                self.shared.children[service as usize].cell.lend(loan);
            }
            Action::Recall { service } => self.recalled.push(service),
            Action::Arm { service, arming, after } => {
                self.timers.arm(now, service, arming, after);
                self.sweep_timers();
            }
            Action::ArmShutdown { after } => self.timers.arm_shutdown(now, after),
            Action::Publish { service, state, incarnation } => {
                let child = &self.shared.children[service as usize];
                child.cell.publish(state.clone(), incarnation);
                self.timers.moved();
                let kind = EventKind::Service { state, incarnation };
                self.shared.hub.emit(|| (child.spec.id(), kind));
                self.sweep_timers();
            }
            Action::Report { service, incarnation, exit } => {
                let id = || self.shared.children[service as usize].spec.id();
                self.shared.hub.emit(|| (id(), EventKind::StopFailed { exit, incarnation }));
            }
            Action::Health { service, incarnation, health } => {
                let id = || self.shared.children[service as usize].spec.id();
                self.shared.hub.emit(|| (id(), EventKind::Health { health, incarnation }));
            }
            Action::Reply { caller, answer } => {
                // A caller that gave up hears nothing.
                let _ = caller.send(answer);
            }
            Action::Finish { summary } => self.finished = Some(summary),
        }
    }

    fn sweep_timers(&mut self) {
        if self.timers.are_many() {
            self.timers.sweep(|service, arming| self.core.is_armed(service, arming));
        }
    }

    /// Ends what loads, keeps the report, and lets everybody know.
    async fn finish(mut self) {
        let Some(summary) = self.finished.take() else { return };
        // Whoever asks from here on is answered by that, and need not wait for what follows.
        self.mailbox.close();
        while self.mailbox.try_recv().is_ok() {}
        let closing = join_all(self.shared.sources.iter().map(|source| source.end_loads()));
        let pending = match timeout(self.shared.join_timeout, closing).await {
            Ok(_) => Vec::new(),
            Err(_) => self.shared.sources.iter().flat_map(|source| source.pending()).collect(),
        };
        // A listener may take its time, but not the shutdown's.
        let heard = join(
            join_all(self.shared.sources.iter().map(|source| source.flush())),
            self.shared.hub.flush(),
        );
        let _ = timeout(self.shared.join_timeout, heard).await;
        self.tell(&summary, pending);
    }

    /// Keeps the report; whoever calls from now on gets it.
    fn tell(&mut self, summary: &Summary, pending: Vec<Name>) {
        self.mailbox.close();
        let report = ShutdownReport::new(summary, pending, |index| self.shared.describe(index));
        // Only the first report counts.
        let _ = self.shared.report.set(report);
    }
}

/// A runtime that ends takes the dispatcher with it: what was live then is reported as leaked, so
/// that nobody waits for a report that would never come.
impl Drop for Dispatcher {
    fn drop(&mut self) {
        if !self.shared.report.initialized() {
            let summary = self.core.interrupted();
            self.tell(&summary, Vec::new());
        }
    }
}

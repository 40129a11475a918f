//! Random walks through the core: commands, readiness, exits, timers and late news in any order,
//! against a small world that keeps what is really alive. After every step the invariants hold;
//! at the end every call has its one answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::chance::{All, Asked, Dice, SECOND, groups, limits, reaction};
use super::ending::Ending;
use super::loan::Loan;
use super::model::Core;
use super::words::{About, Action, Answer, Index, Input, Reactions};
use crate::error::{BoxError, Exit, ServiceFailure};
use crate::graph::{Graph, GraphBuilder};
use crate::health::Health;
use crate::reason::{Phase, StopReason};
use crate::restart::Reaction;
use crate::spec::DependencyKind;
use crate::state::ServiceState;

/// One incarnation as it really is.
#[derive(Debug, Clone, Default)]
pub(super) struct Life {
    pub(super) incarnation: u32,
    pub(super) ready: bool,
    pub(super) signalled: bool,
    /// Why it was signalled.
    reason: Option<StopReason>,
    pub(super) aborted: bool,
    pub(super) leaked: bool,
    pub(super) over: bool,
    /// Why it is unhealthy, if it is.
    pub(super) ill: Option<Arc<str>>,
    /// Its run was over with a failure.
    pub(super) failed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Call {
    Start(Index),
    /// And the incarnation that lived then.
    Stop(Index, u32),
    Restart(Index),
    Wait,
    Remove(Index),
}

#[derive(Clone)]
pub(super) struct World {
    seed: u64,
    pub(super) core: Core<u32>,
    pub(super) graph: Arc<Graph>,
    pub(super) lives: BTreeMap<Index, Life>,
    /// What is lent. Whoever takes it, or decides by it, does so in one access.
    pub(super) loans: BTreeMap<Index, Box<Loan>>,
    recalled: Vec<Index>,
    /// How many runs their own tasks have begun.
    pub(super) turns: usize,
    pub(super) all: Arc<All>,
    /// Who of them is there.
    pub(super) here: Vec<bool>,
    pub(super) completed: Vec<bool>,
    /// The number of the newest incarnation.
    pub(super) newest: Vec<u32>,
    pub(super) timers: Vec<(Index, u32)>,
    pub(super) calls: BTreeMap<u32, Call>,
    pub(super) next_call: u32,
    /// A call by a service.
    pub(super) asked: Option<Asked>,
    pub(super) finished: bool,
    /// Everything was to end at once.
    pub(super) no_order: bool,
    /// It is told of the end of one that it takes to have failed.
    failing: Option<Index>,
    pub(super) now: Duration,
    /// Written only when the walk is known to fail: it costs more than the walk.
    pub(super) trace: Option<Vec<String>>,
}

impl World {
    fn new(seed: u64, traced: bool) -> (Self, Dice) {
        let mut dice = Dice(seed);
        let count = 1 + dice.roll(6);
        let mut builder = GraphBuilder::new(count);
        for index in 0..count as Index {
            for on in 0..index {
                let kind = match dice.roll(6) {
                    0 | 1 => DependencyKind::Requires,
                    2 => DependencyKind::Wants,
                    3 => DependencyKind::After,
                    _ => continue,
                };
                builder.edge(index, kind, on);
            }
        }
        let graph = Arc::new(builder.build(|_| unreachable!("no edge is wrong")));
        let edges = (0..count as Index)
            .map(|index| format!("{index} depends on {:?}", graph.dependencies(index)))
            .collect();
        let limits: Vec<_> = (0..count).map(|_| Arc::new(limits(&mut dice))).collect();
        let mut reactions = Reactions::default();
        for index in 0..count as Index {
            for &(on, kind) in graph.dependencies(index) {
                if kind == DependencyKind::Requires
                    && let Some(reaction) = reaction(&mut dice, &limits[index as usize])
                {
                    reactions.insert((index, on), reaction);
                }
            }
        }
        let (join, timeout) = (SECOND, Some(60 * SECOND));
        let core = Core::new(Arc::clone(&graph), reactions, limits, join, timeout);
        let core = core.with_groups(groups(&mut dice, count));
        let core = match dice.roll(3) {
            0 => core.with_slots(Some(1 + dice.roll(2))),
            _ => core,
        };
        (Self::of(seed, core, graph, traced.then_some(edges)), dice)
    }

    pub(super) fn of(
        seed: u64,
        core: Core<u32>,
        graph: Arc<Graph>,
        trace: Option<Vec<String>>,
    ) -> Self {
        Self {
            seed,
            all: Arc::new(All::of(&core)),
            here: vec![true; graph.len()],
            core,
            completed: vec![false; graph.len()],
            newest: vec![0; graph.len()],
            graph,
            lives: BTreeMap::new(),
            loans: BTreeMap::new(),
            recalled: Vec::new(),
            turns: 0,
            timers: Vec::new(),
            calls: BTreeMap::new(),
            next_call: 0,
            asked: None,
            finished: false,
            no_order: false,
            failing: None,
            now: Duration::ZERO,
            trace,
        }
    }

    /// The end of its run, whose tasks go on.
    pub(super) fn over(&mut self, service: Index, failed: bool) {
        let life = self.lives.entry(service).or_default();
        // What has failed goes on to have failed.
        life.failed |= failed && !life.over;
        life.over = true;
        let (failed, incarnation) = (life.failed, life.incarnation);
        self.hand_back(service);
        self.step(Input::RunOver { service, incarnation, failed });
    }

    pub(super) fn check(&self, holds: bool, what: &str) {
        if holds {
            return;
        }
        let Some(trace) = &self.trace else {
            walk(self.seed, true);
            return;
        };
        panic!("seed {}: {what}; open: {:?}\n{}", self.seed, self.calls, trace.join("\n"));
    }

    /// Takes back what is lent of whom the input is about, then steps.
    pub(super) fn step(&mut self, input: Input<u32>) {
        match input.about() {
            About::Nobody => {}
            About::One(service) => self.recall(service),
            About::All => {
                (0..self.completed.len() as Index).for_each(|service| self.recall(service))
            }
        }
        self.step_core(input);
        while let Some(service) = self.recalled.pop() {
            self.recall(service);
        }
        self.asked_in_vain();
    }

    pub(super) fn step_core(&mut self, input: Input<u32>) {
        self.no_order |= matches!(input, Input::AbortNow | Input::ShutdownTimer);
        if let Some(trace) = &mut self.trace {
            trace.push(format!("> {input:?}"));
        }
        let mut actions = Vec::new();
        self.now += SECOND / 2;
        self.core.step(input, self.now, &mut actions);
        for action in actions {
            if let Some(trace) = &mut self.trace {
                trace.push(format!("    {action:?}"));
            }
            self.check(!self.finished, "nothing follows the finish");
            self.act(action);
        }
    }

    fn act(&mut self, action: Action<u32>) {
        match action {
            Action::Begin { service, incarnation, .. } => self.begin(service, incarnation),
            Action::Signal { service, reason } => {
                let aborting = self.core.shutdown.is_some();
                for &(dependent, kind) in Arc::clone(&self.graph).dependents(service) {
                    let alive = self.lives.get(&dependent).is_some_and(|life| !life.leaked);
                    let goes_on = self.core.reaction(dependent, service) == Reaction::Keep;
                    let ordered = kind == DependencyKind::Requires && !aborting && !goes_on;
                    self.check(!(alive && ordered), "dependents end first");
                }
                self.in_order(service);
                self.check(self.lives.contains_key(&service), "only what lives is signalled");
                let life = self.lives.entry(service).or_default();
                let watched = life.ready;
                (life.signalled, life.reason) = (true, Some(reason));
                let judged = matches!(reason, StopReason::Watchdog | StopReason::Health);
                self.check(watched || !judged, "who is watched, or judged, was ready");
            }
            Action::Abort { service } => {
                self.check(self.lives.contains_key(&service), "only what lives is aborted");
                self.lives.entry(service).or_default().aborted = true;
            }
            Action::Lend { service, loan } => {
                let ready = self.lives.get(&service).is_some_and(|life| life.ready);
                let alone = self.graph.dependents(service).is_empty();
                self.check(ready && alone, "who is lent serves nobody");
                self.loans.insert(service, loan);
            }
            Action::Recall { service } => self.recalled.push(service),
            Action::Arm { service, arming, .. } => self.timers.push((service, arming)),
            Action::ArmShutdown { .. } | Action::Report { .. } => {}
            Action::Publish { service, state, .. } => {
                let verdict = !matches!(state, ServiceState::Stopping(_));
                if self.failing.take_if(|failing| *failing == service && verdict).is_some() {
                    let failed =
                        matches!(state, ServiceState::Failed(_) | ServiceState::Backoff { .. });
                    self.check(failed, "who is taken to have failed has failed");
                }
                if matches!(&state, ServiceState::Failed(failure)
                    if matches!(**failure, ServiceFailure::Leaked))
                {
                    self.lives.entry(service).or_default().leaked = true;
                }
            }
            Action::Health { service, incarnation, .. } => {
                let life = self.lives.get(&service);
                let fresh =
                    life.is_some_and(|life| life.incarnation == incarnation && !life.leaked);
                self.check(fresh, "the health is that of what lives");
            }
            Action::Remove { service, caller } => self.gone(service, caller),
            Action::Reply { caller, answer } => {
                let call = self.calls.remove(&caller);
                self.check(call.is_some(), "one answer a call");
                if let (Some(Call::Remove(service)), Answer::Stays(why)) = (call, &*answer) {
                    self.stays(service, *why);
                }
                if let (Some(Call::Start(service) | Call::Restart(service)), Answer::Start(Ok(_))) =
                    (call, &*answer)
                {
                    let ready = self.lives.get(&service).is_some_and(|life| life.ready);
                    self.check(ready, "a successful start leaves it ready");
                }
                if let (Some(Call::Stop(service, asked)), Answer::Stop(Ok(_))) = (call, &*answer) {
                    let live = self
                        .lives
                        .get(&service)
                        .is_some_and(|life| !life.leaked && life.incarnation == asked);
                    self.check(!live, "a stop answers when it has ended");
                }
                self.answered(caller, *answer);
            }
            Action::Finish { .. } => {
                self.finished = true;
                let left = self.lives.values().any(|life| !life.leaked);
                self.check(!left, "nothing runs after the shutdown");
                let waiting = self.calls.values().any(|call| *call != Call::Wait);
                self.check(!waiting, "no call is left");
            }
        }
    }

    pub(super) fn begin(&mut self, service: Index, incarnation: u32) {
        self.check(!self.lives.contains_key(&service), "one incarnation at a time");
        self.check(self.core.shutdown.is_none(), "no attempt in a shutdown");
        let ending = self.core.groups.of(service).is_some_and(|group| group.ending > 0);
        self.check(!ending, "a group has ended before it begins again");
        for &(on, kind) in Arc::clone(&self.graph).dependencies(service) {
            if kind == DependencyKind::Requires {
                let up = self.lives.get(&on).is_some_and(|life| life.ready && !life.signalled);
                let keeps = self.loans.contains_key(&service)
                    && self.core.reaction(service, on) == Reaction::Keep;
                self.check(up || self.completed[on as usize] || keeps, "what it requires runs");
            }
        }
        self.completed[service as usize] = false;
        self.newest[service as usize] = incarnation;
        self.lives.insert(service, Life { incarnation, ..Life::default() });
    }

    pub(super) fn call(&mut self, call: Call, input: impl FnOnce(u32) -> Input<u32>) {
        self.next_call += 1;
        self.calls.insert(self.next_call, call);
        self.step(input(self.next_call));
    }

    pub(super) fn end(&mut self, service: Index, fails: bool) {
        let Some(life) = self.lives.get(&service).cloned() else { return };
        let fails = fails || life.failed;
        let exit = match fails {
            _ if life.aborted => Exit::Aborted,
            true => Exit::Failed(Arc::from(BoxError::from("on purpose"))),
            false => Exit::Completed,
        };
        let ending = Ending::Exit(exit);
        if self.turn(service, &ending) {
            return;
        }
        self.hand_back(service);
        self.lives.remove(&service);
        self.completed[service as usize] = life.ready && !life.signalled && !fails && !life.aborted;
        let incarnation = life.incarnation;
        let failing = [StopReason::StartTimeout, StopReason::Watchdog, StopReason::Health];
        let fails = life.reason.is_some_and(|reason| failing.contains(&reason));
        self.failing = (fails && !life.leaked).then_some(service);
        self.step(Input::Ended { service, incarnation, ending });
        self.check(self.failing.is_none(), "an end is published");
    }

    pub(super) fn ready(&mut self, service: Index) {
        let Some(life) = self.lives.get_mut(&service) else { return };
        let incarnation = life.incarnation;
        if life.over {
            return;
        }
        if !life.signalled && !life.aborted {
            life.ready = true;
        }
        let unhealthy = life.ill.clone();
        let now = self.now;
        if self.loans.get_mut(&service).is_some_and(|loan| loan.ready(now)) {
            return;
        }
        self.hand_back(service);
        self.step(Input::Ready { service, incarnation, unhealthy });
    }

    fn feel(&mut self, service: Index, dice: &mut Dice) {
        let Some(life) = self.lives.get_mut(&service).filter(|life| !life.over) else { return };
        let (incarnation, reason) = (life.incarnation, Arc::from("on purpose"));
        let health = match dice.roll(4) {
            0 => Health::Healthy,
            1 => Health::Degraded(reason),
            _ => Health::Unhealthy(reason),
        };
        life.ill = health.unhealthy().cloned();
        self.hand_back(service);
        self.step(Input::Health { service, incarnation, health });
    }

    pub(super) fn due(&mut self, (service, arming): (Index, u32), silent: Duration) {
        self.step(Input::Timer { service, arming, reached: Phase::Run, silent });
    }

    fn random(&mut self, dice: &mut Dice) {
        if self.finished {
            // A service that was given up has shut everything down.
            return;
        }
        self.asks(Dice(dice.0));
        let service = dice.roll(self.completed.len()) as Index;
        if !self.here[service as usize] {
            // Nobody can call about it; news may still be under way.
            return match dice.roll(3) {
                0 if self.may_come(service) => self.come(service),
                1 if !self.timers.is_empty() => {
                    let timer = self.timers.swap_remove(dice.roll(self.timers.len()));
                    self.due(timer, SECOND);
                }
                _ => {}
            };
        }
        match dice.roll(15) {
            0 | 1 => self.call(Call::Start(service), |caller| Input::Start { service, caller }),
            2 => {
                let asked = self.lives.get(&service).map_or(0, |life| life.incarnation);
                let unused = dice.roll(3) == 0;
                self.call(Call::Stop(service, asked), |caller| match unused {
                    true => Input::StopUnused { service, caller },
                    false => Input::Stop { service, caller },
                });
            }
            3 => self.call(Call::Restart(service), |caller| Input::Restart { service, caller }),
            4 => self.call(Call::Wait, |caller| Input::Wait { service, caller }),
            5..=7 => self.ready(service),
            8 => self.end(service, dice.roll(2) == 0),
            9 if !self.timers.is_empty() => {
                let timer = self.timers.swap_remove(dice.roll(self.timers.len()));
                self.due(timer, SECOND * dice.roll(4) as u32);
            }
            10 => {
                let incarnation = dice.roll(4) as u32;
                if self.lives.get(&service).is_none_or(|life| life.incarnation != incarnation) {
                    let ill: Arc<str> = Arc::from("on purpose");
                    let health = Health::Unhealthy(Arc::clone(&ill));
                    self.step(Input::Health { service, incarnation, health });
                    self.step(Input::Ready { service, incarnation, unhealthy: Some(ill) });
                    let ending = Ending::Exit(Exit::Completed);
                    self.step(Input::Ended { service, incarnation, ending });
                }
            }
            11 if self.lives.get(&service).is_some_and(|life| !life.aborted) => {
                self.over(service, dice.roll(2) == 0);
                if dice.roll(2) == 0 {
                    self.end(service, false);
                }
            }
            12 => self.feel(service, dice),
            13 => self.hand_back(service),
            14 => self.remove(service),
            _ => {}
        }
    }
}

/// How many runs were begun by their own tasks.
fn walk(seed: u64, traced: bool) -> usize {
    let (mut world, mut dice) = World::new(seed, traced);
    for _ in 0..3 {
        for _ in 0..5 + dice.roll(40) {
            world.random(&mut dice);
        }
        world.quiesce();
        world.at_rest();
    }
    for _ in 0..dice.roll(6) {
        world.random(&mut dice);
    }
    if world.finished {
        return world.turns;
    }
    world.step(Input::Shutdown);
    if dice.roll(3) == 0 {
        world.step(Input::AbortNow);
    }
    for _ in 0..dice.roll(10) {
        world.random(&mut dice);
    }
    if !world.finished {
        world.quiesce();
    }
    world.check(world.finished, "a shutdown ends");
    world.turns
}

/// `PLUX_WALKS=1000000 cargo test --release -p plux walks` walks further.
#[test]
fn c01_random_walks_keep_every_invariant() {
    let walks = std::env::var("PLUX_WALKS").ok().and_then(|walks| walks.parse().ok());
    let walks = walks.unwrap_or(10_000);
    let turns: usize = (0..walks).map(|seed| walk(seed, false)).sum();
    println!("{walks} walks, {turns} turns");
    assert!(turns > 0, "nothing is lent");
}

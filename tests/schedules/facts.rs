//! A recorded run, read once: where each service stood when, and which call had which answer.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::check::{Agrees, Illegal, illegal};
use crate::graphs::Graphs;
use crate::kept::{Kept, kept};
use crate::run::{Answer, Cause, Command, GiveUp, Line, Outcome, Run, Setup, State, What, Why};
use crate::there::There;

/// A move of a service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Move {
    /// Its line.
    pub(crate) line: usize,
    pub(crate) at: u64,
    pub(crate) state: State,
    pub(crate) incarnation: u32,
}

/// A call, and its answer if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The line of its command.
    pub(crate) line: usize,
    pub(crate) command: Command,
    pub(crate) service: Option<usize>,
    /// The service from within which it is made.
    pub(crate) by: Option<usize>,
    /// The line of its reply; where it was settled at the latest, when nobody heard it; far away.
    pub(crate) end: usize,
    pub(crate) answer: Option<Answer>,
    /// Whom the answer names, and whom it lists.
    pub(crate) named: Option<usize>,
    pub(crate) listed: Option<Vec<usize>>,
}

/// What a run was seen to be from within.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Life {
    pub(crate) incarnation: u32,
    /// The line of its begin, of the end of its `run` if tasks went on, of its end.
    pub(crate) begun: usize,
    pub(crate) over: Option<usize>,
    pub(crate) ended: Option<(usize, Outcome)>,
    /// The line of its last heartbeat, and that at which it said that it is unhealthy.
    pub(crate) silent: Option<usize>,
    pub(crate) ill: Option<usize>,
    /// The line at which what could not be ended was let go.
    pub(crate) released: Option<usize>,
}

pub(crate) struct Facts<'a> {
    pub(crate) run: &'a Run,
    pub(crate) graphs: Graphs,
    /// Who is there when.
    pub(crate) there: There,
    /// By service, in order.
    pub(crate) moves: Vec<Vec<Move>>,
    pub(crate) calls: Vec<Asked>,
    /// By service, in order; empty where nothing was seen from within.
    pub(crate) lives: Vec<Vec<Life>>,
    /// By line: the call of a command or reply.
    call_of: Vec<Option<usize>>,
    /// The first line from which a shutdown may have begun, and from which it has.
    pub(crate) shutdown_asked: usize,
    pub(crate) shutdown_known: usize,
    kept: OnceCell<Kept>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(run: &'a Run) -> Result<Self, Illegal> {
        let count = run.setup.services.len();
        let there = There::new(run);
        let ties = run.setup.ties.iter().copied().filter(|tie| there.meet(tie.from, tie.on));
        let mut facts = Self {
            run,
            graphs: Graphs::new(count, ties),
            there,
            moves: vec![Vec::new(); count],
            calls: Vec::new(),
            lives: vec![Vec::new(); count],
            call_of: vec![None; run.lines.len()],
            shutdown_asked: usize::MAX,
            shutdown_known: usize::MAX,
            kept: OnceCell::new(),
        };
        let own_end = |line: &Line| match line.what {
            What::Reply { id, answer: Answer::OwnEnd, .. } => Some(id),
            _ => None,
        };
        let refused: BTreeSet<u32> = run.lines.iter().filter_map(own_end).collect();
        let mut ids = BTreeMap::new();
        let (mut now, mut quiet) = (0, usize::MAX);
        for (line, seen) in run.lines.iter().enumerate() {
            if seen.at < now {
                return Err(illegal("form", line, "time goes back"));
            }
            now = seen.at;
            match &seen.what {
                What::State { service, state, incarnation } => {
                    let moved = Move { line, at: now, state: *state, incarnation: *incarnation };
                    facts.moves[*service].push(moved);
                    if matches!(
                        state,
                        State::Stopping(Why::Shutdown) | State::Stopped(Why::Shutdown)
                    ) {
                        facts.shutdown(line, true);
                    }
                    let then = facts.gives_up(*service);
                    let escalates = then.contains(&GiveUp::Escalate);
                    if *state == State::Failed(Cause::GaveUp) && escalates {
                        // It may be for itself or for its group; one without bounds is never so for itself.
                        let group = run.setup.services[*service].intensity.is_none();
                        let sure = if group { then.get(1) } else { then.first() };
                        let known = sure == Some(&GiveUp::Escalate);
                        facts.shutdown(line, known && (group || then.len() == 1));
                    }
                }
                What::Command { id, command, service, by } => {
                    if ids.insert(*id, facts.calls.len()).is_some() {
                        return Err(illegal("form", line, "two commands of one number"));
                    }
                    let ends = matches!(command, Command::Shutdown | Command::AbortNow);
                    if ends && !refused.contains(id) {
                        facts.shutdown(line, false);
                    }
                    facts.call_of[line] = Some(facts.calls.len());
                    facts.calls.push(Asked {
                        line,
                        command: *command,
                        service: *service,
                        by: *by,
                        end: usize::MAX,
                        answer: None,
                        named: None,
                        listed: None,
                    });
                }
                What::Reply { id, answer, service, stopped } => {
                    let Some(call) = ids.get(id).copied() else {
                        return Err(illegal("C6", line, "an answer that nobody asked for"));
                    };
                    facts.call_of[line] = Some(call);
                    let call = &mut facts.calls[call];
                    if call.answer.is_some() {
                        return Err(illegal("C6", line, "a second answer to one call"));
                    }
                    call.answer = Some(*answer);
                    // A name that meant two meanwhile says nothing.
                    let (from, to) = (call.line, line);
                    let meant = |it: usize| facts.there.meant(&run.setup, it, from, to);
                    call.named = service.and_then(meant);
                    let listed = stopped.iter().flatten();
                    call.listed = stopped.as_ref().and(listed.map(|it| meant(*it)).collect());
                    if !answer.is_unheard() {
                        call.end = line;
                    }
                    let told = *answer == Answer::RefusedShutdown
                        || (call.command == Command::Shutdown && *answer == Answer::Done);
                    if told {
                        facts.shutdown(line, true);
                    }
                }
                What::Begun { service, incarnation } => facts.lives[*service].push(Life {
                    incarnation: *incarnation,
                    begun: line,
                    over: None,
                    ended: None,
                    silent: None,
                    ill: None,
                    released: None,
                }),
                What::Over { service, incarnation } => {
                    facts.life(*service, *incarnation, line)?.over = Some(line);
                }
                What::Silent { service, incarnation } => {
                    facts.life(*service, *incarnation, line)?.silent = Some(line);
                }
                What::Ill { service, incarnation } => {
                    facts.life(*service, *incarnation, line)?.ill = Some(line);
                }
                What::Ended { service, incarnation, outcome } => {
                    let life = facts.life(*service, *incarnation, line)?;
                    if life.ended.is_some() {
                        return Err(illegal("C1", line, "a run ends twice"));
                    }
                    life.ended = Some((line, *outcome));
                }
                What::Released { service, incarnation } => {
                    facts.life(*service, *incarnation, line)?.released = Some(line);
                }
                What::Added { .. } | What::Removed { .. } | What::Inside { .. } => {}
                What::Quiet => quiet = quiet.min(line),
                What::End => {}
            }
        }
        for call in 0..facts.calls.len() {
            if facts.calls[call].answer.is_some_and(Answer::is_unheard) {
                facts.calls[call].end = facts.settled(&facts.calls[call]).unwrap_or(quiet);
            }
        }
        Ok(facts)
    }

    /// Where a start had succeeded at the latest, if it did, whose answer nobody heard.
    fn settled(&self, call: &Asked) -> Option<usize> {
        let target = call.pulls()?;
        let moves = self.within(target, call.line, usize::MAX);
        let fresh = |run: u32| {
            let began = |it: &Move| it.state == State::Starting && it.incarnation == run;
            call.command == Command::Start || moves.iter().any(began)
        };
        let up = |it: &&Move| it.state == State::Running && fresh(it.incarnation);
        moves.iter().find(up).map(|moved| moved.line + 1)
    }

    fn shutdown(&mut self, line: usize, known: bool) {
        self.shutdown_asked = self.shutdown_asked.min(line);
        if known {
            self.shutdown_known = self.shutdown_known.min(line);
        }
    }

    fn life(
        &mut self,
        service: usize,
        incarnation: u32,
        line: usize,
    ) -> Result<&mut Life, Illegal> {
        let lives = self.lives[service].iter_mut();
        lives
            .rev()
            .find(|life| life.incarnation == incarnation)
            .ok_or_else(|| illegal("C1", line, "the end of a run that never began"))
    }

    /// What may become of a service that is given up: for itself, or for its group.
    pub(crate) fn gives_up(&self, service: usize) -> Vec<GiveUp> {
        let budget = self.run.setup.budget.iter().filter(|it| it.members.contains(&service));
        let own = self.run.setup.services[service].give_up;
        [own].into_iter().chain(budget.map(|it| it.give_up)).collect()
    }

    pub(crate) fn setup(&self) -> &'a Setup {
        &self.run.setup
    }

    pub(crate) fn at(&self, line: usize) -> u64 {
        self.run.lines[line].at
    }

    /// The call that a command or a reply is of.
    pub(crate) fn call_at(&self, line: usize) -> Option<&Asked> {
        self.call_of[line].map(|call| &self.calls[call])
    }

    /// How many moves the service had made before this line.
    pub(crate) fn count_before(&self, service: usize, line: usize) -> usize {
        self.moves[service].partition_point(|moved| moved.line < line)
    }

    /// Its last move before this line.
    pub(crate) fn before(&self, service: usize, line: usize) -> Option<&Move> {
        self.moves[service][..self.count_before(service, line)].last()
    }

    /// Where it stood before this line.
    pub(crate) fn state(&self, service: usize, line: usize) -> State {
        self.before(service, line).map_or(State::Stopped(Why::NeverStarted), |moved| moved.state)
    }

    /// Its first move after this line.
    pub(crate) fn after(&self, service: usize, line: usize) -> Option<&Move> {
        self.moves[service].get(self.count_before(service, line.saturating_add(1)))
    }

    /// The same, when that comes in the moment of the line: what was so may be told after it.
    pub(crate) fn just_after(&self, service: usize, line: usize) -> Option<&Move> {
        self.after(service, line).filter(|next| next.at == self.at(line))
    }

    /// Its moves between two lines.
    pub(crate) fn within(&self, service: usize, from: usize, to: usize) -> &[Move] {
        let moves = &self.moves[service];
        let start = self.count_before(service, from.saturating_add(1));
        let end = self.count_before(service, to).max(start);
        &moves[start..end]
    }

    /// What was seen of a run from within.
    pub(crate) fn life_of(&self, service: usize, incarnation: u32) -> Option<&Life> {
        self.lives[service].iter().find(|life| life.incarnation == incarnation)
    }

    /// Whether its run was over before this line, and tasks of it went on.
    pub(crate) fn is_over(&self, service: usize, line: usize) -> bool {
        let life = self.lives[service].iter().rfind(|life| life.begun < line);
        life.is_some_and(|life| {
            life.over.is_some_and(|over| over < line)
                && life.ended.is_none_or(|(ended, _)| ended > line)
        })
    }

    /// Starts and restarts that pull the service and may have been under way between two lines.
    pub(crate) fn pulling(
        &self,
        service: usize,
        from: usize,
        to: usize,
    ) -> impl Iterator<Item = &Asked> {
        self.calls.iter().filter(move |call| {
            call.line < to
                && call.end > from
                && call.pulls().is_some_and(|target| self.graphs.pulls(target, service))
        })
    }

    /// Stops of the service, or of what it requires.
    pub(crate) fn stopping(&self, service: usize) -> impl Iterator<Item = &Asked> {
        self.calls.iter().filter(move |call| {
            call.stops().is_some_and(|target| self.graphs.needs(service, target))
        })
    }

    /// Whether everything may be ending at once.
    pub(crate) fn is_aborting(&self, line: usize) -> bool {
        let abort = |call: &Asked| call.command == Command::AbortNow && call.line < line;
        let over = self.setup().shutdown.is_some_and(|time| {
            self.shutdown_asked < line && self.at(line) >= self.at(self.shutdown_asked) + time
        });
        over || self.calls.iter().any(abort)
    }

    /// Runs `judge` on all moves of all services, with the place of each among those of its service.
    pub(crate) fn each(&self, mut judge: impl FnMut(usize, usize, &Move) -> Agrees) -> Agrees {
        for (service, moves) in self.moves.iter().enumerate() {
            for (place, moved) in moves.iter().enumerate() {
                judge(service, place, moved)?;
            }
        }
        Ok(())
    }

    /// Who is surely kept up.
    pub(crate) fn kept(&self) -> &Kept {
        self.kept.get_or_init(|| kept(self))
    }

    pub(crate) fn name(&self, service: usize) -> &str {
        &self.setup().services[service].name
    }
}

impl Asked {
    /// The service that it wants up.
    pub(crate) fn pulls(&self) -> Option<usize> {
        let refused =
            matches!(self.answer, Some(Answer::OwnEnd | Answer::Unknown | Answer::Unusable));
        let pulls = matches!(self.command, Command::Start | Command::Restart) && !refused;
        self.service.filter(|_| pulls)
    }

    /// The service that it wants down.
    pub(crate) fn stops(&self) -> Option<usize> {
        let refused =
            matches!(self.answer, Some(Answer::RefusedInUse | Answer::OwnEnd | Answer::Unknown));
        let stops = matches!(self.command, Command::Stop | Command::StopUnused) && !refused;
        self.service.filter(|_| stops)
    }

    pub(crate) fn is_up(&self) -> bool {
        self.pulls().is_some() && self.answer.is_some_and(Answer::is_up)
    }

    /// Whether nobody knows what became of it.
    pub(crate) fn is_open(&self) -> bool {
        self.answer.is_none_or(Answer::is_unheard)
    }
}

//! What must be so when nothing happens any more: nothing is left under way, what is kept up and may run
//! runs, and every call has its answer.

use super::{Agrees, ensure, illegal};
use crate::facts::{Asked, Facts};
use crate::run::{Answer, Cause, Command, Kind, Reaction, State, What, Why};

pub(super) fn agree(facts: &Facts<'_>) -> Agrees {
    let last = facts.run.lines.len().saturating_sub(1);
    let ends = facts.run.lines.last().is_some_and(|line| line.what == What::End);
    ensure(ends, "form", last, || "the run has no end".to_owned())?;
    for call in &facts.calls {
        ensure(call.answer.is_some(), "C6", last, || format!("no answer to {call:?}"))?;
    }
    for (line, kept) in &facts.kept().quiet {
        for (service, kept) in kept.iter().enumerate() {
            truth(facts, service, *line)?;
            let up = facts.state(service, *line).is_stoppable();
            ensure(!up || facts.shutdown_known > *line, "R9", *line, || {
                format!("{} is up after a shutdown", facts.name(service))
            })?;
            if facts.shutdown_asked > *line {
                rests(facts, service, *line)?;
                held(facts, service, *line, *kept)?;
            }
        }
        for call in &facts.calls {
            let answered = call.end < *line || call.answer.is_some_and(Answer::is_unheard);
            if call.line < *line && !answered && facts.shutdown_asked > *line {
                waits(facts, call, *line)?;
            }
            if call.line < *line && facts.shutdown_asked > *line {
                done(facts, call, *line)?;
            }
        }
    }
    Ok(())
}

/// What is said to run runs, and nothing else does.
fn truth(facts: &Facts<'_>, service: usize, line: usize) -> Agrees {
    let state = facts.state(service, line);
    let lives = facts.lives[service].iter().filter(|life| life.begun < line);
    let alive = lives.filter(|life| life.ended.is_none_or(|(ended, _)| ended > line)).count();
    let seen = facts.lives.iter().any(|lives| !lives.is_empty());
    let right = match state {
        State::Running => alive == 1 || !seen,
        State::Starting | State::Stopping(_) | State::Failed(Cause::Leaked) => true,
        _ => alive == 0,
    };
    ensure(right, "C1", line, || {
        format!("{} is {state:?}, and {alive} of it live", facts.name(service))
    })
}

fn rests(facts: &Facts<'_>, service: usize, line: usize) -> Agrees {
    let row = &facts.setup().services[service];
    let state = facts.state(service, line);
    let stopping = is_stopping(facts, line);
    let (rule, right) = match state {
        State::Stopping(_) => ("X4", row.grace.is_none()),
        // It may have been told to stop, and has to wait for others.
        State::Starting => ("S8", row.start.is_none() || stopping),
        State::Backoff => ("R3", false),
        State::Failed(Cause::CoolingDown) => ("R5", false),
        State::Waiting => {
            let open = facts.graphs.ties(service).iter().any(|tie| {
                let on = facts.state(tie.on, line);
                match tie.kind {
                    _ if facts.is_over(tie.on, line) => true,
                    Kind::Requires => !on.is_met(),
                    Kind::Wants | Kind::After => on.is_stoppable() && on != State::Running,
                }
            });
            // What is asked for needs no place.
            let mut calls = facts.pulling(service, 0, line);
            let asked = calls.any(|call| call.end > line && !call.is_open());
            ("D6", open || stopping || !asked && super::cap::is_full(facts, line))
        }
        State::Running => {
            let on = facts.graphs.requires(service);
            let mut unmet = on.filter(|tie| !facts.state(tie.on, line).is_met());
            ("D5", stopping || unmet.all(|tie| tie.reaction == Reaction::Keep))
        }
        _ => return Ok(()),
    };
    ensure(right, rule, line, || {
        format!("{} is {state:?} although nothing happens any more", facts.name(service))
    })
}

/// Whether somebody takes for ever to end.
fn is_stopping(facts: &Facts<'_>, line: usize) -> bool {
    (0..facts.moves.len()).any(|service| {
        let stopping = matches!(facts.state(service, line), State::Stopping(_));
        stopping || facts.is_over(service, line)
    })
}

/// D3: who is up is held by somebody; D6: who is kept up is up, or waits.
fn held(facts: &Facts<'_>, service: usize, line: usize, kept: bool) -> Agrees {
    let state = facts.state(service, line);
    let name = facts.name(service);
    if matches!(state, State::Running | State::Waiting | State::Starting) {
        let held = facts.pulling(service, 0, usize::MAX).any(|call| {
            let stops = |stop: &Asked| stop.line > call.end && stop.end < line;
            call.line < line
                && (call.is_open() || call.end > line || call.is_up())
                && !facts.stopping(service).any(stops)
        });
        ensure(held, "D3", line, || format!("{name} is {state:?}, and nobody holds it"))?;
    }
    let up = state.is_stoppable();
    ensure(up || !kept, "D6", line, || format!("{name} is kept up, and is {state:?}"))
}

/// What a call may still wait for.
fn waits(facts: &Facts<'_>, call: &Asked, line: usize) -> Agrees {
    let all = 0..facts.moves.len();
    let state = |service| facts.state(service, line);
    let stopping = is_stopping(facts, line);
    let right = match (call.command, call.service) {
        (Command::Start | Command::Restart, Some(target)) => {
            stopping
                || all
                    .clone()
                    .any(|it| facts.graphs.pulls(target, it) && state(it) == State::Starting)
                || starts_after(facts, target, line)
        }
        (Command::Stop | Command::StopUnused, _) => stopping,
        (Command::Wait, Some(target)) => state(target).is_stoppable(),
        _ => false,
    };
    if right {
        return Ok(());
    }
    let never = call.service.map_or(State::Stopped(Why::NeverStarted), state);
    Err(illegal("C6", line, format!("{call:?} has no answer, and its service is {never:?}")))
}

/// C6: what was asked for, and not waited for, is done all the same.
fn done(facts: &Facts<'_>, call: &Asked, line: usize) -> Agrees {
    let Some(target) = call.service.filter(|_| call.is_open()) else { return Ok(()) };
    let moves = facts.within(target, call.line, line);
    let stood = facts.state(target, call.line);
    let right = match call.command {
        Command::Stop => {
            !stood.is_stoppable() || moves.iter().any(|moved| !moved.state.is_stoppable())
        }
        Command::Restart => stood != State::Running || !moves.is_empty(),
        _ => true,
    };
    // One that would have waited for its own end was refused, although nobody heard that.
    let own = call.answer == Some(Answer::Dropped)
        && call.by.is_some_and(|by| super::replies::may_await(facts, call, by));
    ensure(right || own || is_stopping(facts, line), "C6", line, || {
        format!("the {:?} of {} was not done", call.command, facts.name(target))
    })
}

/// Whether a member of the closure comes after one that is on its way.
fn starts_after(facts: &Facts<'_>, target: usize, line: usize) -> bool {
    (0..facts.moves.len()).filter(|it| facts.graphs.pulls(target, *it)).any(|it| {
        let after = facts.graphs.ties(it).iter().filter(|tie| tie.kind == Kind::After);
        after.into_iter().any(|tie| {
            let state = facts.state(tie.on, line);
            state == State::Starting || state == State::Waiting
        })
    })
}

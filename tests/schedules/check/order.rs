//! Starts: what is required is met, what is wanted is decided, and what comes after comes after.

use super::{Agrees, ensure};
use crate::facts::{Facts, Move};
use crate::run::{Cause, Kind, Reaction, State, What, Why};

pub(super) fn agree(facts: &Facts<'_>) -> Agrees {
    for (line, seen) in facts.run.lines.iter().enumerate() {
        let What::State { service, state, .. } = seen.what else { continue };
        if state == State::Starting {
            starts(facts, service, line)?;
        }
        let met = facts.state(service, line).is_met();
        if met && !state.is_met() {
            unmet(facts, service, line)?;
        }
    }
    Ok(())
}

fn starts(facts: &Facts<'_>, service: usize, line: usize) -> Agrees {
    for tie in facts.graphs.ties(service) {
        let (name, on) = (facts.name(service), facts.name(tie.on));
        let state = facts.state(tie.on, line);
        match tie.kind {
            Kind::Requires => ensure(state.is_met(), "D1", line, || {
                format!("{name} starts although {on}, which it requires, is {state:?}")
            })?,
            Kind::Wants | Kind::After => {
                let mut seen = vec![false; facts.moves.len()];
                let undecided = is_undecided(facts, tie.on, line, &mut seen);
                ensure(!undecided, "D1", line, || {
                    format!("{name} starts although {on} ({:?}) is {state:?}", tie.kind)
                })?;
            }
        }
    }
    Ok(())
}

/// Whether an attempt of the service was surely under way, or about to begin.
fn is_undecided(facts: &Facts<'_>, service: usize, line: usize, seen: &mut [bool]) -> bool {
    let next = facts.after(service, line);
    match facts.state(service, line) {
        // It may have been told to stop, and waits for what depends on it.
        State::Starting => !next.is_some_and(|next| matches!(next.state, State::Stopping(_))),
        State::Waiting => facts.graphs.requires(service).all(|tie| {
            if facts.state(tie.on, line).is_met() {
                // It may be about to end.
                let later = facts.after(tie.on, line);
                let first = later.is_none_or(|it| next.is_some_and(|next| next.line < it.line));
                let told = later.is_some_and(|it| !stops_with_all(it)) && is_stopping(facts, line);
                first && !told && stands(facts, tie.on, line)
            } else {
                std::mem::replace(&mut seen[tie.on], true)
                    || is_undecided(facts, tie.on, line, seen)
            }
        }),
        _ => false,
    }
}

fn stops_with_all(moved: &Move) -> bool {
    moved.state == State::Stopping(Why::Shutdown)
}

/// Whether somebody takes his time to stop, for whom others may have to wait.
fn is_stopping(facts: &Facts<'_>, line: usize) -> bool {
    (0..facts.moves.len()).any(|it| matches!(facts.state(it, line), State::Stopping(_)))
}

/// Whether nothing that it stands on is gone: otherwise it may have been told to stop, and wait for others.
fn stands(facts: &Facts<'_>, service: usize, line: usize) -> bool {
    let mut below = (0..facts.moves.len()).filter(|it| facts.graphs.needs(service, *it));
    below.all(|it| facts.state(it, line).is_met() && !facts.is_over(it, line))
}

/// D5: what requires a service that is gone stops next, unless its edge keeps it.
fn unmet(facts: &Facts<'_>, gone: usize, line: usize) -> Agrees {
    for tie in facts.graphs.back(gone) {
        let state = facts.state(tie.from, line);
        let runs = matches!(state, State::Starting | State::Running);
        let runs = runs && !facts.is_over(tie.from, line);
        if tie.kind != Kind::Requires || tie.reaction == Reaction::Keep || !runs {
            continue;
        }
        let next = facts.after(tie.from, line).filter(|next| stops(facts, line, next));
        let (name, on) = (facts.name(tie.from), facts.name(gone));
        ensure(next.is_some(), "D5", line, || {
            format!("{on} is gone, and {name}, which requires it, goes on")
        })?;
        // Nothing stands on it that has to end first, also not through who does not run.
        let direct = facts.graphs.back(tie.from).iter().map(|tie| tie.from);
        let through = (0..facts.moves.len()).filter(|it| facts.graphs.needs(*it, tie.from));
        let mut others = direct.chain(through).filter(|it| *it != tie.from);
        let alone = others.all(|it| !facts.state(it, line).is_live());
        let late = next.is_some_and(|next| next.at > facts.at(line));
        ensure(!(alone && late), "D5", line, || {
            format!("{on} is gone, and {name}, which requires it, stops later")
        })?;
    }
    Ok(())
}

/// Whether a move after this line shows that the service was to stop then.
fn stops(facts: &Facts<'_>, line: usize, next: &Move) -> bool {
    match next.state {
        State::Stopping(Why::Shutdown) => facts.shutdown_asked < line,
        State::Stopping(_) => true,
        state => state == State::Failed(Cause::Leaked),
    }
}

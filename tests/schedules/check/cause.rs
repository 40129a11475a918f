//! Nothing starts by itself without a cause, and nothing at all once a shutdown has begun.

use super::{Agrees, ensure, illegal};
use crate::facts::{Asked, Facts, Move};
use crate::run::{Answer, Cause, Kind, Policy, Reaction, State, Why};

pub(super) fn agree(facts: &Facts<'_>) -> Agrees {
    facts.each(|service, place, moved| {
        let up = matches!(moved.state, State::Starting | State::Waiting | State::Backoff);
        let name = facts.name(service);
        ensure(!up || moved.line < facts.shutdown_known, "R9", moved.line, || {
            format!("{name} is {:?} in a shutdown", moved.state)
        })?;
        if !matches!(moved.state, State::Starting | State::Waiting) {
            return Ok(());
        }
        let before = place.checked_sub(1).map(|place| facts.moves[service][place]);
        caused(facts, service, before.as_ref(), moved)?;
        is_final(facts, service, moved)?;
        if moved.state == State::Waiting { waits(facts, service, moved) } else { Ok(()) }
    })
}

/// Somebody has asked for it, or it comes back by itself.
fn caused(facts: &Facts<'_>, service: usize, before: Option<&Move>, moved: &Move) -> Agrees {
    let name = facts.name(service);
    let row = &facts.setup().services[service];
    let since = before.map_or(0, |before| decided(facts, service, before));
    let from = before.map_or(State::Stopped(Why::NeverStarted), |before| before.state);
    let temporary = row.restart == Policy::Temporary;
    let (returns, rule) = match from {
        State::Waiting | State::Backoff | State::Failed(Cause::CoolingDown) => (true, "R5"),
        State::Stopped(Why::Restart) => (true, "C5"),
        State::Stopped(Why::Group) => (!temporary, "R6"),
        State::Stopped(Why::Dependency) => {
            let grouped = facts.setup().group.contains(&service);
            let all = |tie: &crate::run::Tie| tie.reaction == Reaction::Stop;
            let for_good = !grouped && facts.graphs.requires(service).all(all);
            (!temporary && !for_good, if temporary { "R1" } else { "D5" })
        }
        State::Failed(_) => (false, "S2"),
        _ => (false, "D3"),
    };
    // What completed is run again only for a call that names it.
    let named = from == State::Stopped(Why::Completed);
    // One that has failed has left nothing behind, unless somebody else holds the service.
    let mut calls = facts.pulling(service, since, moved.line);
    let asked = calls.any(|call| {
        let lasts = |call: &Asked| call.is_up() || call.is_open() || call.end > moved.line;
        let held = || facts.pulling(service, 0, moved.line).any(lasts);
        (!named || call.service == Some(service)) && (lasts(call) || held())
    });
    ensure(returns || asked, rule, moved.line, || {
        format!("{name} is {:?} after {from:?}, and nobody has asked for it", moved.state)
    })
}

/// The first line at which it may have been decided that it goes there: what ends may have been told to,
/// and to begin again, before that shows.
fn decided(facts: &Facts<'_>, service: usize, moved: &Move) -> usize {
    let over = facts.life_of(service, moved.incarnation).and_then(|life| life.over);
    let first = moved.line.min(over.unwrap_or(moved.line));
    let moves = &facts.moves[service][..facts.count_before(service, moved.line)];
    let [.., up, told] = moves else { return first };
    if !matches!(told.state, State::Stopping(_)) {
        return first;
    }
    let count = facts.moves.len();
    let group = &facts.setup().group;
    let shared = group.iter().any(|member| facts.graphs.needs(service, *member));
    let grouped = |it: usize| shared && group.contains(&it);
    let (from, to) = (up.line, told.line);
    let mut first = first.min(to);
    for it in (0..count).filter(|it| facts.graphs.needs(service, *it) || grouped(*it)) {
        let gone = facts.within(it, from, to).iter().find(|moved| !moved.state.is_met());
        let over = facts.lives[it].iter().filter_map(|life| life.over);
        let over = over.filter(|line| (from..to).contains(line)).min();
        first = first.min(gone.map_or(to, |moved| moved.line)).min(over.unwrap_or(to));
    }
    // It waits for those who stand on it.
    for it in (0..count).filter(|it| *it != service && facts.graphs.needs(*it, service)) {
        let moves = facts.within(it, from, to).iter();
        let mut told = moves.filter(|moved| matches!(moved.state, State::Stopping(_)));
        first = first.min(told.next().map_or(to, |moved| moved.line));
    }
    let calls = facts.calls.iter().filter(|call| {
        let about = call.service.is_some_and(|it| {
            facts.graphs.needs(service, it) || facts.graphs.pulls(it, service) || grouped(it)
        });
        about && call.line < to && call.end > to
    });
    calls.map(|call| call.line).fold(first, usize::min)
}

/// S5, D3, D4: what a stop was asked for comes back only for a call that came after it.
fn is_final(facts: &Facts<'_>, service: usize, moved: &Move) -> Agrees {
    let stops = facts.stopping(service);
    let stop = stops
        .filter(|stop| stop.end < moved.line && stop.answer == Some(Answer::Stopped))
        .map(|stop| stop.line)
        .max();
    let Some(stop) = stop else { return Ok(()) };
    let again = facts.pulling(service, stop, moved.line).count() > 0;
    ensure(again, "S5", moved.line, || {
        format!("{} comes back after it was stopped for good", facts.name(service))
    })
}

/// S1: `waiting` is there only when there is something to wait for.
fn waits(facts: &Facts<'_>, service: usize, moved: &Move) -> Agrees {
    if facts.setup().group.contains(&service) {
        return Ok(());
    }
    let line = moved.line;
    let open = facts.graphs.ties(service).iter().any(|tie| {
        let state = facts.state(tie.on, line);
        match tie.kind {
            // What runs may be about to end.
            _ if state == State::Running => facts.after(tie.on, line).is_some(),
            Kind::Requires => !state.is_met(),
            Kind::Wants | Kind::After => state.is_stoppable(),
        }
    });
    if open || super::cap::is_full(facts, line) {
        return Ok(());
    }
    Err(illegal("S1", line, format!("{} waits for nothing", facts.name(service))))
}

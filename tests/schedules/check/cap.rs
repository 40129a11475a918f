//! R8: so many restarts are under way at once, and no more.

use super::{Agrees, ensure};
use crate::facts::{Asked, Facts, Move};
use crate::run::{Kind, State, Why};

pub(super) fn agree(facts: &Facts<'_>) -> Agrees {
    let Some(cap) = facts.setup().cap else { return Ok(()) };
    facts.each(|service, place, moved| {
        if moved.state == State::Waiting {
            needs_none(facts, service, place, moved)?;
        }
        if !is_restart(facts, service, place) {
            return Ok(());
        }
        let under_way = (0..facts.moves.len()).filter(|it| {
            let place = facts.count_before(*it, moved.line + 1).checked_sub(1);
            place.is_some_and(|place| is_restart(facts, *it, place))
        });
        let count = under_way.count();
        ensure(count <= cap, "R8", moved.line, || {
            format!("{count} restarts are under way, and there may be {cap}")
        })
    })
}

/// Who is asked for, and lacks nothing else, waits for no place.
fn needs_none(facts: &Facts<'_>, service: usize, place: usize, moved: &Move) -> Agrees {
    let next = facts.moves[service].get(place + 1);
    let end = next.map_or(usize::MAX, |next| next.line);
    let grouped = facts.setup().group.iter().any(|it| facts.graphs.needs(service, *it));
    let calls = facts.pulling(service, moved.line, end).filter(|call| !call.is_open());
    // What came later, or never, is no part of what was asked for.
    let whole = |call: &Asked| {
        let target = call.pulls();
        // It may have joined one that was asked for before it.
        let joins = |it: &&Asked| it.pulls() == target && it.line < call.line && it.end > call.line;
        let first = facts.calls.iter().find(joins).map_or(call.line, |it| it.line);
        let pulled = |it: &usize| target.is_some_and(|target| facts.graphs.pulls(target, *it));
        let mut pulled = (0..facts.moves.len()).filter(pulled);
        let surely = |it| facts.there.surely(it, first, call.end);
        let ties = facts.setup().ties.iter().filter(|tie| tie.kind == Kind::Requires);
        pulled.all(|it| surely(it) && ties.clone().all(|tie| tie.from != it || surely(tie.on)))
    };
    for call in calls.filter(|call| !grouped && whole(call)) {
        let line = call.line.max(moved.line);
        let ready = facts.graphs.ties(service).iter().all(|tie| {
            let stays = facts.after(tie.on, line).is_none_or(|next| next.line > end);
            let met = tie.kind != Kind::Requires || facts.state(tie.on, line).is_met();
            let open = facts.state(tie.on, line).is_stoppable();
            let decided = facts.state(tie.on, line) == State::Running || !open;
            stays && met && decided
        });
        let stops = (0..facts.moves.len()).any(|it| {
            matches!(facts.state(it, line), State::Stopping(_)) || facts.is_over(it, line)
        });
        let late = next.is_some_and(|next| next.at > facts.at(line)) && call.end > end;
        ensure(!(ready && late) || stops, "R8", line, || {
            format!("{} is asked for, and waits for a place", facts.name(service))
        })?;
    }
    Ok(())
}

/// Whether as many may be restarted as there may be: who waits may wait for one of them.
pub(super) fn is_full(facts: &Facts<'_>, line: usize) -> bool {
    let up = |it: &usize| matches!(facts.state(*it, line), State::Starting | State::Stopping(_));
    facts.setup().cap.is_some_and(|cap| (0..facts.moves.len()).filter(up).count() >= cap)
}

/// Whether that move is the beginning of an attempt that nobody surely asked for, of which nothing that
/// starts had need.
fn is_restart(facts: &Facts<'_>, service: usize, place: usize) -> bool {
    let moves = &facts.moves[service];
    let moved: &Move = &moves[place];
    let Some(rest) = moves[..place].iter().rfind(|it| it.state != State::Waiting) else {
        return false;
    };
    let returns = matches!(
        rest.state,
        State::Backoff
            | State::Stopped(Why::Dependency | Why::Group)
            | State::Failed(crate::run::Cause::CoolingDown)
    );
    // It may be decided some time before it shows.
    let since = moves[..place].iter().rfind(|it| it.state.is_live()).map_or(0, |it| it.line);
    let asked = || facts.pulling(service, since, moved.line).next().is_some();
    let needed = || {
        facts
            .graphs
            .back(service)
            .iter()
            .any(|tie| facts.state(tie.from, moved.line) == State::Starting)
    };
    moved.state == State::Starting && returns && !asked() && !needed()
}

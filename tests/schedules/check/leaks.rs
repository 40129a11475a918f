//! X3: what can not be ended is given up when its time is over, not sooner, and nothing else is.

use super::{Agrees, ensure};
use crate::facts::{Asked, Facts};
use crate::run::{Cause, State};

pub(super) fn agree(facts: &Facts<'_>) -> Agrees {
    facts.each(|service, place, moved| {
        let name = facts.name(service);
        let before = place.checked_sub(1).map(|place| facts.moves[service][place]);
        let life = facts.life_of(service, moved.incarnation);
        let from = before.map(|before| before.state);
        // What comes after a leak comes after the end of that run.
        if from == Some(State::Failed(Cause::Leaked)) {
            let first = before.and_then(|it| facts.life_of(service, it.incarnation));
            let ended = first.and_then(|life| life.ended).is_some_and(|(it, _)| it < moved.line);
            return ensure(ended, "X3", moved.line, || format!("{name} moves before it has ended"));
        }
        if moved.state != State::Failed(Cause::Leaked) {
            return Ok(());
        }
        let lives = life.is_some_and(|life| {
            // What ends in that very moment may do so first.
            life.begun < moved.line && life.ended.is_none_or(|(it, _)| facts.at(it) >= moved.at)
        });
        ensure(lives, "X3", moved.line, || format!("{name} has leaked nothing"))?;
        let told = before.filter(|it| matches!(it.state, State::Stopping(_)));
        let over = life.and_then(|life| life.over).map(|line| facts.at(line));
        let since = told.map(|it| it.at).into_iter().chain(over).min().unwrap_or(moved.at);
        let grace = facts.setup().services[service].grace;
        let due = match grace.filter(|_| !facts.is_aborting(moved.line)) {
            Some(grace) => since + grace,
            None => since,
        };
        let due = due + facts.setup().join;
        ensure(moved.at >= due, "X3", moved.line, || format!("{name} is given up too soon"))
    })?;
    for (service, lives) in facts.lives.iter().enumerate() {
        let Some(grace) = facts.setup().services[service].grace else { continue };
        for life in lives {
            let Some(over) = life.over else { continue };
            let due = facts.at(over) + grace + facts.setup().join;
            let told = facts.within(service, life.begun, usize::MAX).iter();
            let mut rests = told.filter(|it| it.incarnation == life.incarnation);
            let rest = rests.find(|it| !it.state.is_live());
            ensure(rest.is_some_and(|it| it.at <= due), "X3", over, || {
                format!("what {} has left is waited for too long", facts.name(service))
            })?;
        }
    }
    Ok(())
}

/// Whether the service had leaked at a moment of the call, and had not ended some time before it.
pub(super) fn leaks(facts: &Facts<'_>, call: &Asked, service: usize) -> bool {
    let leaked = |state| state == State::Failed(Cause::Leaked);
    let moves = facts.within(service, call.line, call.end).iter();
    let last = facts.before(service, call.line).into_iter();
    let next = facts.just_after(service, call.end);
    let mut runs =
        last.chain(moves).chain(next).filter(|it| leaked(it.state)).map(|it| it.incarnation);
    runs.any(|run| {
        let ended = facts.life_of(service, run).and_then(|life| life.ended);
        ended.is_none_or(|(line, _)| facts.at(line) >= facts.at(call.line))
    })
}

/// Whether the service had leaked all the time of the call.
pub(super) fn stays(facts: &Facts<'_>, call: &Asked, service: usize) -> bool {
    let leaked = facts.before(service, call.line);
    let leaked = leaked.filter(|it| it.state == State::Failed(Cause::Leaked));
    let life = leaked.and_then(|it| facts.life_of(service, it.incarnation));
    life.is_some_and(|life| life.ended.is_none_or(|(line, _)| line > call.end))
}

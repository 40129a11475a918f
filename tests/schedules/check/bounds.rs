//! X1, S8: how long a stop and a start may take, and that nothing is cut short.

use super::{Agrees, ensure};
use crate::facts::Facts;
use crate::run::{Answer, Command, Outcome, State, Why};

pub(super) fn agree(facts: &Facts<'_>) -> Agrees {
    facts.each(|service, place, moved| {
        let row = &facts.setup().services[service];
        let name = facts.name(service);
        let next = facts.moves[service].get(place + 1);
        match moved.state {
            State::Stopping(why) => {
                let bound = row.grace.map(|grace| moved.at + grace).or_else(|| {
                    let whole = facts.setup().shutdown?;
                    let asked = shutdown(facts).filter(|line| *line < usize::MAX)?;
                    Some((facts.at(asked) + whole).max(moved.at))
                });
                let bound = bound.map(|bound| bound + facts.setup().join);
                if let (Some(next), Some(bound)) = (next, bound) {
                    ensure(next.at <= bound, "X1", next.line, || {
                        format!("the stop of {name} took {} ms", next.at - moved.at)
                    })?;
                }
                let began = place.checked_sub(1).map(|place| facts.moves[service][place]);
                let Some(began) = began.filter(|_| why == Why::StartDeadline) else {
                    return Ok(());
                };
                let early = row.start.is_none_or(|time| moved.at < began.at + time);
                ensure(!early, "S8", moved.line, || format!("the time of {name} was not over"))
            }
            State::Starting => {
                let alone = facts.graphs.back(service).is_empty();
                let Some((time, next)) = row.start.zip(next).filter(|_| alone) else {
                    return Ok(());
                };
                // Its run may be over, and its tasks may not.
                let over = facts.life_of(service, moved.incarnation).and_then(|life| life.over);
                let left = over.map(|over| {
                    let grace = row.grace.unwrap_or(u64::MAX / 4);
                    facts.at(over) + grace + facts.setup().join
                });
                let bound = left.unwrap_or(0).max(moved.at + time);
                ensure(next.at <= bound, "S8", next.line, || {
                    format!("the start of {name} took {} ms", next.at - moved.at)
                })
            }
            _ => Ok(()),
        }
    })?;
    for service in 0..facts.moves.len() {
        aborts(facts, service)?;
    }
    Ok(())
}

/// Where a shutdown has begun at the latest: it is not known of everybody who is given up whether he begins one.
fn shutdown(facts: &Facts<'_>) -> Option<usize> {
    let calls = facts.calls.iter().filter(|call| {
        let ends = matches!(call.command, Command::Shutdown | Command::AbortNow);
        ends && call.answer != Some(Answer::OwnEnd)
    });
    calls.map(|call| call.line).chain([facts.shutdown_known]).min()
}

/// Nothing is dropped before its grace period is over.
fn aborts(facts: &Facts<'_>, service: usize) -> Agrees {
    let name = facts.name(service);
    for life in &facts.lives[service] {
        let Some((line, Outcome::Aborted)) = life.ended else { continue };
        // What ends at last was dropped by its own runtime.
        if facts.is_aborting(line) || life.released.is_some() {
            continue;
        }
        let told = facts.moves[service].iter().find(|moved| {
            moved.incarnation == life.incarnation && matches!(moved.state, State::Stopping(_))
        });
        let told = told.map(|moved| moved.at);
        let over = life.over.map(|line| facts.at(line));
        let since = told.into_iter().chain(over).min();
        let grace = facts.setup().services[service].grace;
        let due = since.zip(grace).map(|(since, grace)| since + grace);
        ensure(due.is_some_and(|due| facts.at(line) >= due), "X1", line, || {
            format!("run {} of {name} was dropped before its time", life.incarnation)
        })?;
    }
    Ok(())
}

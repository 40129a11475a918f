//! Restarts by outcome and policy: whether, how soon, how often, and what then.

use super::{Agrees, ensure};
use crate::facts::{Facts, Move};
use crate::run::{Budget, Cause, GiveUp, Outcome, Policy, Row, State, Why};

/// How a run came to its end.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// It was never ready, or not in time.
    NotReady,
    /// It had been ready.
    Ready,
    /// It was stopped because it was taken to have failed.
    TakenToFail,
}

pub(super) fn agree(facts: &Facts<'_>) -> Agrees {
    facts.each(|service, place, moved| {
        let Some(place) = place.checked_sub(1) else { return Ok(()) };
        let from = facts.moves[service][place];
        let row = &facts.setup().services[service];
        match from.state {
            State::Backoff => soon(facts, service, &from, moved, row.delay, "R3")?,
            State::Failed(Cause::CoolingDown) => {
                let times = facts.gives_up(service).into_iter().filter_map(|then| match then {
                    GiveUp::CoolDown(time) => Some(time),
                    _ => None,
                });
                if let Some(time) = times.min() {
                    soon(facts, service, &from, moved, time, "R5")?;
                }
            }
            _ => {}
        }
        let way = match (from.state, moved.state) {
            (_, State::Stopping(_) | State::Running | State::Failed(Cause::Leaked)) => {
                return Ok(());
            }
            (State::Starting | State::Stopping(Why::StartDeadline), _) => Way::NotReady,
            (State::Running, _) => Way::Ready,
            (State::Stopping(Why::Watchdog | Why::Health), _) => Way::TakenToFail,
            _ => return Ok(()),
        };
        verdict(facts, service, moved, way)?;
        if matches!(moved.state, State::Backoff | State::Failed(Cause::GaveUp | Cause::CoolingDown))
        {
            returns(facts, service, moved)
        } else {
            let sure = facts.kept().before[moved.line] && facts.shutdown_asked > moved.line;
            stays(facts, service, moved, way, sure)
        }
    })?;
    for service in 0..facts.moves.len() {
        intensity(facts, service)?;
    }
    facts.setup().budget.iter().try_for_each(|budget| of_group(facts, budget))
}

/// How many restarts of the group there were within such a period before this line, and not before `since`.
fn together(facts: &Facts<'_>, budget: &Budget, period: u64, line: usize, since: usize) -> usize {
    let moves = budget.members.iter().flat_map(|it| facts.within(*it, since, line));
    let recent = |it: &&Move| it.state == State::Backoff && it.at + period > facts.at(line);
    moves.filter(recent).count()
}

/// R4: the group needs no more restarts together than it may.
fn of_group(facts: &Facts<'_>, budget: &Budget) -> Agrees {
    for member in &budget.members {
        for moved in facts.moves[*member].iter().filter(|it| it.state == State::Backoff) {
            // A start by hand has the count begin anew.
            let calls = budget.members.iter().flat_map(|it| facts.pulling(*it, 0, moved.line));
            let since = calls.map(|call| call.end.min(moved.line)).max().unwrap_or(0);
            let count = together(facts, budget, budget.period, moved.line, since) + 1;
            ensure(count <= budget.most as usize || since == moved.line, "R4", moved.line, || {
                let Budget { most, period, .. } = budget;
                let name = facts.name(*member);
                format!("{name} has restart {count} of its group's {most} within {period} ms")
            })?;
        }
    }
    Ok(())
}

fn outcome(facts: &Facts<'_>, service: usize, moved: &Move) -> Option<Outcome> {
    facts.life_of(service, moved.incarnation)?.ended.map(|(_, outcome)| outcome)
}

/// S3, S4, R2: what an end is taken for.
fn verdict(facts: &Facts<'_>, service: usize, moved: &Move, way: Way) -> Agrees {
    let Some(outcome) = outcome(facts, service, moved) else { return Ok(()) };
    let permanent = facts.setup().services[service].restart == Policy::Permanent;
    let well = outcome == Outcome::Ok;
    let again =
        matches!(moved.state, State::Backoff | State::Failed(Cause::GaveUp | Cause::CoolingDown));
    let fits = match (moved.state, way) {
        (State::Stopped(Why::Completed), _) => way == Way::Ready && well,
        (State::Failed(Cause::Exit), Way::Ready) => !well,
        (State::Failed(Cause::StartFailed), _) => way == Way::NotReady,
        (_, Way::Ready) if again && well => permanent,
        _ => true,
    };
    let name = facts.name(service);
    ensure(fits, "S4", moved.line, || {
        format!("{name} ended {outcome:?} and is {:?}", moved.state)
    })?;
    // Past its deadline it has failed by that, whatever it returns.
    let told =
        facts.before(service, moved.line).is_some_and(|it| matches!(it.state, State::Stopping(_)));
    ensure(!(outcome == Outcome::Fatal && again) || told, "R2", moved.line, || {
        format!("{name} ended for good and is {:?}", moved.state)
    })
}

/// R1, S2: only what may come back does.
fn returns(facts: &Facts<'_>, service: usize, moved: &Move) -> Agrees {
    let name = facts.name(service);
    let temporary = facts.setup().services[service].restart == Policy::Temporary;
    ensure(!temporary, "R1", moved.line, || format!("{name} is temporary and comes back"))?;
    let may = facts
        .pulling(service, 0, usize::MAX)
        .any(|call| call.line < moved.line && (call.is_up() || call.is_open()));
    ensure(may, "S2", moved.line, || format!("{name} was never up and comes back"))
}

/// R1: what is kept up does not stay down after an end that its policy repairs.
fn stays(facts: &Facts<'_>, service: usize, moved: &Move, way: Way, sure: bool) -> Agrees {
    let row: &Row = &facts.setup().services[service];
    let Some(outcome) = outcome(facts, service, moved).filter(|_| sure) else { return Ok(()) };
    let well = way == Way::Ready && outcome == Outcome::Ok;
    let repairs = match row.restart {
        Policy::Permanent => true,
        Policy::Transient => !well,
        Policy::Temporary => false,
    };
    let fatal = outcome == Outcome::Fatal && way != Way::TakenToFail;
    // A start that came when its run was over is about the next attempt.
    let over = facts.life_of(service, moved.incarnation).and_then(|life| life.over);
    let again = facts.pulling(service, over.unwrap_or(moved.line), moved.line).count() > 0;
    let disabled = moved.state == State::Disabled;
    ensure(!repairs || fatal || again || disabled, "R1", moved.line, || {
        format!("{} ended {outcome:?}, and is left {:?}", facts.name(service), moved.state)
    })
}

/// A delay is waited for, unless a call names the service.
fn soon(
    facts: &Facts<'_>,
    service: usize,
    from: &Move,
    moved: &Move,
    delay: u64,
    rule: &'static str,
) -> Agrees {
    if !matches!(moved.state, State::Starting | State::Waiting) || moved.at >= from.at + delay {
        return Ok(());
    }
    let mut calls = facts.pulling(service, from.line, moved.line);
    // After a cool-down also one that pulls it.
    let named = calls.any(|call| rule == "R5" || call.service == Some(service));
    ensure(named, rule, moved.line, || {
        let waited = moved.at - from.at;
        format!("{} is tried after {waited} ms and not {delay}", facts.name(service))
    })
}

/// R4: so many restarts within the period, then it is given up; and not sooner.
fn intensity(facts: &Facts<'_>, service: usize) -> Agrees {
    let row = &facts.setup().services[service];
    let Some(most) = row.intensity else { return Ok(()) };
    // Those since the count began anew, and all.
    let (mut since, mut all): (Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new());
    let mut spent = false;
    let mut rest: Option<Move> = None;
    for moved in &facts.moves[service] {
        let name = facts.name(service);
        match moved.state {
            State::Backoff => {
                since.push(moved.at);
                all.push(moved.at);
                let recent = since.iter().filter(|at| **at + row.period > moved.at).count();
                ensure(recent <= most as usize, "R4", moved.line, || {
                    format!("{name} has restart {recent} of {most} within {} ms", row.period)
                })?;
            }
            State::Failed(Cause::GaveUp | Cause::CoolingDown) => {
                let cooled = rest.is_some_and(|it| it.state == State::Failed(Cause::CoolingDown));
                let recent = all.iter().filter(|at| **at + row.period + 1 >= moved.at).count();
                let grouped = facts.setup().budget.as_ref().is_some_and(|budget| {
                    // One that is as old as the period may count or not.
                    let period = budget.period + 1;
                    budget.members.contains(&service)
                        && together(facts, budget, period, moved.line, 0) >= budget.most as usize
                });
                let right = spent || cooled || grouped || recent >= most as usize;
                ensure(right, "R4", moved.line, || {
                    format!("{name} is given up after {recent} restarts of {most}")
                })?;
                spent = true;
            }
            State::Starting => {
                // S2: an attempt by hand costs nothing, also one that is due.
                let due = rest.filter(|it| it.state == State::Backoff);
                let by_hand = due.is_some_and(|it| {
                    let mut calls = facts.pulling(service, it.line, moved.line);
                    calls.any(|call| call.service == Some(service))
                });
                if by_hand {
                    since.pop();
                }
                let resting = rest.filter(|it| !it.state.is_live() && it.state != State::Backoff);
                if resting.is_some_and(|it| facts.pulling(service, it.line, moved.line).count() > 0)
                {
                    since.clear();
                }
            }
            _ => {}
        }
        if !matches!(moved.state, State::Waiting) {
            rest = Some(*moved);
        }
    }
    Ok(())
}

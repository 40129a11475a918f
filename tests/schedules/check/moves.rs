//! One service: its moves are legal and gapless, its runs are numbered upwards, and one is alive at most.

use super::{Agrees, ensure, illegal};
use crate::facts::Facts;
use crate::run::{Cause, State, Why};

pub(super) fn agree(facts: &Facts<'_>) -> Agrees {
    facts.each(|service, place, moved| {
        let name = facts.name(service);
        let before = place.checked_sub(1).map(|place| facts.moves[service][place]);
        let from = before.map_or(State::Stopped(Why::NeverStarted), |before| before.state);
        ensure(may_move(from, moved.state), "S1", moved.line, || {
            format!("{name} moves from {from:?} to {:?}", moved.state)
        })?;
        let (newest, number) = (before.map_or(0, |before| before.incarnation), moved.incarnation);
        let right = if moved.state == State::Starting { number > newest } else { number == newest };
        ensure(right, "C1", moved.line, || format!("{name}: run {number} after {newest}"))
    })?;
    for service in 0..facts.moves.len() {
        lives(facts, service)?;
    }
    Ok(())
}

/// The drawing of S1, and what S5, S7, R4 and X3 say about ends.
fn may_move(from: State, to: State) -> bool {
    use State::{Backoff, Disabled, Failed, Running, Starting, Stopped, Stopping, Waiting};
    let planned = |why| {
        !matches!(
            why,
            Why::Completed | Why::NeverStarted | Why::Watchdog | Why::StartDeadline | Why::Health
        )
    };
    match (from, to) {
        (Failed(Cause::CoolingDown), Failed(Cause::GaveUp)) => true,
        (Stopped(_) | Failed(_) | Disabled, Waiting | Starting) => true,
        (Waiting, Starting) | (Backoff, Waiting | Starting) => true,
        (Waiting | Backoff, Stopped(why)) => planned(why),
        (Starting, Running | Stopping(_) | Backoff | Disabled) => true,
        (Starting, Failed(cause)) => cause != Cause::Exit,
        (Running, Stopping(why)) => why != Why::StartDeadline,
        (Running, Backoff | Stopped(Why::Completed)) => true,
        (Running, Failed(cause)) => cause != Cause::StartFailed,
        (Stopping(_), Failed(Cause::Leaked)) => true,
        (Stopping(why), Stopped(as_told)) => planned(why) && why == as_told,
        (Stopping(why), Backoff | Failed(_)) => !planned(why),
        _ => false,
    }
}

/// What was seen from within against the moves.
fn lives(facts: &Facts<'_>, service: usize) -> Agrees {
    let name = facts.name(service);
    let mut last: Option<&crate::facts::Life> = None;
    for life in &facts.lives[service] {
        if let Some(last) = last {
            let ended = last.ended.is_some_and(|(line, _)| line < life.begun);
            ensure(ended, "C1", life.begun, || {
                format!("{name}: run {} begins beside {}", life.incarnation, last.incarnation)
            })?;
        }
        last = Some(life);
        // That it starts may be told later, but not after another moment.
        let told = facts.moves[service].iter().any(|moved| {
            let starts = moved.state == State::Starting && moved.incarnation == life.incarnation;
            starts && moved.at <= facts.at(life.begun)
        });
        ensure(told, "C1", life.begun, || {
            format!("{name}: run {} begins and nobody said so", life.incarnation)
        })?;
    }
    for moved in &facts.moves[service] {
        let rests = !moved.state.is_live() && moved.state != State::Failed(Cause::Leaked);
        let Some(life) = facts.life_of(service, moved.incarnation).filter(|_| rests) else {
            continue;
        };
        let ended = life.ended.is_some_and(|(line, _)| line < moved.line);
        if !ended && life.begun < moved.line {
            return Err(illegal("S1", moved.line, format!("{name} is at rest and runs on")));
        }
        ensure(ended, "C1", life.begun, || format!("{name} begins although it is at rest"))?;
    }
    Ok(())
}

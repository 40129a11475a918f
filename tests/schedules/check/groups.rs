//! R6: one for all. What is live stops with the one that failed, none begins before all have ended, and
//! all wait for its delay.

use super::{Agrees, ensure};
use crate::facts::{Facts, Move};
use crate::run::State;

pub(super) fn agree(facts: &Facts<'_>) -> Agrees {
    let group = &facts.setup().group;
    for failed in group {
        for moved in facts.moves[*failed].iter().filter(|moved| moved.state == State::Backoff) {
            round(facts, *failed, moved)?;
        }
    }
    Ok(())
}

fn round(facts: &Facts<'_>, failed: usize, moved: &Move) -> Agrees {
    let group = &facts.setup().group;
    let others = || group.iter().copied().filter(|member| *member != failed);
    let line = moved.line;
    for member in others() {
        if !matches!(facts.state(member, line), State::Starting | State::Running) {
            continue;
        }
        let stops = |next: &Move| {
            matches!(next.state, State::Stopping(_) | State::Failed(crate::run::Cause::Leaked))
        };
        ensure(facts.after(member, line).is_some_and(stops), "R6", line, || {
            let (failed, member) = (facts.name(failed), facts.name(member));
            format!("{failed} is restarted, and {member} of its group goes on")
        })?;
    }
    let begins = |member: usize| {
        let moves = facts.within(member, line, usize::MAX);
        moves.iter().find(|moved| moved.state == State::Starting)
    };
    for (member, begin) in group.iter().filter_map(|it| Some((*it, begins(*it)?))) {
        for other in group.iter().copied().filter(|other| *other != member) {
            let live = other != failed && facts.state(other, line).is_live();
            let ended = facts.within(other, line, begin.line).iter().any(|it| !it.state.is_live());
            ensure(!live || ended, "R6", begin.line, || {
                let (name, other) = (facts.name(member), facts.name(other));
                format!("{name} begins before {other} of its group has ended")
            })?;
        }
        // No delay is none that others wait for.
        let delayed = facts.setup().services[failed].delay > 0
            && facts.state(failed, begin.line) == State::Backoff
            && facts.within(failed, line, begin.line).is_empty();
        let latest = others().all(|it| {
            !facts.within(it, line, begin.line).iter().any(|moved| moved.state == State::Backoff)
        });
        let by_hand = facts.calls.iter().any(|call| {
            let named = call.pulls().is_some_and(|target| group.contains(&target));
            named && call.line < begin.line && call.end > line
        });
        ensure(!delayed || !latest || by_hand || member == failed, "R6", begin.line, || {
            let (name, failed) = (facts.name(member), facts.name(failed));
            format!("{name} begins although {failed} of its group waits for its delay")
        })?;
    }
    Ok(())
}

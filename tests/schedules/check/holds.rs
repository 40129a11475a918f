//! Holds: a failed start is undone before its answer, and what somebody holds is not unneeded.

use super::{Agrees, ensure};
use crate::facts::{Asked, Facts};
use crate::run::{Answer, State, What, Why};

pub(super) fn agree(facts: &Facts<'_>) -> Agrees {
    for call in &facts.calls {
        let undone =
            matches!(call.answer, Some(Answer::Failed | Answer::Disabled | Answer::Stopped));
        if let (Some(target), true) = (call.pulls(), undone) {
            rollback(facts, call, target)?;
        }
    }
    let kept = &facts.kept().before;
    for (line, seen) in facts.run.lines.iter().enumerate() {
        let What::State { service, state, .. } = seen.what else { continue };
        let unneeded =
            matches!(state, State::Stopping(Why::Unneeded) | State::Stopped(Why::Unneeded));
        ensure(!(unneeded && kept[line]), "D3", line, || {
            format!("{} is unneeded, and somebody holds it", facts.name(service))
        })?;
    }
    Ok(())
}

/// S2, D3: what the call pulled and nobody else holds has been stopped before its answer.
fn rollback(facts: &Facts<'_>, call: &Asked, target: usize) -> Agrees {
    for service in (0..facts.moves.len()).filter(|it| facts.graphs.pulls(target, *it)) {
        let state = facts.state(service, call.end);
        let is_up =
            |state: State| state.is_live() || matches!(state, State::Waiting | State::Backoff);
        // That it is stopped may be told in the same moment, and after the answer.
        let next = facts.after(service, call.end).filter(|it| it.at == facts.at(call.end));
        if !is_up(state) || next.is_some_and(|next| !is_up(next.state)) {
            continue;
        }
        let held = facts.calls.iter().any(|other| {
            let pulls = other.pulls().is_some_and(|target| facts.graphs.pulls(target, service));
            let holds = other.is_open() || other.end > call.end || other.is_up();
            pulls && other.line != call.line && other.line < call.end && holds
                // A stop that came after it has ended that.
                && !facts.stopping(service).any(|stop| {
                    stop.line > other.end && stop.end < call.end
                })
        });
        ensure(held, "S2", call.end, || {
            let (name, target) = (facts.name(service), facts.name(target));
            format!("the start of {target} failed, and {name}, which nobody holds, is {state:?}")
        })?;
    }
    Ok(())
}

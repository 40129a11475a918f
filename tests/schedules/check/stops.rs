//! Stops: dependents first, and everything that there is in a shutdown.

use super::{Agrees, ensure};
use crate::facts::Facts;
use crate::run::{Kind, Reaction, State, What, Why};

pub(super) fn agree(facts: &Facts<'_>) -> Agrees {
    for (line, seen) in facts.run.lines.iter().enumerate() {
        let What::State { service, state: State::Stopping(why), incarnation } = seen.what else {
            continue;
        };
        // It ended by itself while its dependents did.
        let ended = match facts.life_of(service, incarnation) {
            Some(life) => {
                life.ended.is_some_and(|(ended, _)| ended < line)
                    || life.over.is_some_and(|over| over < line)
            }
            None => ends_at_once(facts, service, line),
        };
        if ended || facts.is_aborting(line) {
            continue;
        }
        for tie in facts.graphs.back(service) {
            let all = matches!(why, Why::Asked | Why::Shutdown);
            let ordered = match tie.kind {
                Kind::Requires => all || tie.reaction != Reaction::Keep,
                Kind::Wants | Kind::After => why == Why::Shutdown,
            };
            let alive = facts.state(tie.from, line).is_live();
            let rule = if why == Why::Shutdown { "X2" } else { "D4" };
            ensure(!(ordered && alive), rule, line, || {
                let (name, from) = (facts.name(service), facts.name(tie.from));
                format!("{name} is told to stop ({why:?}) before {from}, which depends on it")
            })?;
        }
    }
    Ok(())
}

/// Whether the next move of all is its end: then it may be that nobody told it to stop.
fn ends_at_once(facts: &Facts<'_>, service: usize, line: usize) -> bool {
    let rest = facts.run.lines[line + 1..].iter();
    let mut moves = rest.filter_map(|seen| match seen.what {
        What::State { service, state, .. } => Some((service, state)),
        _ => None,
    });
    moves.next().is_some_and(|(next, state)| next == service && !state.is_live())
}

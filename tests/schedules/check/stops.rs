//! Stops: dependents first, and everything that there is in a shutdown.

use super::{Agrees, ensure};
use crate::facts::Facts;
use crate::run::{Command, Kind, Reaction, State, What, Why};

pub(super) fn agree(facts: &Facts<'_>) -> Agrees {
    for (line, seen) in facts.run.lines.iter().enumerate() {
        let What::State { service, state: State::Stopping(why), incarnation } = seen.what else {
            continue;
        };
        reasoned(facts, service, line, why)?;
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

/// S12: who is told that a call asked for it was asked for by one that is not answered yet.
fn reasoned(facts: &Facts<'_>, service: usize, line: usize, why: Why) -> Agrees {
    let (wanted, rule) = match why {
        Why::Asked => (&[Command::Stop, Command::StopUnused][..], "S12"),
        Why::Restart => (&[Command::Restart][..], "S12"),
        _ => return Ok(()),
    };
    let asked = facts.calls.iter().any(|call| {
        let stops = call.pulls().is_some() || call.stops().is_some();
        let about = call.service == Some(service) && wanted.contains(&call.command) && stops;
        // A restart that something else has ended may wait for those who depend on the service.
        let decided = call.is_open() || call.pulls().is_some() && !call.is_up();
        about && call.line < line && (decided || call.end > line)
    });
    ensure(asked, rule, line, || {
        format!("{} is told to stop ({why:?}), and nobody asked for it", facts.name(service))
    })
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

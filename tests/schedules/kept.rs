//! Who is surely kept up, from line to line: what is not sure counts as not.

use crate::facts::{Asked, Facts};
use crate::run::{Answer, Cause, Command, Policy, Reaction, State, What, Why};

/// Who is surely kept up.
pub(crate) struct Kept {
    /// By line of a move: its service, until then.
    pub(crate) before: Vec<bool>,
    /// At the lines at which nothing happens any more: by service.
    pub(crate) quiet: Vec<(usize, Vec<bool>)>,
}

/// Reads that from calls that were answered, and from moves.
pub(crate) fn kept(facts: &Facts<'_>) -> Kept {
    let count = facts.moves.len();
    let mut kept = vec![false; count];
    let mut before = vec![false; facts.run.lines.len()];
    let mut quiet = Vec::new();
    for (line, seen) in facts.run.lines.iter().enumerate() {
        match seen.what {
            What::State { service, state, .. } => {
                before[line] = kept[service];
                kept[service] &= stays(facts, service, state, line);
            }
            What::Command { command, .. } => {
                let stops = facts.call_at(line).and_then(Asked::stops);
                for (it, kept) in kept.iter_mut().enumerate() {
                    *kept &= match command {
                        Command::Shutdown | Command::AbortNow => facts.shutdown_asked > line,
                        _ => stops.is_none_or(|target| !facts.graphs.needs(it, target)),
                    };
                }
            }
            What::Reply { answer, .. } if answer.is_up() => {
                let Some(call) = facts.call_at(line) else { continue };
                let Some(target) = call.pulls() else { continue };
                if facts.shutdown_asked < line {
                    continue;
                }
                for it in stood_on(facts, target, line) {
                    let stops = |stop: &Asked| stop.line < line && stop.end > call.line;
                    // Who ran already has pulled nothing.
                    let pulled = answer != Answer::AlreadyRunning || it == target;
                    kept[it] |= pulled && !facts.stopping(it).any(stops);
                }
            }
            What::Removed { service } => kept[service] = false,
            What::Quiet | What::End => quiet.push((line, kept.clone())),
            _ => {}
        }
    }
    Kept { before, quiet }
}

/// Whether being kept up outlasts this move.
fn stays(facts: &Facts<'_>, service: usize, state: State, line: usize) -> bool {
    let temporary = facts.setup().services[service].restart == Policy::Temporary;
    match state {
        State::Failed(cause) => cause == Cause::CoolingDown,
        State::Disabled => false,
        State::Stopping(Why::Dependency) | State::Stopped(Why::Dependency) => {
            !temporary && !facts.graphs.stops_for_good(service)
        }
        State::Stopping(Why::Group) | State::Stopped(Why::Group) => {
            // One that is ended by its watchdog or its health takes them along before it is given up for that, or
            // leaks.
            let failed = |it: &usize| {
                let mut ends = facts.within(*it, line, usize::MAX).iter();
                let end = ends.find(|moved| !moved.state.is_live());
                let gives_up = end.is_some_and(|end| {
                    matches!(end.state, State::Failed(Cause::GaveUp | Cause::Leaked))
                });
                gives_up || matches!(facts.state(*it, line), State::Failed(_))
            };
            !temporary && !facts.setup().group.iter().any(failed)
        }
        State::Stopped(why) => why == Why::Restart,
        _ => true,
    }
}

/// What a service that is ready surely stands on, itself too: had one of these been told to stop, it
/// would have been as well.
fn stood_on(facts: &Facts<'_>, target: usize, line: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut stack = vec![target];
    while let Some(it) = stack.pop() {
        let runs = facts.state(it, line) == State::Running && !facts.is_over(it, line);
        if runs && !found.contains(&it) {
            found.push(it);
            let ties = facts.graphs.requires(it);
            stack.extend(ties.filter(|tie| tie.reaction != Reaction::Keep).map(|tie| tie.on));
        }
    }
    found
}

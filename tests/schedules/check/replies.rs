//! Every call has one answer, of a kind that what was so between command and reply allows.

use std::collections::BTreeSet;

use super::leaks::leaks;
use super::{Agrees, Illegal, ensure, illegal};
use crate::facts::{Asked, Facts, Move};
use crate::run::{Answer, Cause, Command, Reaction, State, Why};

pub(super) fn agree(facts: &Facts<'_>) -> Agrees {
    for call in &facts.calls {
        let Some(answer) = call.answer else { continue };
        if own_end(facts, call, answer)? || answer.is_unheard() {
            continue;
        }
        if super::comes::answers(facts, call, answer)? {
            continue;
        }
        match (call.command, call.service) {
            (Command::Start | Command::Restart, Some(target)) => up(facts, call, target, answer)?,
            (Command::Stop | Command::StopUnused, Some(target)) => {
                down(facts, call, target, answer)?;
            }
            (Command::Wait, Some(target)) => {
                let done = answer == Answer::Done && rested(facts, call, target);
                ensure(done, "C6", call.end, || {
                    format!("the wait for {} is over too early", facts.name(target))
                })?;
            }
            (Command::Shutdown, None) => shutdown(facts, call, answer)?,
            (Command::AbortNow, None) if answer == Answer::Done => {}
            _ => return Err(illegal("C6", call.end, format!("{answer:?} to {call:?}"))),
        }
    }
    Ok(())
}

/// Whether the service stood at some moment of the call as `fits` says.
fn stood(facts: &Facts<'_>, call: &Asked, service: usize, fits: impl Fn(State) -> bool) -> bool {
    fits(facts.state(service, call.line))
        || facts.within(service, call.line, call.end).iter().any(|moved| fits(moved.state))
}

/// C2: who would wait for its own end is told so, and nobody else is.
fn own_end(facts: &Facts<'_>, call: &Asked, answer: Answer) -> Result<bool, Illegal> {
    let refused = answer == Answer::OwnEnd;
    let Some(by) = call.by else {
        ensure(!refused, "C2", call.line, || format!("{answer:?} to who is no service"))?;
        return Ok(refused);
    };
    // Whether its end is awaited for sure, and whether it may be while nobody tells it to end.
    let (sure, may) = match (call.service, call.command) {
        (_, Command::AbortNow | Command::Add(_) | Command::Remove) => (false, false),
        (None, _) => (true, true),
        (Some(target), Command::Stop) => {
            let stops = facts.graphs.needs(by, target);
            (stops, stops)
        }
        (Some(target), Command::StopUnused) => {
            (by == target && answer != Answer::RefusedInUse, by == target)
        }
        (Some(target), Command::Restart) => {
            let goes = goes_along(facts, by, target);
            let is_made = !matches!(answer, Answer::RefusedShutdown | Answer::RefusedLeaked);
            (goes && is_made, goes || in_group(facts, by))
        }
        // What has completed runs again by that, as with a restart.
        (Some(target), Command::Start) => {
            (false, goes_along(facts, by, target) || in_group(facts, by))
        }
        (Some(target), _) => (by == target, by == target),
    };
    let sure = sure && answer != Answer::Asked && !answer.is_unheard();
    let ends = {
        let told = |moved: &Move| matches!(moved.state, State::Stopping(_));
        facts.before(by, call.line).is_some_and(told)
            || facts.after(by, call.line).is_some_and(told)
    };
    // Whom a start has pulled that the stop fails is let go.
    let stops = matches!(call.command, Command::Stop | Command::StopUnused);
    let let_go = stops
        && facts.pulling(by, call.line, call.end).any(|start| {
            let needs = |(of, target)| facts.graphs.needs(of, target);
            start.service.zip(call.service).is_some_and(needs)
        });
    let ends = let_go || ends && call.command != Command::Remove;
    let may = may || ends && may_await(facts, call, by);
    ensure(if refused { may } else { !sure }, "C2", call.line, || {
        let by = facts.name(by);
        format!("{answer:?} to {:?} of {:?} from within {by}", call.command, call.service)
    })?;
    Ok(refused)
}

/// Whether the service is restarted with the target: it is the same, or requires it on a way on which nobody is
/// kept.
fn goes_along(facts: &Facts<'_>, service: usize, target: usize) -> bool {
    let mut seen = vec![service];
    let mut next = 0;
    while let Some(&at) = seen.get(next) {
        next += 1;
        if at == target {
            return true;
        }
        let ties = facts.graphs.requires(at).filter(|tie| tie.reaction != Reaction::Keep);
        let more: Vec<_> = ties.map(|tie| tie.on).filter(|on| !seen.contains(on)).collect();
        seen.extend(more);
    }
    false
}

/// Whether the call may have to wait for the end of the service, when that and the target are both to end.
pub(super) fn may_await(facts: &Facts<'_>, call: &Asked, service: usize) -> bool {
    let Some(target) = call.service else { return false };
    // Edges of every kind order the ends; so do companions. An attempt waits for the ends of all that it comes
    // after.
    let up = matches!(call.command, Command::Start | Command::Restart);
    let comes_after = |it| it == target || up && facts.graphs.orders(target, it);
    let mut all = 0..facts.moves.len();
    in_group(facts, service) || all.any(|it| comes_after(it) && facts.graphs.orders(service, it))
}

/// Whether others may be restarted with the service.
fn in_group(facts: &Facts<'_>, service: usize) -> bool {
    // Who stands on a companion goes with it.
    facts.setup().group.iter().any(|member| facts.graphs.needs(service, *member))
}

fn rested(facts: &Facts<'_>, call: &Asked, service: usize) -> bool {
    let next = facts.just_after(service, call.end);
    stood(facts, call, service, |state| !state.is_stoppable())
        || next.is_some_and(|next| !next.state.is_stoppable())
}

fn up(facts: &Facts<'_>, call: &Asked, target: usize, answer: Answer) -> Agrees {
    let name = facts.name(target);
    let restart = call.command == Command::Restart;
    let fits = match answer {
        Answer::Restarted => restart,
        Answer::Started | Answer::Joined | Answer::AlreadyRunning => !restart,
        other => !matches!(other, Answer::Done | Answer::RefusedInUse),
    };
    ensure(fits, "C6", call.end, || format!("{answer:?} to a {:?} of {name}", call.command))?;
    match answer {
        Answer::AlreadyRunning => {
            let next = facts.just_after(target, call.end);
            let ran = stood(facts, call, target, |state| state == State::Running)
                || next.is_some_and(|next| next.state == State::Running);
            ensure(ran, "S2", call.end, || format!("{name} was not running"))
        }
        Answer::Started | Answer::Joined | Answer::Restarted => ready(facts, call, target, answer),
        Answer::Failed | Answer::Disabled => {
            let Some(culprit) = call.named else { return Ok(()) };
            let needed = facts.graphs.needs(target, culprit);
            ensure(needed, "S2", call.end, || {
                format!("{name} does not require {}", facts.name(culprit))
            })?;
            let failed = failed(facts, call, culprit, answer);
            ensure(failed, "S2", call.end, || {
                format!("{} did not fail: {answer:?}", facts.name(culprit))
            })
        }
        Answer::Stopped => stopped(facts, call, target),
        Answer::RefusedLeaked => {
            let leaked =
                |service| facts.graphs.needs(target, service) && leaks(facts, call, service);
            let some = call.named.map_or_else(|| (0..facts.moves.len()).any(leaked), leaked);
            ensure(some, "X3", call.end, || format!("{name} needs nobody who leaked"))
        }
        Answer::RefusedShutdown => ensure(facts.shutdown_asked < call.end, "X5", call.end, || {
            "nobody shuts down".to_owned()
        }),
        _ => Ok(()),
    }
}

/// A fresh run became ready during the call; this call began it, or another one did.
fn ready(facts: &Facts<'_>, call: &Asked, target: usize, answer: Answer) -> Agrees {
    let name = facts.name(target);
    let next = facts.just_after(target, call.end);
    let end = next.filter(|it| it.state == State::Running).map_or(call.end, |it| it.line + 1);
    let moves = facts.within(target, call.line, end);
    let Some(running) = moves.iter().rev().find(|moved| moved.state == State::Running) else {
        let what = format!("{name} did not become ready, and the call says {answer:?}");
        return Err(illegal("S2", call.end, what));
    };
    let run = running.incarnation;
    let began = moves.iter().any(|it| it.state == State::Starting && it.incarnation == run);
    let rule = if answer == Answer::Restarted { "C5" } else { "S2" };
    ensure(began || answer == Answer::Joined, rule, call.end, || {
        format!("run {run} of {name} began before the call, which says {answer:?}")
    })?;
    let cancels = facts.stopping(target).find(|stop| {
        stop.line > call.line && stop.end < running.line && stop.answer == Some(Answer::Stopped)
    });
    ensure(cancels.is_none(), "S5", call.end, || {
        format!("the start of {name} outlived a stop that was asked later")
    })?;
    let rest = match facts.state(target, call.line) {
        State::Stopped(why) => {
            !matches!(why, Why::Dependency | Why::Restart | Why::Group | Why::Shutdown)
        }
        State::Failed(cause) => cause != Cause::CoolingDown,
        State::Disabled => true,
        _ => false,
    };
    let others = facts.pulling(target, call.line, call.end).filter(|other| other.line != call.line);
    ensure(answer != Answer::Joined || !rest || others.count() > 0, "S2", call.end, || {
        format!("there was no attempt of {name} to join")
    })
}

fn failed(facts: &Facts<'_>, call: &Asked, culprit: usize, answer: Answer) -> bool {
    let fails = |state| match state {
        State::Disabled => answer == Answer::Disabled,
        State::Failed(_) | State::Backoff => answer == Answer::Failed,
        State::Stopping(why) => {
            answer == Answer::Failed
                && matches!(why, Why::StartDeadline | Why::Watchdog | Why::Health)
        }
        _ => false,
    };
    // It may still have to wait for what depends on it.
    let next = facts
        .after(culprit, call.end)
        .is_some_and(|moved| fails(moved.state) && matches!(moved.state, State::Stopping(_)));
    next || facts.within(culprit, call.line, call.end).iter().any(|moved| fails(moved.state))
}

fn stopped(facts: &Facts<'_>, call: &Asked, target: usize) -> Agrees {
    if facts.shutdown_asked < call.end {
        return Ok(());
    }
    let by = facts.stopping(target).any(|stop| {
        let same = call.named.is_none() || stop.service == call.named;
        same && stop.line < call.end && stop.end > call.line
    });
    ensure(by, "S5", call.end, || {
        format!("{} was stopped, and by nobody ({:?})", facts.name(target), call.named)
    })
}

/// D4: the answer lists all that there was to stop, and that has ended.
fn down(facts: &Facts<'_>, call: &Asked, target: usize, answer: Answer) -> Agrees {
    let count = facts.moves.len();
    let covered: Vec<_> = (0..count).filter(|it| facts.graphs.needs(*it, target)).collect();
    match answer {
        Answer::Stopped => {
            // After a shutdown there is nothing to stop.
            let shut = facts.shutdown_asked < call.line;
            let gone = shut || !super::leaks::stays(facts, call, target);
            ensure(gone, "X3", call.end, || "what was to stop has leaked".to_owned())?;
        }
        Answer::RefusedLeaked => {
            let some = covered.iter().any(|it| leaks(facts, call, *it));
            return ensure(some, "X3", call.end, || "nobody has leaked".to_owned());
        }
        Answer::RefusedInUse if call.command == Command::StopUnused => {
            return used(facts, call, target, &covered);
        }
        other => return Err(illegal("C6", call.end, format!("{other:?} to a stop"))),
    }
    let Some(listed) = &call.listed else { return Ok(()) };
    let listed: BTreeSet<_> = listed.iter().copied().collect();
    let others = listed.iter().any(|it| *it != target);
    ensure(call.command != Command::StopUnused || !others, "D4", call.end, || {
        format!("the stop of {}, if nobody uses it, has stopped others", facts.name(target))
    })?;
    let mut standing: BTreeSet<_> =
        covered.iter().copied().filter(|it| facts.state(*it, call.line).is_stoppable()).collect();
    // At one moment of the call it was what the answer lists.
    let mut moves: Vec<_> = covered
        .iter()
        .flat_map(|it| facts.within(*it, call.line, call.end).iter().map(move |moved| (*it, moved)))
        .collect();
    moves.sort_unstable_by_key(|(_, moved)| moved.line);
    // Not after its own effect, where that is known to be its own.
    let told = |moved: &Move| {
        matches!(moved.state, State::Stopping(Why::Asked) | State::Stopped(Why::Asked))
    };
    let effect = moves.iter().position(|(service, moved)| *service == target && told(moved));
    let mut stops = facts.calls.iter().filter(|other| {
        other.stops() == Some(target) && other.line < call.end && other.end > call.line
    });
    if let Some(effect) = effect.filter(|_| stops.all(|other| other.line == call.line)) {
        moves.truncate(effect);
    }
    let mut moves = moves.into_iter();
    let mut line = call.line;
    loop {
        if standing == listed && ended(facts, call, line, &listed) {
            return Ok(());
        }
        let Some((service, moved)) = moves.next() else { break };
        line = moved.line;
        if moved.state.is_stoppable() {
            standing.insert(service);
        } else {
            standing.remove(&service);
        }
    }
    let names: Vec<_> = listed.iter().map(|it| facts.name(*it)).collect();
    let what =
        format!("the stop of {} lists {names:?}, which at no moment was", facts.name(target));
    Err(illegal("D4", call.end, what))
}

/// D4: who would have to stop too is named, and nobody else.
fn used(facts: &Facts<'_>, call: &Asked, target: usize, covered: &[usize]) -> Agrees {
    let others = || covered.iter().copied().filter(|it| *it != target);
    let some = others().any(|it| stood(facts, call, it, State::is_stoppable));
    let mut lines = vec![call.line];
    lines.extend(
        covered.iter().flat_map(|it| {
            facts.within(*it, call.line, call.end).iter().map(|moved| moved.line + 1)
        }),
    );
    let named = call.listed.as_ref().is_none_or(|listed| {
        let listed: BTreeSet<_> = listed.iter().copied().collect();
        let users = |line: usize| -> BTreeSet<_> {
            others().filter(|it| facts.state(*it, line).is_stoppable()).collect()
        };
        lines.into_iter().any(|line| users(line) == listed)
    });
    ensure(some && named, "D4", call.end, || {
        format!("{} is not used by {:?}", facts.name(target), call.listed)
    })
}

/// Whether what stood after `line` has ended when the call has returned.
fn ended(facts: &Facts<'_>, call: &Asked, line: usize, listed: &BTreeSet<usize>) -> bool {
    listed.iter().all(|service| {
        let moves = facts.within(*service, line, call.end);
        // One that a later start has pulled meanwhile may be about to begin again.
        moves.iter().any(|moved| !moved.state.is_live())
    })
}

fn shutdown(facts: &Facts<'_>, call: &Asked, answer: Answer) -> Agrees {
    ensure(answer == Answer::Done, "C6", call.end, || format!("{answer:?} to a shutdown"))?;
    for (service, lives) in facts.lives.iter().enumerate() {
        let state = facts.state(service, call.end);
        let name = facts.name(service);
        ensure(!state.is_stoppable(), "X3", call.end, || {
            format!("{name} is {state:?} after the shutdown")
        })?;
        let leaked = state == State::Failed(Cause::Leaked);
        let lives = lives.iter().filter(|life| life.begun < call.end);
        let alive = lives.filter(|life| life.ended.is_none_or(|(line, _)| line > call.end)).count();
        ensure(alive == 0 || leaked, "X3", call.end, || format!("{name} lives on"))?;
        let later = facts.after(service, call.end);
        ensure(later.is_none(), "X3", call.end, || format!("{name} moves after the shutdown"))?;
    }
    let Some(listed) = &call.listed else { return Ok(()) };
    // The report has a row for each that was live when it began.
    let listed: BTreeSet<_> = listed.iter().copied().collect();
    let first = facts.shutdown_asked;
    let mut lines = vec![first];
    lines.extend((first..call.end).map(|line| line + 1));
    let live = |line: usize| -> BTreeSet<usize> {
        (0..facts.moves.len()).filter(|it| facts.state(*it, line).is_live()).collect()
    };
    let known = facts.shutdown_known.min(call.end);
    let fits = lines.into_iter().take_while(|line| *line <= known + 1).any(|it| live(it) == listed);
    ensure(fits, "X2", call.end, || "the report lists others than were live".to_owned())
}

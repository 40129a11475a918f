//! A2: services that come and go, and what calls are told of those that are not there.

use std::collections::BTreeSet;

use super::{Agrees, Illegal, ensure, illegal};
use crate::facts::{Asked, Facts};
use crate::run::{Answer, Command, Kind, Problems, State, Why};
use crate::there::called;

pub(super) fn agree(facts: &Facts<'_>) -> Agrees {
    changes(facts)?;
    facts.each(|service, _, moved| {
        let (came, gone) = facts.there.lines(service);
        let there = came <= moved.line && moved.line < gone;
        ensure(there, "A2", moved.line, || format!("{} is not there", facts.name(service)))?;
        if moved.state != State::Starting {
            return Ok(());
        }
        let missing = unmet(facts, service, moved.line, moved.line, false);
        ensure(!missing, "D2", moved.line, || {
            format!("{} starts, and what it requires is not there", facts.name(service))
        })
    })?;
    for (service, lives) in facts.lives.iter().enumerate() {
        let (_, gone) = facts.there.lines(service);
        for life in lives {
            let there = facts.there.perhaps(service, life.begun, life.begun);
            ensure(there, "A2", life.begun, || format!("{} is not there", facts.name(service)))?;
            let ended = life.ended.is_some_and(|(line, _)| line < gone);
            ensure(ended || gone == usize::MAX, "A2", life.begun, || {
                format!("{} is removed and runs on", facts.name(service))
            })?;
        }
    }
    Ok(())
}

/// Each change was asked for, and nothing was in its way.
fn changes(facts: &Facts<'_>) -> Agrees {
    let setup = facts.setup();
    let mut there: BTreeSet<usize> = setup.first.iter().copied().collect();
    for change in &facts.there.changes {
        let (line, service, name) = (change.line, change.service, facts.name(change.service));
        let asked = |call: &&Asked| {
            let with = match call.command {
                Command::Add(with) => {
                    change.comes && setup.coming.get(with).is_some_and(|all| all.contains(&service))
                }
                Command::Remove => !change.comes && call.service == Some(service),
                _ => false,
            };
            let done = matches!(call.answer, Some(Answer::Added | Answer::Removed));
            with && call.line < line && (done || call.is_open())
        };
        let before = line < facts.shutdown_known;
        ensure(before, "X5", line, || format!("{name} comes or goes in a shutdown"))?;
        ensure(facts.calls.iter().any(|call| asked(&call)), "A2", line, || {
            format!("{name} comes or goes, and nobody asked for it")
        })?;
        if change.comes {
            let twice = called(setup, service).any(|it| there.contains(&it));
            ensure(!twice, "A2", line, || format!("there are two of {name}"))?;
            there.insert(service);
            continue;
        }
        ensure(there.remove(&service), "A2", line, || format!("{name} was not there"))?;
        let state = facts.state(service, line);
        // What has leaked may have ended since; if it has not, it does not end before this.
        ensure(!state.is_stoppable(), "A2", line, || {
            format!("{name} is removed, and is {state:?}")
        })?;
        let by = facts.graphs.back(service).iter().find(|tie| there.contains(&tie.from));
        ensure(by.is_none(), "A2", line, || format!("{name} is removed, and {by:?} is there"))?;
    }
    Ok(())
}

/// Whether something that the service cannot be without is, for sure or perhaps, not there between two lines.
fn unmet(facts: &Facts<'_>, service: usize, from: usize, to: usize, perhaps: bool) -> bool {
    let setup = facts.setup();
    let (mut seen, mut next) = (vec![service], 0);
    while let Some(&at) = seen.get(next) {
        next += 1;
        for tie in setup.ties.iter().filter(|it| it.from == at && it.kind == Kind::Requires) {
            let mut all = called(setup, tie.on);
            let there = match perhaps {
                true => all.any(|it| facts.there.surely(it, from, to)),
                false => all.any(|it| facts.there.perhaps(it, from, to)),
            };
            if !there {
                return true;
            }
            let more = called(setup, tie.on).filter(|it| facts.there.perhaps(*it, from, to));
            let more: Vec<_> = more.filter(|it| !seen.contains(it)).collect();
            seen.extend(more);
        }
    }
    false
}

/// Judges the answers that only this is about; says whether it was one.
pub(super) fn answers(facts: &Facts<'_>, call: &Asked, answer: Answer) -> Result<bool, Illegal> {
    match (call.command, call.service, answer) {
        (Command::Add(with), None, _) => added(facts, call, with, answer)?,
        (_, Some(service), Answer::Unknown) => {
            let there = facts.there.surely(service, call.line, call.end);
            let name = facts.name(service);
            ensure(!there, "A2", call.end, || format!("{name} is there, and is not known"))?;
        }
        (_, Some(service), _) => {
            let there = facts.there.perhaps(service, call.line, call.end);
            let name = facts.name(service);
            ensure(there, "A2", call.end, || format!("{name} is not there: {answer:?}"))?;
            match (call.command, answer) {
                (Command::Remove, _) => removed(facts, call, service, answer)?,
                (Command::Start | Command::Restart, Answer::Unusable) => {
                    let unmet = unmet(facts, service, call.line, call.end, true);
                    ensure(unmet, "D2", call.end, || format!("{name} can be used"))?;
                }
                _ => return Ok(false),
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn removed(facts: &Facts<'_>, call: &Asked, service: usize, answer: Answer) -> Agrees {
    let name = facts.name(service);
    let (line, end) = (call.line, call.end);
    let moves = || facts.within(service, line, end).iter().copied();
    let stood = |fits: fn(State) -> bool| {
        fits(facts.state(service, line))
            || moves().any(|it| fits(it.state))
            || facts.after(service, end).is_some_and(|next| fits(next.state))
    };
    let fits = match answer {
        Answer::RefusedShutdown => facts.shutdown_asked < end,
        _ if facts.shutdown_known < line => false,
        Answer::Removed => {
            let (_, gone) = facts.there.lines(service);
            let mut others = facts.calls.iter().filter(|other| {
                let same = other.command == Command::Remove && other.service == Some(service);
                same && other.answer == Some(Answer::Removed)
            });
            let later = facts.lives[service].iter().any(|life| life.begun > end);
            gone > line && gone < usize::MAX && others.all(|it| it.line == line) && !later
        }
        Answer::RefusedLive => stood(State::is_live),
        Answer::RefusedWaiting => stood(|state| {
            let returns =
                matches!(state, State::Stopped(Why::Dependency | Why::Restart | Why::Group));
            returns || state.is_stoppable()
        }),
        Answer::RefusedLeaked => super::leaks::leaks(facts, call, service),
        Answer::RefusedNeeded => call.named.is_none_or(|by| {
            let tied = facts.setup().ties.iter().any(|tie| tie.from == by && tie.on == service);
            tied && facts.there.perhaps(by, line, end)
        }),
        _ => false,
    };
    ensure(fits, "A2", end, || format!("{answer:?} to a removal of {name}"))
}

/// At some moment of the call there was just that in its way.
fn added(facts: &Facts<'_>, call: &Asked, with: usize, answer: Answer) -> Agrees {
    let (setup, end) = (facts.setup(), call.end);
    let coming = setup.coming.get(with).map_or(&[][..], Vec::as_slice);
    let told = match answer {
        Answer::RefusedShutdown => {
            let right = facts.shutdown_asked < end;
            return ensure(right, "X5", end, || "nobody shuts down".to_owned());
        }
        _ if facts.shutdown_known < call.line => {
            return Err(illegal("X5", end, format!("{answer:?} in a shutdown")));
        }
        Answer::Added => None,
        Answer::NotAdded(problems) => Some(problems),
        _ => return Err(illegal("C6", end, format!("{answer:?} to an addition"))),
    };
    if told.is_none() {
        let came = coming.iter().all(|it| facts.there.lines(*it).0 < usize::MAX);
        ensure(came, "A2", end, || "not all of them came".to_owned())?;
        let listed = call
            .listed
            .as_ref()
            .is_none_or(|listed| listed.iter().collect::<BTreeSet<_>>() == coming.iter().collect());
        ensure(listed, "A2", end, || "others are named than came".to_owned())?;
    }
    let mut there: BTreeSet<usize> = setup.first.iter().copied().collect();
    let mut changes = facts.there.changes.iter().peekable();
    loop {
        let next = changes.next();
        let now = next.is_none_or(|next| next.line > call.line);
        let own = next.is_some_and(|next| next.comes && coming.contains(&next.service));
        if now {
            let problems = problems(facts, coming, &there);
            let fits = match told {
                None => problems == Problems::default() && (own || coming.is_empty()),
                Some(told) => agrees(told, problems),
            };
            if fits {
                return Ok(());
            }
        }
        let Some(next) = next else { break };
        if now && next.may >= end {
            break;
        }
        if next.comes {
            there.insert(next.service)
        } else {
            there.remove(&next.service)
        };
    }
    Err(illegal("A2", end, format!("{answer:?} to the addition of {coming:?}")))
}

/// Each that is told of is there, and one is where there are some.
fn agrees(told: Problems, real: Problems) -> bool {
    let Problems { duplicate, unknown, cycle, other } = told;
    let some = duplicate || unknown || cycle;
    let right = (!unknown || real.unknown) && (!cycle || real.cycle) && !other;
    some && duplicate == real.duplicate && (right || duplicate)
}

/// What is in the way of these, when those are there.
fn problems(facts: &Facts<'_>, coming: &[usize], there: &BTreeSet<usize>) -> Problems {
    let setup = facts.setup();
    let duplicate = coming.iter().any(|it| called(setup, *it).any(|it| there.contains(&it)));
    let all: BTreeSet<_> = there.iter().chain(coming).copied().collect();
    let ties = |from: usize| setup.ties.iter().filter(move |tie| tie.from == from);
    let inside = |from: usize, hard: bool| {
        let all = &all;
        let ties = ties(from).filter(move |tie| !hard || tie.kind == Kind::Requires);
        ties.map(|tie| tie.on).filter(move |on| all.contains(on))
    };
    let reach = |from: usize, hard: bool| {
        let mut seen: Vec<usize> = inside(from, hard).collect();
        let mut next = 0;
        while let Some(&at) = seen.get(next) {
            next += 1;
            let more: Vec<_> = inside(at, hard).filter(|it| !seen.contains(it)).collect();
            seen.extend(more);
        }
        seen
    };
    let circles: BTreeSet<_> =
        all.iter().copied().filter(|it| reach(*it, false).contains(it)).collect();
    let lacks = |it: usize| {
        let mut hard = ties(it).filter(|tie| tie.kind == Kind::Requires);
        hard.any(|tie| !called(setup, tie.on).any(|on| all.contains(&on)))
    };
    let hits =
        |it: usize, bad: &dyn Fn(usize) -> bool| bad(it) || reach(it, true).into_iter().any(bad);
    let cycle = all.iter().any(|it| hits(*it, &|it| circles.contains(&it)));
    let unknown = coming.iter().any(|it| hits(*it, &lacks));
    Problems { duplicate, unknown, cycle, other: false }
}

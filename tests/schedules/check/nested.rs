//! A4: what is inside a run that is a supervisor runs in it only, and what becomes of it is the run's end.

use std::collections::BTreeMap;

use super::{Agrees, ensure};
use crate::facts::{Facts, Life};
use crate::run::{Cause, Outcome, State, What, Why, Within};

/// The bound on a stop inside: its grace period and a join timeout.
const STOP: u64 = 5 + 1_000;

/// All that was seen of a service inside one run, with the lines.
type Seen = Vec<(usize, Within)>;

pub(super) fn agree(facts: &Facts<'_>) -> Agrees {
    let mut all: BTreeMap<(usize, u32), Vec<Seen>> = BTreeMap::new();
    let mut lives: BTreeMap<(usize, usize), u32> = BTreeMap::new();
    for (line, seen) in facts.run.lines.iter().enumerate() {
        let What::Inside { service, incarnation, inner, what } = seen.what else { continue };
        let count = facts.setup().services[service].inner.len();
        let rows = all.entry((service, incarnation)).or_insert_with(|| vec![Vec::new(); count]);
        rows[inner].push((line, what));
        let live = lives.entry((service, inner)).or_default();
        match what {
            Within::Begun => {
                *live += 1;
                ensure(*live == 1, "C1", line, || format!("two runs of {inner} are inside"))?;
                begins(facts, service, incarnation, line)?;
            }
            Within::Ended(_) => *live = live.saturating_sub(1),
            _ => {}
        }
    }
    facts.each(|service, _, moved| {
        let is_nested = !facts.setup().services[service].inner.is_empty();
        let rows = all.get(&(service, moved.incarnation));
        let name = facts.name(service);
        if moved.state == State::Running && is_nested {
            let ready = |seen: &Seen| {
                seen.iter().any(|(line, what)| *what == Within::Ready && *line < moved.line)
            };
            let right = rows.is_some_and(|rows| rows.iter().all(ready));
            ensure(right, "A4", moved.line, || format!("{name} is ready before those inside"))?;
        }
        if !moved.state.is_live() && moved.state != State::Failed(Cause::Leaked) {
            let lives = |seen: &Seen| {
                let mut before = seen.iter().filter(|(line, _)| *line < moved.line);
                let last = before.rfind(|(_, what)| !matches!(what, Within::Is(_)));
                last.is_some_and(|(_, what)| !matches!(what, Within::Ended(_)))
            };
            let some = rows.is_some_and(|rows| rows.iter().any(lives));
            ensure(!some, "A4", moved.line, || format!("{name} has ended, and not all inside"))?;
        }
        Ok(())
    })?;
    for ((service, run), rows) in &all {
        let Some(life) = facts.life_of(*service, *run) else { continue };
        for place in 0..rows.len() {
            given_up(facts, *service, life, rows, place)?;
        }
        outcome(facts, *service, life, rows)?;
        aborted(facts, *service, life, rows)?;
    }
    Ok(())
}

/// Nothing begins inside a run that is over, or that was told to stop.
fn begins(facts: &Facts<'_>, service: usize, run: u32, line: usize) -> Agrees {
    let lives = facts.life_of(service, run).is_some_and(|life| {
        // What a run that is aborted leaves inside is told to stop in that moment: one may begin before it is.
        let fits = |end: usize| end > line || facts.at(end) == facts.at(line);
        let ended = life.ended.is_none_or(|(end, outcome)| {
            end > line || (life.over.is_none() && outcome == Outcome::Aborted && fits(end))
        });
        life.begun < line && life.over.is_none_or(fits) && ended
    });
    let stops = told(facts, service, run).is_some_and(|at| at < facts.at(line));
    ensure(lives && !stops, "A4", line, || {
        format!("something begins inside {}, which is to end", facts.name(service))
    })
}

/// When the run was told to stop.
fn told(facts: &Facts<'_>, service: usize, run: u32) -> Option<u64> {
    let stops =
        |it: &&crate::facts::Move| it.incarnation == run && matches!(it.state, State::Stopping(_));
    facts.moves[service].iter().find(stops).map(|it| it.at)
}

/// Who needs more restarts than it may have is given up, and nobody else; the run around ends of it, unless
/// that one was ready once and is only left.
fn given_up(facts: &Facts<'_>, service: usize, life: &Life, rows: &[Seen], place: usize) -> Agrees {
    let (name, seen) = (facts.name(service), &rows[place]);
    let set = facts.setup().services[service].inner[place];
    let most = set.most as usize;
    let backoffs = seen.iter().filter(|(_, what)| *what == Within::Is(State::Backoff)).count();
    ensure(backoffs <= most, "R4", life.begun, || {
        format!("one inside {name} has {backoffs} restarts of {most}")
    })?;
    let Some(line) = failures(facts, seen).nth(most) else { return Ok(()) };
    let at = facts.at(line);
    let down = |what: &Within| {
        let downs = [State::Stopping(Why::Shutdown), State::Stopped(Why::Shutdown)];
        downs.iter().any(|state| *what == Within::Is(*state))
    };
    let mut all = rows.iter().flatten();
    let shuts = all.any(|(line, what)| down(what) && facts.at(*line) <= at);
    let over = life.over.is_some_and(|line| facts.at(line) <= at);
    if shuts || over || told(facts, service, life.incarnation).is_some_and(|it| it <= at) {
        return Ok(());
    }
    let failed =
        |(it, what): &(usize, Within)| *it > line && matches!(what, Within::Is(State::Failed(_)));
    ensure(seen.iter().any(failed), "R4", line, || format!("one inside {name} is not given up"))?;
    let ready = seen.iter().any(|(_, what)| *what == Within::Ready);
    let ends = life.ended.is_some_and(|(line, _)| facts.at(line) <= at + STOP);
    ensure(ends || (ready && !set.escalates), "A4", line, || {
        format!("one inside {name} is given up, and that goes on")
    })
}

/// The ends that were failures: not of one that was told to stop.
fn failures<'a>(facts: &'a Facts<'_>, seen: &'a Seen) -> impl Iterator<Item = usize> + 'a {
    let stops = |what: &Within| matches!(what, Within::Is(State::Stopping(_)));
    let mut told = false;
    seen.iter().enumerate().filter_map(move |(place, (line, what))| {
        if let Within::Is(_) = what {
            told = stops(what);
        }
        let fails = matches!(what, Within::Ended(Outcome::Error | Outcome::Panic));
        // It may have been told so in the moment in which it ended by itself.
        let then = seen[place..]
            .iter()
            .take_while(|(next, it)| facts.at(*next) == facts.at(*line) && *it != Within::Begun);
        (fails && !told && !then.into_iter().any(|(_, it)| stops(it))).then_some(*line)
    })
}

/// A run that leaves something inside was aborted, and all inside is then.
fn aborted(facts: &Facts<'_>, service: usize, life: &Life, rows: &[Seen]) -> Agrees {
    let (name, Some(over)) = (facts.name(service), life.over) else { return Ok(()) };
    let at = facts.at(over);
    let grace = facts.setup().services[service].grace;
    let due = told(facts, service, life.incarnation).zip(grace).map(|(told, grace)| told + grace);
    let right = facts.is_aborting(over) || due.is_some_and(|due| at >= due);
    ensure(right, "A4", over, || format!("{name} does not wait for those inside"))?;
    let late = rows.iter().flatten().find(|(line, what)| {
        *line > over && matches!(what, Within::Ended(_)) && facts.at(*line) > at
    });
    let line = late.map_or(over, |(line, _)| *line);
    ensure(late.is_none(), "A4", line, || format!("{name} is dropped, and one inside goes on"))
}

/// The run ends well when all inside has, and else not.
fn outcome(facts: &Facts<'_>, service: usize, life: &Life, rows: &[Seen]) -> Agrees {
    let name = facts.name(service);
    let Some((line, outcome)) = life.ended else { return Ok(()) };
    let last = |seen: &Seen| {
        let is = |(_, what): &(usize, Within)| match what {
            Within::Is(state) => Some(*state),
            _ => None,
        };
        seen.iter().rev().find_map(is)
    };
    let fails = |seen: &Seen| matches!(last(seen), Some(State::Failed(_)));
    let hides = outcome == Outcome::Ok && rows.iter().any(fails);
    ensure(!hides, "A4", line, || format!("{name} ends well, and one inside has failed"))?;
    let bad = |(_, what): &(usize, Within)| match what {
        Within::Is(State::Failed(_)) => true,
        Within::Ended(outcome) => *outcome != Outcome::Ok,
        _ => false,
    };
    let some = rows.iter().flatten().any(bad);
    ensure(outcome != Outcome::Error || some, "A4", line, || {
        format!("{name} fails, and nobody inside has")
    })
}

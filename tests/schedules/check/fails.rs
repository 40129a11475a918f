//! S9, S10: who gives no heartbeats, or says that it is unhealthy, is taken to have failed, and nobody else.

use super::{Agrees, ensure};
use crate::facts::{Facts, Life, Move};
use crate::run::{State, Why};

pub(super) fn agree(facts: &Facts<'_>) -> Agrees {
    facts.each(|service, _, moved| {
        let row = &facts.setup().services[service];
        let life = facts.life_of(service, moved.incarnation);
        let (said, since, after, rule) = match moved.state {
            State::Stopping(Why::Watchdog) => {
                (row.watchdog.is_some(), life.and_then(|it| it.silent), row.watchdog, "S9")
            }
            State::Stopping(Why::Health) => {
                (row.judged, life.and_then(|it| it.ill), Some(0), "S10")
            }
            _ => return Ok(()),
        };
        let due = since.zip(after).map(|(line, after)| facts.at(line) + after);
        let right = said && due.is_some_and(|due| moved.at >= due);
        ensure(right, rule, moved.line, || format!("{} has not failed", facts.name(service)))
    })?;
    for service in 0..facts.moves.len() {
        let row = &facts.setup().services[service];
        for life in &facts.lives[service] {
            if let Some((silent, time)) = life.silent.zip(row.watchdog) {
                noticed(facts, service, life, silent, time, "S9")?;
            }
            if let Some(ill) = life.ill.filter(|_| row.judged) {
                noticed(facts, service, life, ill, 0, "S10")?;
            }
        }
    }
    Ok(())
}

/// A run that is ready and has failed since `line` is told to stop when `time` is over.
fn noticed(
    facts: &Facts<'_>,
    service: usize,
    life: &Life,
    line: usize,
    time: u64,
    rule: &'static str,
) -> Agrees {
    let moves = &facts.moves[service];
    let ready = |it: &Move| it.state == State::Running && it.incarnation == life.incarnation;
    let Some(place) = moves.iter().position(ready) else { return Ok(()) };
    let due = facts.at(line).max(moves[place].at) + time;
    // Others may have to end first.
    let alone = facts.graphs.back(service).is_empty();
    let ends = life.over.or(life.ended.map(|(line, _)| line)).map(|line| facts.at(line));
    let next = moves.get(place + 1).map(|next| next.at);
    let first = [ends, next].into_iter().flatten().min();
    let right = first.is_some_and(|first| first <= due || !alone);
    ensure(right, rule, line, || format!("{} has failed and goes on", facts.name(service)))
}

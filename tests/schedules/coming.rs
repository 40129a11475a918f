//! Services that come while others run, and go: which of a case, and who asks for that when.

use crate::case::{Asks, Call, Case, Edge, End, Script, Service};
use crate::dice::Dice;
use crate::run::{GiveUp, Kind, Policy, Reaction};

/// What came to be drawn later still: it changes nothing of what was drawn before.
pub(crate) fn coming(dice: &mut Dice, case: &mut Case) {
    if dice.one_in(2) {
        return;
    }
    let count = case.services.len();
    let mut additions = 1 + dice.roll(2);
    for service in &mut case.services {
        service.comes = dice.one_in(3).then(|| dice.roll(additions));
    }
    for _ in 0..dice.roll(4) {
        let again = again(dice, &case.group, &case.services, count, additions);
        case.services.push(again);
        additions += 1;
    }
    if dice.one_in(4) {
        twist(dice, case);
    }
    let span = case.calls.iter().map(|call| call.at).max().unwrap_or(0).max(5);
    let at = |dice: &mut Dice| dice.roll(span as usize + 1) as u64;
    for addition in 0..additions {
        for _ in 0..1 + dice.roll(2) {
            let at = if dice.one_in(3) { 0 } else { at(dice) };
            ask(dice, case, at, Asks::Add(addition));
        }
    }
    let late: Vec<_> =
        (0..case.services.len()).filter(|it| case.services[*it].comes.is_some()).collect();
    for service in late {
        let at = at(dice);
        ask(dice, case, at, Asks::Start(service));
    }
    for _ in 0..dice.roll(5) {
        let at = at(dice);
        goes(dice, case, at);
    }
    if dice.one_in(8) {
        let at = at(dice);
        cools(dice, case, at);
    }
    if let [one, .., other] = case.group[..]
        && dice.one_in(2)
    {
        let at = at(dice);
        joins(dice, case, one, other, at);
    }
    for service in &mut case.services {
        for script in &mut service.scripts {
            if let Some(inside) = &mut script.asks
                && dice.one_in(4)
            {
                let about = inside.asks.service().unwrap_or(0);
                inside.asks = match dice.one_in(2) {
                    true => Asks::Remove(about),
                    false => Asks::Add(dice.roll(additions)),
                };
            }
        }
    }
}

/// Another one of a name that is there: with the edges of that, or others, and mostly runs that go well.
fn again(
    dice: &mut Dice,
    group: &[usize],
    services: &[Service],
    count: usize,
    addition: usize,
) -> Service {
    let of = match dice.one_in(2) || group.is_empty() {
        true => dice.roll(count),
        false => dice.pick(group),
    };
    let mut again = services[of].clone();
    again.comes = Some(addition);
    if !dice.one_in(3) {
        again.scripts.clear();
    }
    if dice.one_in(2) {
        again.edges.clear();
        for _ in 0..dice.roll(3) {
            let on = dice.roll(count);
            add_edge(dice, &mut again, on, services);
        }
    }
    again
}

fn add_edge(dice: &mut Dice, service: &mut Service, on: usize, all: &[Service]) {
    let kind = dice.pick(&[Kind::Requires, Kind::Requires, Kind::Wants, Kind::After]);
    let temporary = service.row.restart == Policy::Temporary;
    let reaction = if temporary { Reaction::Stop } else { Reaction::Restart };
    if !service.edges.iter().any(|edge| all[edge.on].row.name == all[on].row.name) {
        service.edges.push(Edge { on, kind, reaction });
    }
}

/// An edge that may lead back.
fn twist(dice: &mut Dice, case: &mut Case) {
    let count = case.services.len();
    let late: Vec<_> = (0..count).filter(|it| case.services[*it].comes.is_some()).collect();
    if late.is_empty() {
        return;
    }
    let one = dice.pick(&late);
    let others: Vec<_> = case.services[one].edges.iter().map(|edge| edge.on).collect();
    let is_first = |it: usize| {
        let name = &case.services[it].row.name;
        case.services.iter().any(|it| it.comes.is_none() && it.row.name == *name)
    };
    // Those that are there from the beginning are in no circle.
    let (from, on) = match dice.one_in(2) || others.is_empty() || is_first(one) {
        true => (one, dice.roll(count)),
        false => (dice.pick(&others), one),
    };
    let mut service = case.services[from].clone();
    add_edge(dice, &mut service, on, &case.services);
    case.services[from] = service;
}

/// Somebody goes, if nothing is in the way, and now and then another one of its name comes.
fn goes(dice: &mut Dice, case: &mut Case, mut at: u64) {
    let count = case.services.len();
    let is_used = |it: &usize| {
        let edges = case.services.iter().flat_map(|service| &service.edges);
        edges.into_iter().any(|edge| edge.on == *it)
    };
    let unused: Vec<_> = (0..count).filter(|it| !is_used(it)).collect();
    let service = match dice.one_in(4) || unused.is_empty() {
        true => dice.roll(count),
        false => dice.pick(&unused),
    };
    if !dice.one_in(3) {
        ask(dice, case, at, Asks::Stop(service));
        at += dice.time(20);
    }
    ask(dice, case, at, Asks::Remove(service));
    let called = |it: &&Service| it.row.name == case.services[service].row.name;
    let others: Vec<_> =
        case.services.iter().filter(called).filter_map(|other| other.comes).collect();
    if !others.is_empty() {
        at += dice.time(10);
        let addition = dice.pick(&others);
        ask(dice, case, at, Asks::Add(addition));
        at += dice.time(5);
        ask(dice, case, at, Asks::Start(service));
    }
}

/// Somebody is asked to go who is given up and waits for another attempt.
fn cools(dice: &mut Dice, case: &mut Case, at: u64) {
    let service = dice.roll(case.services.len());
    let it = &mut case.services[service];
    (it.row.give_up, it.row.intensity) = (GiveUp::CoolDown(20 + dice.time(40)), Some(0));
    let script = Script { ready: Some(0), ends: Some((2, End::Error)), ..it.usual };
    it.scripts = vec![script, script];
    ask(dice, case, at, Asks::Start(service));
    let at = at + 3 + dice.time(30);
    ask(dice, case, at, Asks::Remove(service));
}

/// Another one comes for one of a group, before a third has failed.
fn joins(dice: &mut Dice, case: &mut Case, one: usize, other: usize, at: u64) {
    let mut again = case.services[one].clone();
    again.scripts.clear();
    let addition = case.services.iter().filter_map(|it| it.comes).max().map_or(0, |it| it + 1);
    again.comes = Some(addition);
    let service = case.services.len();
    case.services.push(again);
    let it = &mut case.services[other];
    let script = Script { ready: Some(0), ends: Some((20, End::Error)), ..it.usual };
    it.scripts.insert(0, script);
    for (after, asks) in [
        (0, Asks::Stop(one)),
        (10, Asks::Remove(one)),
        (10, Asks::Add(addition)),
        (11, Asks::Start(service)),
        (12, Asks::Restart(other)),
    ] {
        ask(dice, case, at + after, asks);
    }
}

fn ask(dice: &mut Dice, case: &mut Case, at: u64, asks: Asks) {
    let gives_up_after = dice.one_in(20).then(|| dice.time(3));
    case.calls.push(Call { at, asks, gives_up_after });
}

//! Every way through the core, as far as it goes: all graphs of up to three services, all orders of
//! commands, readiness, ends, timers and the shutdown, to a depth.
//!
//! The invariants are those of the random walks, after every step; and from every state that is reached
//! everything comes to rest, with one answer for every call. States that differ only in numbers are one.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::{FxHashSet, FxHasher};

use super::chance::SECOND;
use super::failures::Limits;
use super::model::Core;
use super::op::OpId;
use super::walk::{Call, World};
use super::words::{Index, Input, Reactions};
use crate::graph::{Graph, GraphBuilder};
use crate::options::ServiceOptions;
use crate::restart::{Backoff, Intensity};
use crate::spec::DependencyKind;

/// So many calls may be open at once.
const OPEN: usize = 2;

#[derive(Clone, Copy)]
enum Move {
    Start(Index),
    Stop(Index),
    Restart(Index),
    Ready(Index),
    End(Index, bool),
    Over(Index, bool),
    HandBack(Index),
    HandedBack(Index),
    Remove(Index),
    Come(Index),
    Due(Index, u32),
    Shutdown,
}

/// What can happen now.
fn moves(world: &World) -> Vec<Move> {
    let mut moves = Vec::new();
    if world.finished {
        return moves;
    }
    let count = world.core.rows.len() as Index;
    if world.calls.len() < OPEN {
        let here = (0..count).filter(|at| world.here[*at as usize]);
        moves.extend(
            here.flat_map(|at| {
                [Move::Start(at), Move::Stop(at), Move::Restart(at), Move::Remove(at)]
            }),
        );
    }
    moves.extend((0..count).filter(|at| world.may_come(*at)).map(Move::Come));
    for (&at, life) in &world.lives {
        if !life.ready && !life.over {
            moves.push(Move::Ready(at));
        }
        moves.push(Move::End(at, false));
        if !life.aborted {
            moves.push(Move::End(at, true));
        }
        match world.loans.get(&at) {
            Some(loan) if loan.over => moves.push(Move::HandedBack(at)),
            Some(_) => moves.push(Move::HandBack(at)),
            None => {}
        }
        if !life.over && !life.aborted {
            moves.extend([Move::Over(at, false), Move::Over(at, true)]);
        }
    }
    let armed = world.timers.iter().filter(|(at, arming)| world.core.is_armed(*at, *arming));
    moves.extend(armed.map(|&(at, arming)| Move::Due(at, arming)));
    if world.core.shutdown.is_none() {
        moves.push(Move::Shutdown);
    }
    moves
}

fn make(world: &mut World, next: Move) {
    match next {
        Move::Start(service) => {
            world.call(Call::Start(service), |caller| Input::Start { service, caller });
        }
        Move::Stop(service) => {
            let asked = world.core.row(service).incarnation;
            world.call(Call::Stop(service, asked), |caller| Input::Stop { service, caller });
        }
        Move::Restart(service) => {
            world.call(Call::Restart(service), |caller| Input::Restart { service, caller });
        }
        Move::Ready(service) => world.ready(service),
        Move::End(service, fails) => world.end(service, fails),
        Move::Over(service, fails) => world.over(service, fails),
        Move::HandBack(service) => world.hand_back(service),
        Move::Remove(service) => world.remove(service),
        Move::Come(service) => world.come(service),
        Move::HandedBack(service) => world.step(Input::HandedBack { service }),
        Move::Due(service, arming) => {
            world.timers.retain(|timer| *timer != (service, arming));
            world.due((service, arming), 9 * SECOND);
        }
        Move::Shutdown => world.step(Input::Shutdown),
    }
}

/// What tells a state from another: all but numbers that only count up.
fn key(world: &World) -> u64 {
    let mut to = FxHasher::default();
    for (at, row) in world.core.rows.iter().enumerate() {
        let ops = |id: &OpId| world.core.ops.get(id).and_then(|op| op.target());
        let loan = world.loans.get(&(at as Index));
        loan.map(|it| (it.over, it.ready_at.is_some())).hash(&mut to);
        let failures = loan.map_or(row.failures.as_ref(), |loan| loan.failures.as_ref());
        row.state.word().hash(&mut to);
        row.state.to_string().hash(&mut to);
        row.plan.hash(&mut to);
        [row.live, row.was_ready, row.run_over, row.late.is_some(), row.signalled].hash(&mut to);
        [row.aborted, row.leaked, row.due, row.delayed, row.automatic].hash(&mut to);
        [row.cooling, row.wanted, row.ends, row.start.is_some(), row.lent].hash(&mut to);
        row.ending_dependents.hash(&mut to);
        world.core.carried.get(&(at as Index)).hash(&mut to);
        failures.map(|it| (it.in_a_row, it.restarts.len(), it.spent)).hash(&mut to);
        let mut starts: Vec<_> = row.starts.clone().into_iter().map(|id| ops(&id)).collect();
        starts.sort_unstable();
        starts.hash(&mut to);
        row.watchers.clone().into_iter().count().hash(&mut to);
        let life = world.lives.get(&(at as Index));
        life.map(|it| [it.ready, it.signalled, it.aborted, it.leaked, it.over, it.failed])
            .hash(&mut to);
        world.timers.contains(&(at as Index, row.arming)).hash(&mut to);
        world.here[at].hash(&mut to);
    }
    let mut calls: Vec<_> = world.calls.values().map(|call| format!("{call:?}")).collect();
    calls.sort_unstable();
    calls.hash(&mut to);
    (world.finished, world.core.shutdown.is_some(), world.core.live).hash(&mut to);
    to.finish()
}

/// All graphs of so many services, in which each depends only on those before it.
fn graphs(count: u32) -> Vec<(Arc<Graph>, String)> {
    let pairs: Vec<_> = (0..count).flat_map(|at| (0..at).map(move |on| (at, on))).collect();
    let kinds = [
        None,
        Some(DependencyKind::Requires),
        Some(DependencyKind::Wants),
        Some(DependencyKind::After),
    ];
    let all = kinds.len().pow(pairs.len() as u32);
    let made = |number: usize| {
        let mut graph = GraphBuilder::new(count as usize);
        let mut text = String::new();
        let mut left = number;
        for (at, on) in &pairs {
            if let Some(kind) = kinds[left % kinds.len()] {
                graph.edge(*at, kind, *on);
                text += &format!("{at} {kind:?} {on}; ");
            }
            left /= kinds.len();
        }
        (Arc::new(graph.build(|_| unreachable!("no edge is wrong"))), text)
    };
    (0..all).map(made).collect()
}

/// One restart at once or after a second, and then it is given up; time plays no part otherwise.
fn limits(count: u32, backoff: Backoff) -> Vec<Arc<Limits>> {
    let options = ServiceOptions::NONE
        .with_backoff(backoff)
        .with_intensity(Intensity::new(1, Duration::MAX))
        .with_stable_after(Duration::MAX);
    let limits = Arc::new(Limits::of(options));
    (0..count).map(|_| Arc::clone(&limits)).collect()
}

/// Goes every way to `depth`; how many states were reached, and how many runs were begun on the way by
/// their own tasks. It begins with everything stopped, or
/// with everything `up`.
fn explore(
    graph: &Arc<Graph>,
    text: String,
    backoff: Backoff,
    up: bool,
    depth: usize,
) -> [usize; 2] {
    let count = graph.len() as Index;
    let limits = limits(count, backoff);
    let core = Core::new(Arc::clone(graph), Reactions::default(), limits, SECOND, None);
    let mut first = World::of(0, core, Arc::clone(graph), Some(vec![text]));
    for service in (0..count).filter(|_| up) {
        make(&mut first, Move::Start(service));
        make(&mut first, Move::Ready(service));
    }
    let mut seen = FxHashSet::from_iter([key(&first)]);
    let mut frontier = vec![first];
    let mut turns = 0;
    for _ in 0..depth {
        let mut next = Vec::new();
        for world in frontier {
            for step in moves(&world) {
                let mut there = world.clone();
                make(&mut there, step);
                turns += there.turns - world.turns;
                if !seen.insert(key(&there)) {
                    continue;
                }
                let mut end = there.clone();
                end.quiesce();
                if !end.finished {
                    end.at_rest();
                }
                next.push(there);
            }
        }
        frontier = next;
    }
    [seen.len(), turns]
}

/// `PLUX_DEPTH=6 cargo test --release -p plux every_way -- --nocapture` goes further.
#[test]
fn c01_every_way_through_up_to_three_services_keeps_every_invariant() {
    let depth = std::env::var("PLUX_DEPTH").ok().and_then(|depth| depth.parse().ok()).unwrap_or(3);
    // With a delay the core makes every restart. Without one, those that concern nobody else are turns of
    // the service's own task, which only a service that runs can make.
    let ways = [
        (Backoff::constant(SECOND), false, "with a delay, from nothing"),
        (Backoff::NONE, true, "without a delay, from all that runs"),
    ];
    for (backoff, up, way) in ways {
        // There is more to do where everything runs.
        let depth = depth - usize::from(up);
        for count in 1..=3 {
            let graphs = graphs(count);
            let all = graphs.len();
            let explore = |(graph, text)| explore(&graph, text, backoff, up, depth);
            let found = graphs.into_iter().map(explore);
            let [states, turns] = found.fold([0, 0], |[a, b], [c, d]| [a + c, b + d]);
            println!(
                "{count} services, {all} graphs, {way}, depth {depth}: {states} states, {turns} turns"
            );
            assert!(states > all);
            assert_eq!(turns > 0, up, "what runs is lent where there is no delay");
        }
    }
}

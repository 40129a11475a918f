//! Runs in which services come and go that should not, or calls about that are told what is not so.

use schedules::{Answer, Command, Kind, Problems, Reaction, Run, State, Tie, What};

use super::by_calls::answered;
use super::look::{Told, but, earlier, moves, state, with, without};
use super::mutate::{Mutation, each_call, way};

const TAKEN: Problems = Problems { duplicate: true, unknown: false, cycle: false, other: false };
const LACKING: Problems = Problems { duplicate: false, unknown: true, ..TAKEN };

pub(super) const WAYS: &[Mutation] = &[
    way("a service comes and nobody is told", &["A2"], |run| {
        let moved = |who: usize| moves(run).iter().any(|it| it.service == who);
        let lines = changes(run, true).into_iter().filter(|(_, who)| moved(*who));
        lines.map(|(line, _)| without(run, line)).collect()
    }),
    way("a service comes in a shutdown", &["X5"], |run| {
        let came: Vec<_> = changes(run, true).into_iter().map(|(_, who)| who).collect();
        let never = run.setup.coming.iter().flatten().find(|it| !came.contains(it));
        let last = run.lines.len() - 1;
        never.map(|it| with(run, last, What::Added { service: *it })).into_iter().collect()
    }),
    way("a service goes and nobody asked for that", &["A2"], |run| {
        let asked = |line: &schedules::Line| {
            matches!(line.what, What::Command { command: Command::Remove, .. })
        };
        if run.lines.iter().any(asked) {
            return Vec::new();
        }
        let first = run.setup.first.first();
        first.map(|it| with(run, 0, What::Removed { service: *it })).into_iter().collect()
    }),
    way("a service goes on which another depends", &["A2"], |run| {
        let gone: Vec<_> = changes(run, false).into_iter().map(|(_, who)| who).collect();
        let stays = run.setup.first.iter().copied().find(|it| !gone.contains(it));
        let ties = |on: usize| stays.map(|from| (from, on));
        let tied = gone.into_iter().filter_map(ties).map(|(from, on)| {
            but(run, |run| {
                run.setup.ties.push(Tie { from, on, kind: Kind::After, reaction: Reaction::Keep });
            })
        });
        tied.collect()
    }),
    way("a service that is gone starts", &["A2"], |run| {
        let again = changes(run, false).into_iter().map(|(line, service)| {
            let incarnation = 1_000;
            with(run, line + 1, What::State { service, state: State::Starting, incarnation })
        });
        again.collect()
    }),
    way("there are two of one name", &["A2"], |run| {
        let name = |it: usize| &run.setup.services[it].name;
        let gone = changes(run, false);
        let came = changes(run, true);
        let pair = |&(line, who): &(usize, usize)| {
            let next = came.iter().find(|(later, it)| *later > line && name(*it) == name(who));
            next.map(|(later, _)| earlier(run, *later, line))
        };
        gone.iter().filter_map(pair).collect()
    }),
    way("what is there is not known", &["A2"], |run| {
        told_so(run, |call| call.answer == Answer::AlreadyRunning, Answer::Unknown)
    }),
    way("what is not there is known", &["A2"], |run| {
        let fits = |call: &Told| call.command == Command::Start && call.answer == Answer::Unknown;
        let late = changes(run, true);
        let before = |call: &Told| {
            let never =
                |it| !run.setup.first.contains(&it) && !late.iter().any(|(_, who)| *who == it);
            call.service.is_some_and(never)
        };
        told_so(run, |call| fits(call) && before(call), Answer::AlreadyRunning)
    }),
    way("a service has what it requires and can not be used", &["D2"], |run| {
        told_so(run, |call| call.answer == Answer::AlreadyRunning, Answer::Unusable)
    }),
    way("an addition is refused for nothing", &["A2"], |run| {
        told_so(run, |call| call.answer == Answer::Added, Answer::NotAdded(TAKEN))
    }),
    way("an addition is refused for something else", &["A2"], |run| {
        told_so(run, |call| call.answer == Answer::NotAdded(TAKEN), Answer::NotAdded(LACKING))
    }),
    way("an addition that can not be is said to be made", &["A2"], |run| {
        told_so(run, |call| matches!(call.answer, Answer::NotAdded(_)), Answer::Added)
    }),
    way("a removal is refused for a run that there is not", &["A2"], |run| {
        let never = |call: &Told| {
            call.service.is_some_and(|who| !moves(run).iter().any(|it| it.service == who))
        };
        let fits = |call: &Told| call.answer == Answer::Removed && never(call);
        told_so(run, fits, Answer::RefusedLive)
    }),
    way("a removal is refused for an attempt that is not due", &["A2"], |run| {
        let never = |call: &Told| {
            call.service.is_some_and(|who| !moves(run).iter().any(|it| it.service == who))
        };
        let fits = |call: &Told| call.answer == Answer::Removed && never(call);
        told_so(run, fits, Answer::RefusedWaiting)
    }),
    way("what runs is said to be removed", &["A2"], |run| {
        let runs = |call: &Told| {
            call.service.is_some_and(|it| state(run, it, call.line) == State::Running)
        };
        let fits = |call: &Told| call.answer == Answer::RefusedLive && runs(call);
        told_so(run, fits, Answer::Removed)
    }),
];

/// The lines at which services came, or went.
fn changes(run: &Run, comes: bool) -> Vec<(usize, usize)> {
    let changes = run.lines.iter().enumerate().filter_map(|(line, seen)| match seen.what {
        What::Added { service } if comes => Some((line, service)),
        What::Removed { service } if !comes => Some((line, service)),
        _ => None,
    });
    changes.collect()
}

fn told_so(run: &Run, fits: impl Fn(&Told) -> bool, by: Answer) -> Vec<Run> {
    each_call(run, fits, |call| answered(run, call.line, by, None))
}

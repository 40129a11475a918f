//! Runs whose moves are not right.

use schedules::{Cause, Command, Kind, Line, Reaction, Run, State, What, Why};

use super::look::{Seen, but, earlier, is_asked, moves, quiet, state, with, without};
use super::mutate::{Mutation, each, next, way};

const FAILED: State = State::Failed(Cause::Exit);

pub(super) const WAYS: &[Mutation] = &[
    way("a run is ready, and nobody says so", &["S1"], |run| {
        let ends =
            |it: &Seen| matches!(next(run, it), Some(FAILED | State::Stopped(Why::Completed)));
        each(run, |it| it.state == State::Running && ends(it), |it| without(run, it.line))
    }),
    way("a start is not told of", &["S1", "C1"], |run| {
        each(run, |it| it.state == State::Starting, |it| without(run, it.line))
    }),
    way("a stop is not told of", &["S1"], |run| {
        let fits = |it: &Seen| {
            let why = match it.state {
                State::Stopping(why) => why,
                _ => return false,
            };
            next(run, it) == Some(State::Stopped(why))
        };
        each(run, fits, |it| without(run, it.line))
    }),
    way("an end is not told of", &["S1"], |run| {
        let fits = |it: &Seen| {
            let told = matches!(it.from, State::Stopping(_));
            told && matches!(it.state, State::Stopped(_)) && next(run, it) == Some(State::Starting)
        };
        each(run, fits, |it| without(run, it.line))
    }),
    way("a delay is not told of", &["S1"], |run| {
        each(run, |it| it.state == State::Backoff, |it| without(run, it.line))
    }),
    way("two moves of one service are swapped", &["S1", "C1"], |run| {
        let fits = |it: &Seen| it.state == State::Running && it.before.is_some();
        each(run, fits, |it| {
            but(run, |run| {
                let before = it.before.unwrap_or_default();
                let (one, other) =
                    (run.lines[before].what.clone(), run.lines[it.line].what.clone());
                (run.lines[before].what, run.lines[it.line].what) = (other, one);
            })
        })
    }),
    way("a wait for nothing", &["S1"], |run| {
        let bound = |it: usize| run.setup.ties.iter().any(|tie| tie.from == it);
        let free = |it: &Seen| {
            let waits = run.setup.cap.is_some() || run.setup.group.contains(&it.service);
            !waits && !bound(it.service)
        };
        let fits = |it: &Seen| it.state == State::Starting && free(it);
        each(run, fits, |it| {
            let (service, incarnation) = (it.service, it.incarnation - 1);
            with(run, it.line, What::State { service, state: State::Waiting, incarnation })
        })
    }),
    way("a run has the number of the one before", &["C1"], |run| {
        let fits = |it: &Seen| it.state == State::Starting && it.incarnation > 1;
        each(run, fits, |it| {
            but(run, |run| {
                if let What::State { incarnation, .. } = &mut run.lines[it.line].what {
                    *incarnation -= 1;
                }
            })
        })
    }),
    way("a second run begins beside the first", &["C1"], |run| {
        each(
            run,
            |it| it.state == State::Running,
            |it| {
                let (service, incarnation) = (it.service, it.incarnation + 1);
                with(run, it.line, What::Begun { service, incarnation })
            },
        )
    }),
    way("a run outlives its service", &["S1", "C1"], |run| {
        let leaked = |it: &Line| matches!(it.what, What::Released { .. });
        let ends = run.lines.iter().enumerate().filter(|(_, it)| {
            matches!(it.what, What::Ended { .. }) && !run.lines.iter().any(leaked)
        });
        ends.map(|(line, _)| without(run, line)).collect()
    }),
    way("a service starts before what it requires is ready", &["D1"], |run| {
        start_early(run, Kind::Requires)
    }),
    way("a service starts before what it wants is decided", &["D1"], |run| {
        start_early(run, Kind::Wants)
    }),
    way("a service starts before what it comes after is decided", &["D1"], |run| {
        start_early(run, Kind::After)
    }),
    way("a service stops before what requires it", &["D4", "X2"], |run| {
        let mut all = Vec::new();
        let moves = moves(run);
        let stops = |it: &&Seen| {
            matches!(it.state, State::Stopping(Why::Asked | Why::Shutdown))
                && it.from == State::Running
        };
        for it in moves.iter().filter(stops).filter(|_| !is_asked(run, Command::AbortNow)) {
            let first = moves.iter().rfind(|other| {
                let told = matches!(other.from, State::Stopping(_));
                let ends = !other.state.is_live() && told && other.line < it.line;
                ends && requires(run, other.service, it.service) && Some(other.line) > it.before
            });
            let whole = run.setup.shutdown.is_none();
            all.extend(first.filter(|_| whole).map(|other| earlier(run, it.line, other.line)));
        }
        all
    }),
    way("what requires a failed service goes on", &["D5"], |run| {
        let mut all = Vec::new();
        for (place, tie) in run.setup.ties.iter().enumerate() {
            let kept = tie.kind == Kind::Requires && tie.reaction == Reaction::Keep;
            let fails = moves(run).into_iter().any(|it| {
                let gone = it.service == tie.on && it.from == State::Running;
                let runs = || state(run, tie.from, it.line) == State::Running;
                let on = || {
                    let next = moves(run)
                        .into_iter()
                        .find(|next| next.service == tie.from && next.line > it.line);
                    next.is_some_and(|next| next.line > quiet(run))
                };
                gone && it.state == State::Backoff && runs() && on()
            });
            if kept && fails {
                all.push(but(run, |run| run.setup.ties[place].reaction = Reaction::Restart));
            }
        }
        all
    }),
];

/// A start that is told of before the other's first run is ready.
fn start_early(run: &Run, kind: Kind) -> Vec<Run> {
    let mut all = Vec::new();
    let moves = moves(run);
    for it in moves.iter().filter(|it| it.from == State::Waiting && it.state == State::Starting) {
        let ready = moves.iter().find(|other| {
            let tied = run
                .setup
                .ties
                .iter()
                .any(|tie| (tie.from, tie.on, tie.kind) == (it.service, other.service, kind));
            let within = it.before < Some(other.line) && other.line < it.line;
            tied && within && other.from == State::Starting && other.state == State::Running
        });
        all.extend(ready.map(|other| earlier(run, it.line, other.line)));
    }
    all
}

fn requires(run: &Run, from: usize, on: usize) -> bool {
    let hard = |tie: &schedules::Tie| (tie.from, tie.on, tie.kind) == (from, on, Kind::Requires);
    run.setup.ties.iter().any(hard)
}

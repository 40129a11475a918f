//! Runs in which somebody is up, or down, whom nobody keeps so.

use schedules::{Answer, Cause, Command, Line, Reaction, State, What, Why};

use super::look::{
    Seen, earlier, gone, is_alone, is_asked, is_cut_short, is_settled, moved, moves, quiet, state,
    told,
};
use super::mutate::{Mutation, each, next, starts, way};

const FAILED: State = State::Failed(Cause::Exit);

pub(super) const WAYS: &[Mutation] = &[
    way("a stopped service comes back by itself", &["S5", "D3"], |run| {
        let left = |of: usize| {
            let goes = |line: &Line| line.what == What::Removed { service: of };
            run.lines.iter().any(goes)
        };
        let fits = |it: &Seen| {
            it.state == State::Stopped(Why::Asked) && it.after.is_none() && !left(it.service)
        };
        let done = |it: &Seen| {
            told(run).iter().any(|call| {
                call.command == Command::Stop && call.line > it.line && call.line < quiet(run)
            })
        };
        each(
            run,
            |it| {
                fits(it)
                    && done(it)
                    && !is_cut_short(run)
                    && is_settled(run, it.before.unwrap_or(0))
            },
            |it| starts(run, it, quiet(run)),
        )
    }),
    way("a failed service comes back by itself", &["S2"], |run| {
        let fits = |it: &Seen| it.state == FAILED && it.after.is_none() && it.line < quiet(run);
        // A start may have come while it was told to stop.
        let by_itself = |it: &Seen| !matches!(it.from, State::Stopping(_));
        each(
            run,
            |it| fits(it) && by_itself(it) && !is_cut_short(run) && is_settled(run, it.line),
            |it| starts(run, it, quiet(run)),
        )
    }),
    way("a completed service comes back by itself", &["D3"], |run| {
        let completed = State::Stopped(Why::Completed);
        let fits = |it: &Seen| it.state == completed && it.after.is_none() && it.line < quiet(run);
        each(
            run,
            |it| fits(it) && !is_cut_short(run) && is_settled(run, it.line),
            |it| starts(run, it, quiet(run)),
        )
    }),
    way("a start is not undone", &["S2"], |run| {
        let mut all = Vec::new();
        for call in told(run).iter().filter(|call| call.answer == Answer::Failed) {
            let unneeded = State::Stopping(Why::Unneeded);
            let undone = moves(run)
                .into_iter()
                .find(|it| it.state == unneeded && (call.asked..call.line).contains(&it.line));
            if let Some(it) = undone.filter(|_| is_alone(run)) {
                all.push(earlier(run, call.line, it.line));
            }
        }
        all
    }),
    way("what is held is unneeded", &["D3"], |run| {
        let calm =
            !is_asked(run, Command::Stop) && !is_cut_short(run) && run.setup.group.is_empty();
        let named = |it: &Seen| {
            told(run).iter().any(|call| {
                call.service == Some(it.service)
                    && call.answer == Answer::Started
                    && call.line < it.line
            })
        };
        let loose = |it: &Seen| {
            let ties = run.setup.ties.iter();
            ties.filter(|tie| tie.from == it.service).all(|tie| tie.reaction == Reaction::Restart)
        };
        let first = |it: &Seen| {
            !moves(run).iter().any(|other| {
                other.service == it.service
                    && other.line < it.line
                    && !other.state.is_live()
                    && !matches!(other.state, State::Waiting)
            })
        };
        let fits = |it: &Seen| {
            it.state == State::Stopping(Why::Dependency)
                && it.from == State::Running
                && next(run, it) == Some(State::Stopped(Why::Dependency))
        };
        let fits = |it: &Seen| calm && fits(it) && named(it) && loose(it) && first(it);
        each(run, fits, |it| {
            let told = moved(run, it.line, State::Stopping(Why::Unneeded));
            moved(&told, it.after.unwrap_or_default(), State::Stopped(Why::Unneeded))
        })
    }),
    way("what is kept up is left stopped", &["D6"], |run| {
        let calm =
            !is_asked(run, Command::Stop) && !is_cut_short(run) && run.setup.group.is_empty();
        let stopped = State::Stopped(Why::Dependency);
        let named = |it: &Seen| {
            told(run).iter().any(|call| {
                call.service == Some(it.service)
                    && call.answer == Answer::Started
                    && call.line < it.line
            })
        };
        let bare = |it: &Seen| {
            let ties = run.setup.ties.iter();
            let own = ties.clone().filter(|tie| tie.from == it.service);
            !ties.clone().any(|tie| tie.on == it.service)
                && own.clone().all(|tie| tie.reaction == Reaction::Restart)
        };
        let first = |it: &Seen| {
            !moves(run).iter().any(|other| {
                other.service == it.service
                    && other.line < it.line
                    && matches!(other.state, State::Stopped(_) | State::Failed(_) | State::Backoff)
            })
        };
        let last =
            |it: &Seen| !told(run).iter().any(|call| call.line > it.line && call.line < quiet(run));
        let fits = |it: &Seen| it.state == stopped && it.line < quiet(run) && it.after.is_some();
        let fits = |it: &Seen| {
            calm && fits(it)
                && named(it)
                && bare(it)
                && first(it)
                && last(it)
                && state(run, it.service, quiet(run)) == State::Running
        };
        each(run, fits, |it| gone(run, it.service, it.line + 1, it.incarnation + 1))
    }),
];

//! Runs that are too early or too late, or never come to rest.

use schedules::{Command, Outcome, Run, State, What, Why};

use super::look::{Seen, but, gone, is_asked, is_cut_short, moves, quiet, told, with, without};
use super::mutate::{Mutation, each, ended, way};

pub(super) const WAYS: &[Mutation] = &[
    way("a run is dropped before its time", &["X1"], |run| {
        let moves = moves(run);
        let stops = moves.iter().filter(|it| {
            let told = matches!(it.from, State::Stopping(Why::Asked | Why::Shutdown));
            let before = it.before.map_or(0, |before| run.lines[before].at);
            let grace = run.setup.services[it.service].grace;
            told && grace.is_none_or(|grace| it.at < before + grace)
        });
        let left = |what: &What| matches!(what, What::Over { .. } | What::Released { .. });
        let over = run.lines.iter().any(|line| left(&line.what));
        let whole = !over && run.setup.shutdown.is_none() && !is_asked(run, Command::AbortNow);
        stops.filter(|_| whole).filter_map(|it| ended(run, it, Outcome::Aborted)).collect()
    }),
    way("a stop takes longer than it may", &["X1"], |run| {
        let slow = |it: &Seen| it.before.is_some_and(|before| run.lines[before].at < it.at);
        let fits = |it: &Seen| matches!(it.from, State::Stopping(_)) && slow(it);
        let whole = run.setup.shutdown.is_none();
        each(
            run,
            |it| whole && fits(it),
            |it| {
                but(run, |run| {
                    run.setup.join = 0;
                    run.setup.services[it.service].grace = Some(0);
                })
            },
        )
    }),
    way("a start is cut off before its time", &["S8"], |run| {
        each(
            run,
            |it| it.state == State::Stopping(Why::StartDeadline),
            |it| but(run, |run| run.setup.services[it.service].start = Some(1_000_000)),
        )
    }),
    way("a start takes longer than it may", &["S8"], |run| {
        let slow = |it: &Seen| it.before.is_some_and(|before| run.lines[before].at < it.at);
        let free = |it: &Seen| !run.setup.ties.iter().any(|tie| tie.on == it.service);
        let fits = |it: &Seen| it.from == State::Starting && it.state == State::Running;
        each(
            run,
            |it| fits(it) && slow(it) && free(it),
            |it| but(run, |run| run.setup.services[it.service].start = Some(0)),
        )
    }),
    way("a restart never comes", &["R3"], |run| {
        let fits = |it: &Seen| {
            let bare = !run.setup.ties.iter().any(|tie| tie.on == it.service);
            let quiet = it.line < quiet(run) && !is_cut_short(run);
            it.from == State::Backoff && it.state == State::Starting && bare && quiet
        };
        let calm = !is_asked(run, Command::Stop)
            && !is_asked(run, Command::Wait)
            && run.setup.group.is_empty();
        let alone = told(run).len() == 2;
        each(
            run,
            |it| calm && alone && fits(it),
            |it| gone(run, it.service, it.line, it.incarnation),
        )
    }),
    way("a run that gives its heartbeats has failed", &["S9"], |run| {
        let last = |it: &Seen| said(run, it, |what| matches!(what, What::Silent { .. }));
        let fits = |it: &Seen| it.state == State::Stopping(Why::Watchdog) && last(it).is_some();
        each(run, fits, |it| without(run, last(it).unwrap_or_default()))
    }),
    way("a run that gives no heartbeats goes on", &["S9"], |run| {
        let watched = |it: &Seen| run.setup.services[it.service].watchdog.is_some();
        let long = |it: &Seen| it.after.is_none_or(|after| run.lines[after].at > it.at + 1_000);
        let fits = |it: &Seen| it.state == State::Running && watched(it) && long(it);
        each(
            run,
            |it| fits(it) && bare(run, it),
            |it| {
                let Seen { service, incarnation, .. } = *it;
                with(run, it.line, What::Silent { service, incarnation })
            },
        )
    }),
    way("a run that said nothing was unhealthy", &["S10"], |run| {
        let last = |it: &Seen| said(run, it, |what| matches!(what, What::Ill { .. }));
        let fits = |it: &Seen| it.state == State::Stopping(Why::Health) && last(it).is_some();
        each(run, fits, |it| without(run, last(it).unwrap_or_default()))
    }),
    way("a run that is unhealthy goes on", &["S10"], |run| {
        let judged = |it: &Seen| run.setup.services[it.service].judged;
        let long = |it: &Seen| it.after.is_none_or(|after| run.lines[after].at > it.at);
        let fits = |it: &Seen| it.state == State::Running && judged(it) && long(it);
        each(
            run,
            |it| fits(it) && bare(run, it),
            |it| {
                let Seen { service, incarnation, .. } = *it;
                with(run, it.line, What::Ill { service, incarnation })
            },
        )
    }),
    way("a run has no end", &["form"], |run| vec![without(run, run.lines.len() - 1)]),
    way("time goes back", &["form"], |run| {
        let last = run.lines.len() - 1;
        vec![but(run, |run| run.lines[last].at = 0)]
    }),
];

/// Whether nobody depends on it in any way, and nothing ended it at once.
fn bare(run: &Run, of: &Seen) -> bool {
    let over = |what: &What| matches!(what, What::Ended { .. } | What::Over { .. });
    let ends = said(run, of, over).is_none_or(|line| run.lines[line].at > of.at + 1_000);
    ends && !run.setup.ties.iter().any(|tie| tie.on == of.service)
}

/// The line at which the run that a move is about said so.
fn said(run: &Run, of: &Seen, so: impl Fn(&What) -> bool) -> Option<usize> {
    run.lines.iter().position(|line| match line.what {
        What::Silent { service, incarnation }
        | What::Ill { service, incarnation }
        | What::Over { service, incarnation }
        | What::Ended { service, incarnation, .. } => {
            (service, incarnation) == (of.service, of.incarnation) && so(&line.what)
        }
        _ => false,
    })
}

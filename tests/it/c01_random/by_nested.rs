//! Runs in which what is inside a supervisor that is a service is not as that says.

use schedules::{Outcome, Run, State, What, Within};

use super::look::{Seen, but, moves, with, without};
use super::mutate::{Mutation, each, ended, way};

pub(super) const WAYS: &[Mutation] = &[
    way("a supervisor is ready before one inside", &["A4"], |run| {
        let fits = |it: &Seen| it.state == State::Running && is_nested(run, it.service);
        each(run, fits, |it| {
            but(run, |run| {
                run.lines.retain(|line| {
                    !matches!(line.what, What::Inside { service, incarnation, inner: 0, what: Within::Ready }
                        if service == it.service && incarnation == it.incarnation)
                });
            })
        })
    }),
    way("a supervisor has ended, and one inside has not", &["A4", "C1"], |run| {
        let ends = seen(run, |what| matches!(what, Within::Ended(_)));
        ends.into_iter().map(|(line, ..)| without(run, line)).collect()
    }),
    way("something begins inside what is over", &["A4"], |run| {
        let begins = seen(run, |what| what == Within::Begun);
        let last = run.lines.len() - 1;
        let again =
            |(line, ..): &(usize, usize, u32)| with(run, last, run.lines[*line].what.clone());
        begins.iter().map(again).collect()
    }),
    way("two of one name run inside", &["C1"], |run| {
        let begins = seen(run, |what| what == Within::Begun);
        let twice =
            |(line, ..): &(usize, usize, u32)| with(run, line + 1, run.lines[*line].what.clone());
        begins.iter().map(twice).collect()
    }),
    way("one inside is restarted more often than it may be", &["R4"], |run| {
        let again = seen(run, |what| what == Within::Is(State::Backoff));
        let none = |(_, service, _): (usize, usize, u32)| {
            but(run, |run| {
                run.setup.services[service].inner.iter_mut().for_each(|inner| inner.most = 0);
            })
        };
        again.into_iter().map(none).collect()
    }),
    way("a supervisor fails, and nobody inside has", &["A4"], |run| {
        let bad = |service: usize| {
            let failed = seen(run, |what| {
                matches!(what, Within::Is(State::Failed(_)) | Within::Ended(_))
                    && what != Within::Ended(Outcome::Ok)
            });
            failed.iter().any(|it| it.1 == service)
        };
        let fits =
            |it: &&Seen| is_nested(run, it.service) && !it.state.is_live() && !bad(it.service);
        let moves = moves(run);
        moves.iter().filter(fits).filter_map(|it| ended(run, it, Outcome::Error)).collect()
    }),
    way("a supervisor ends well, and one inside has failed", &["A4"], |run| {
        let failed = |it: &Seen| {
            let of = |what| matches!(what, Within::Is(_));
            let mut all = seen(run, of)
                .into_iter()
                .filter(|(_, who, which)| *who == it.service && *which == it.incarnation);
            let last = all.next_back().map(|(line, ..)| &run.lines[line].what);
            matches!(last, Some(What::Inside { what: Within::Is(State::Failed(_)), .. }))
        };
        let fits = |it: &&Seen| is_nested(run, it.service) && !it.state.is_live() && failed(it);
        let moves = moves(run);
        moves.iter().filter(fits).filter_map(|it| ended(run, it, Outcome::Ok)).collect()
    }),
    way("a supervisor does not wait for one inside", &["A4"], |run| {
        let fits = |it: &Seen| {
            let slow = run.setup.services[it.service].grace.is_some_and(|grace| grace > 0);
            let told = matches!(it.state, State::Stopping(_)) && it.before.is_some();
            is_nested(run, it.service)
                && told
                && slow
                && run.setup.shutdown.is_none()
                && seen(run, |_| true).iter().any(|(line, who, which)| {
                    *line > it.line && *who == it.service && *which == it.incarnation
                })
        };
        each(run, fits, |it| {
            let (service, incarnation) = (it.service, it.incarnation);
            with(run, it.line + 1, What::Over { service, incarnation })
        })
    }),
];

fn is_nested(run: &Run, service: usize) -> bool {
    !run.setup.services[service].inner.is_empty()
}

/// What was seen inside: the line, whose run, and which.
fn seen(run: &Run, fits: impl Fn(Within) -> bool) -> Vec<(usize, usize, u32)> {
    let all = run.lines.iter().enumerate();
    let inside = all.filter_map(|(line, it)| match it.what {
        What::Inside { service, incarnation, what, .. } if fits(what) => {
            Some((line, service, incarnation))
        }
        _ => None,
    });
    inside.collect()
}

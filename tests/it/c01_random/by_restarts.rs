//! Runs whose restarts are not right.

use schedules::{Answer, Cause, Command, GiveUp, Outcome, Policy, Run, State, What, Why};

use super::look::{Seen, but, is_asked, is_cut_short, moved, moves, state, told};
use super::mutate::{Mutation, each, ended, starts, way};

const FAILED: State = State::Failed(Cause::Exit);

pub(super) const WAYS: &[Mutation] = &[
    way("a service starts in a shutdown", &["R9"], |run| {
        let fits = |it: &Seen| it.state == State::Stopped(Why::Shutdown) && it.after.is_none();
        each(run, fits, |it| starts(run, it, it.line + 1))
    }),
    way("a temporary service comes back", &["R1", "R2"], |run| {
        let temporary = |it: &Seen| run.setup.services[it.service].restart == Policy::Temporary;
        let fits =
            |it: &Seen| it.state == FAILED && it.from == State::Running && it.after.is_none();
        each(run, |it| fits(it) && temporary(it), |it| moved(run, it.line, State::Backoff))
    }),
    way("a service that may not comes back", &["R1", "S4"], |run| {
        each(
            run,
            |it| it.state == State::Backoff,
            |it| but(run, |run| run.setup.services[it.service].restart = Policy::Temporary),
        )
    }),
    way("a service that is to come back stays down", &["R1"], |run| {
        let well = State::Stopped(Why::Completed);
        let fits = |it: &Seen| {
            let row = &run.setup.services[it.service];
            let named = told(run).iter().any(|call| {
                let up = call.answer == Answer::Started && call.service == Some(it.service);
                let up = up && call.line < it.line;
                up && it.before.is_some_and(|before| (call.asked..call.line).contains(&before))
            });
            let other = row.restart == Policy::Transient && row.intensity != Some(0);
            it.state == well && other && named && it.after.is_none()
        };
        let calm = !is_asked(run, Command::Stop) && !is_cut_short(run);
        each(
            run,
            |it| calm && fits(it),
            |it| but(run, |run| run.setup.services[it.service].restart = Policy::Permanent),
        )
    }),
    way("a run that completed had an error", &["S4"], |run| {
        let moves = moves(run);
        let completed = moves.iter().filter(|it| it.state == State::Stopped(Why::Completed));
        completed.filter_map(|it| ended(run, it, Outcome::Error)).collect()
    }),
    way("a run that failed had none", &["S4"], |run| {
        let moves = moves(run);
        let failed = moves.iter().filter(|it| it.state == FAILED && it.from == State::Running);
        failed.filter_map(|it| ended(run, it, Outcome::Ok)).collect()
    }),
    way("what has failed for good comes back", &["R2"], |run| {
        let moves = moves(run);
        let again =
            moves.iter().filter(|it| it.state == State::Backoff && it.from == State::Running);
        again.filter_map(|it| ended(run, it, Outcome::Fatal)).collect()
    }),
    way("a restart does not wait for its delay", &["R3"], |run| {
        let named = |it: &Seen| is_named(run, it);
        let fits = |it: &Seen| it.from == State::Backoff && it.state == State::Starting;
        each(
            run,
            |it| fits(it) && !named(it),
            |it| but(run, |run| run.setup.services[it.service].delay += 100_000),
        )
    }),
    way("a restart more than there may be", &["R4"], |run| {
        each(
            run,
            |it| it.state == State::Backoff,
            |it| but(run, |run| run.setup.services[it.service].intensity = Some(0)),
        )
    }),
    way("a service is given up too soon", &["R4", "S2"], |run| {
        let first = |it: &Seen| {
            let of = |other: &Seen| other.service == it.service && other.state == State::Backoff;
            !moves(run).iter().any(of) && run.setup.services[it.service].intensity > Some(0)
        };
        let leaves = |it: &Seen| run.setup.services[it.service].give_up == GiveUp::Leave;
        let fits = |it: &Seen| it.state == FAILED && it.from == State::Running;
        let comes = |it: &Seen| run.setup.services[it.service].restart != Policy::Temporary;
        let fatal = |it: &Seen| {
            run.lines.iter().any(|line| {
                matches!(line.what, What::Ended { service, outcome: Outcome::Fatal, .. }
                if service == it.service)
            })
        };
        let fits = |it: &Seen| fits(it) && comes(it) && first(it) && leaves(it) && !fatal(it);
        each(run, fits, |it| moved(run, it.line, State::Failed(Cause::GaveUp)))
    }),
    way("a cool-down is not waited for", &["R5"], |run| {
        let cooling = State::Failed(Cause::CoolingDown);
        let pulled = |it: &Seen| {
            let from = it.before.unwrap_or_default();
            told(run).iter().any(|call| call.asked < it.line && call.line > from)
        };
        let fits = |it: &Seen| it.from == cooling && it.state == State::Starting && !pulled(it);
        let open = run
            .lines
            .iter()
            .any(|it| matches!(it.what, What::Reply { answer: Answer::Dropped, .. }));
        each(
            run,
            |it| fits(it) && !open && run.setup.budget.is_none(),
            |it| {
                but(run, |run| run.setup.services[it.service].give_up = GiveUp::CoolDown(1_000_000))
            },
        )
    }),
    way("one of a group goes on", &["R6"], |run| {
        let mut all = Vec::new();
        for it in moves(run).iter().filter(|it| it.state == State::Backoff) {
            let other = (0..run.setup.services.len()).find(|other| {
                let next = moves(run).into_iter().find(|m| m.service == *other && m.line > it.line);
                let on = next.is_none_or(|next| !matches!(next.state, State::Stopping(_)));
                *other != it.service && state(run, *other, it.line) == State::Running && on
            });
            let other = other.filter(|_| run.setup.group.is_empty());
            all.extend(
                other.map(|other| but(run, |run| run.setup.group = vec![it.service, other])),
            );
        }
        all
    }),
];

/// Whether a call named the service while it waited for its delay.
fn is_named(run: &Run, it: &Seen) -> bool {
    let from = it.before.unwrap_or_default();
    let mut open: Vec<(u32, usize)> = Vec::new();
    for (line, seen) in run.lines[..it.line].iter().enumerate() {
        match seen.what {
            What::Command { id, service, .. } if service == Some(it.service) => {
                open.push((id, line))
            }
            What::Reply { id, answer, .. } if answer != Answer::Dropped && line < from => {
                open.retain(|(of, _)| *of != id);
            }
            _ => {}
        }
    }
    !open.is_empty()
}

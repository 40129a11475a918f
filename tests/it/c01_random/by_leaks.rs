//! Runs that are said to have leaked, or not, against what was so.

use schedules::{Answer, Cause, Command, State, Why};

use super::by_calls::answered;
use super::look::{Seen, Told, but, moved, state};
use super::mutate::{Mutation, each, each_call, starts, way};

const LEAKED: State = State::Failed(Cause::Leaked);

pub(super) const WAYS: &[Mutation] = &[
    way("a run that ends in time has leaked", &["X3"], |run| {
        let fits = |it: &Seen| it.state == State::Stopped(Why::Asked) && it.from.is_live();
        each(run, fits, |it| moved(run, it.line, LEAKED))
    }),
    way("a run is given up too soon", &["X3"], |run| {
        let longer = || but(run, |run| run.setup.join = 100_000);
        each(run, |it| it.state == LEAKED, |_| longer())
    }),
    way("a run that does not end is waited for too long", &["X1", "X3"], |run| {
        let bounded = |it: &Seen| run.setup.services[it.service].grace.is_some();
        let shorter = || but(run, |run| run.setup.join = 1);
        each(run, |it| it.state == LEAKED && bounded(it), |_| shorter())
    }),
    way("what has leaked starts before it has ended", &["X3"], |run| {
        each(run, |it| it.state == LEAKED && it.after.is_none(), |it| starts(run, it, it.line + 1))
    }),
    way("a stop of what has leaked is answered as any other", &["X3"], |run| {
        let leaked =
            |call: &Told| call.service.is_some_and(|it| state(run, it, call.asked) == LEAKED);
        let fits = |call: &Told| call.command == Command::Stop && leaked(call);
        each_call(
            run,
            |call| fits(call) && call.answer == Answer::RefusedLeaked,
            |call| answered(run, call.line, Answer::Stopped, None),
        )
    }),
];

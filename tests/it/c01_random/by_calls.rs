//! Runs whose answers are not right.

use schedules::{Answer, Command, Line, Run, State, What, Why};

use super::look::{
    Seen, Told, but, earlier, is_alone, is_asked, is_cut_short, moved, moves, quiet, state, with,
    without,
};
use super::mutate::{Mutation, each, each_call, way};

pub(super) const WAYS: &[Mutation] = &[
    way("a call has no answer", &["C6"], |run| {
        each_call(run, |_| true, |call| without(run, call.line))
    }),
    way("a call has two answers", &["C6"], |run| {
        each_call(run, |_| true, |call| with(run, call.line, run.lines[call.line].what.clone()))
    }),
    way("an answer is that of another command", &["C6"], |run| {
        let fits = |call: &Told| call.answer == Answer::Started;
        each_call(run, fits, |call| answered(run, call.line, Answer::Restarted, None))
    }),
    way("a wait is over while the service runs", &["C6"], |run| {
        let fits = |call: &Told| {
            let runs = call.service.is_some_and(|it| state(run, it, call.asked).is_live());
            call.command == Command::Wait && runs && call.line > call.asked + 1
        };
        each_call(run, fits, |call| earlier(run, call.line, call.asked + 1))
    }),
    way("a start answers before its service is ready", &["S2", "C5"], |run| {
        let fits = |call: &Told| {
            let fresh = call.service.map(|it| state(run, it, call.asked));
            matches!(call.answer, Answer::Started | Answer::Restarted)
                && fresh.is_some_and(|state| !state.is_live())
        };
        each_call(run, fits, |call| earlier(run, call.line, call.asked + 1))
    }),
    way("a start had nothing to do", &["S2"], |run| {
        let fits = |call: &Told| {
            let fresh = call.service.map(|it| state(run, it, call.asked));
            call.answer == Answer::Failed
                && fresh == Some(State::Stopped(Why::NeverStarted))
                && !moves(run)
                    .iter()
                    .any(|it| Some(it.service) == call.service && it.state == State::Running)
                && call.command == Command::Start
        };
        each_call(run, fits, |call| answered(run, call.line, Answer::AlreadyRunning, None))
    }),
    way("a start joins nobody", &["S2"], |run| {
        let fits = |call: &Told| is_alone(run) && call.answer == Answer::Started;
        each_call(run, fits, |call| answered(run, call.line, Answer::Joined, None))
    }),
    way("a start fails for somebody who did not", &["S2"], |run| {
        let fits = |call: &Told| call.answer == Answer::Started && is_alone(run);
        let fits = |call: &Told| {
            let failed = |it: &Seen| matches!(it.state, State::Failed(_) | State::Backoff);
            fits(call) && !moves(run).iter().any(failed)
        };
        each_call(run, fits, |call| answered(run, call.line, Answer::Failed, call.service))
    }),
    way("a stop answers before its service has ended", &["D4"], |run| {
        let fits = |call: &Told| {
            let lives = call.service.is_some_and(|it| state(run, it, call.asked).is_live());
            let waits = call.answer != Answer::OwnEnd && call.line > call.asked + 1;
            let whole = call.answer != Answer::RefusedLeaked;
            call.command == Command::Stop && lives && waits && whole
        };
        each_call(run, fits, |call| earlier(run, call.line, call.asked + 1))
    }),
    way("a stop does not list whom it stopped", &["D4"], |run| {
        let alone = !is_asked(run, Command::Restart) && commands(run, Command::Stop) == 1;
        let fits = |call: &Told| {
            let ran = |it: usize| state(run, it, call.asked) == State::Running;
            let asked = |it: &Seen| {
                Some(it.service) == call.service && it.state == State::Stopping(Why::Asked)
            };
            let told = moves(run).iter().any(asked);
            call.command == Command::Stop && told && call.service.is_some_and(ran)
        };
        each_call(
            run,
            |call| alone && fits(call),
            |call| listing(run, call.line, |listed| listed.retain(|it| Some(*it) != call.service)),
        )
    }),
    way("a stop lists who does not run", &["D4"], |run| {
        let never = |it: &usize| !moves(run).iter().any(|seen| seen.service == *it);
        let name = |it: usize| &run.setup.services[it].name;
        let all = 0..run.setup.services.len();
        let alone = |it: &usize| all.clone().filter(|other| name(*other) == name(*it)).count() == 1;
        let idle = all.clone().find(|it| never(it) && alone(it));
        let fits = |call: &Told| call.command == Command::Stop && call.answer == Answer::Stopped;
        each_call(
            run,
            |call| idle.is_some() && fits(call),
            |call| listing(run, call.line, |listed| listed.extend(idle)),
        )
    }),
    way("a stop of what nobody uses is refused", &["D4", "S5"], |run| {
        let used = |it: usize| run.setup.ties.iter().any(|tie| tie.on == it);
        let fits = |call: &Told| {
            let stops = call.command == Command::StopUnused && call.answer == Answer::Stopped;
            stops && call.service.is_some_and(|it| !used(it))
        };
        each_call(run, fits, |call| answered(run, call.line, Answer::RefusedInUse, None))
    }),
    way("a stop is refused for somebody who does not use the service", &["D4"], |run| {
        let fits = |call: &Told| call.answer == Answer::RefusedInUse;
        each_call(run, fits, |call| listing(run, call.line, |listed| listed.extend(call.service)))
    }),
    way("a stop that others are in the way of stops them", &["D4"], |run| {
        let fits = |call: &Told| call.command == Command::Stop && call.listed.len() > 1;
        each_call(run, fits, |call| {
            but(run, |run| {
                if let What::Command { command, .. } = &mut run.lines[call.asked].what {
                    *command = Command::StopUnused;
                }
            })
        })
    }),
    way("a service is told that it was asked to stop, and was not", &["S12"], |run| {
        let calm = !is_asked(run, Command::Stop) && !is_asked(run, Command::StopUnused);
        let fits = |it: &Seen| it.state == State::Stopping(Why::Dependency);
        each(run, |it| calm && fits(it), |it| moved(run, it.line, State::Stopping(Why::Asked)))
    }),
    way("a call that waits for its own end is answered", &["C2"], |run| {
        let fits = |call: &Told| call.answer == Answer::OwnEnd;
        each_call(run, fits, |call| answered(run, call.line, Answer::Done, None))
    }),
    way("a call that does not wait for its own end is refused", &["C2"], |run| {
        let fits = |call: &Told| call.command == Command::Wait && call.answer == Answer::Done;
        each_call(run, fits, |call| answered(run, call.line, Answer::OwnEnd, None))
    }),
    way("a start is stopped by nobody", &["S5"], |run| {
        let calm = !is_asked(run, Command::Stop)
            && !is_asked(run, Command::StopUnused)
            && !is_cut_short(run);
        let fits = |call: &Told| call.answer == Answer::Failed;
        each_call(
            run,
            |call| calm && fits(call),
            |call| answered(run, call.line, Answer::Stopped, call.service),
        )
    }),
    way("a start is refused for a shutdown that nobody asked for", &["X5"], |run| {
        let fits = |call: &Told| call.answer == Answer::Failed;
        each_call(
            run,
            |call| !is_cut_short(run) && fits(call),
            |call| answered(run, call.line, Answer::RefusedShutdown, call.service),
        )
    }),
    way("a start is refused for a leak that is not there", &["X3"], |run| {
        let fits = |call: &Told| call.answer == Answer::Failed;
        each_call(run, fits, |call| answered(run, call.line, Answer::RefusedLeaked, call.service))
    }),
    way("a shutdown answers before all have ended", &["X3"], |run| {
        let moves = moves(run);
        let last = moves.iter().rfind(|it| matches!(it.from, State::Stopping(_)));
        let fits = |call: &Told| {
            let after = last.is_some_and(|it| it.line < call.line && it.line > call.asked);
            call.command == Command::Shutdown && after
        };
        each_call(run, fits, |call| earlier(run, call.line, last.map_or(0, |it| it.line)))
    }),
    way("the report of a shutdown leaves somebody out", &["X2"], |run| {
        let quiet = quiet(run);
        let fits = |call: &Told| {
            let late = call.command == Command::Shutdown && call.asked == quiet + 1;
            late && call.listed.len() > 1 && !is_cut_short(run)
        };
        each_call(run, fits, |call| {
            let kept = call.listed[0];
            listing(run, call.line, |listed| listed.retain(|it| *it == kept))
        })
    }),
];

pub(super) fn answered(run: &Run, line: usize, by: Answer, who: Option<usize>) -> Run {
    but(run, |run| {
        if let What::Reply { answer, service, .. } = &mut run.lines[line].what {
            (*answer, *service) = (by, who);
        }
    })
}

fn listing(run: &Run, line: usize, change: impl FnOnce(&mut Vec<usize>)) -> Run {
    but(run, |run| {
        if let What::Reply { stopped: Some(stopped), .. } = &mut run.lines[line].what {
            change(stopped);
        }
    })
}

/// How many such commands there are.
fn commands(run: &Run, of: Command) -> usize {
    let fits = |line: &&Line| matches!(line.what, What::Command { command, .. } if command == of);
    run.lines.iter().filter(fits).count()
}

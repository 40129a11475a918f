//! A recorded run as those see it who change it.

use schedules::{Answer, Command, Line, Run, State, What, Why};

/// A move, and its neighbours among those of its service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) line: usize,
    pub(super) at: u64,
    pub(super) service: usize,
    pub(super) from: State,
    pub(super) state: State,
    pub(super) incarnation: u32,
    pub(super) before: Option<usize>,
    pub(super) after: Option<usize>,
}

/// All moves, in order.
pub(super) fn moves(run: &Run) -> Vec<Seen> {
    let mut last: Vec<Option<usize>> = vec![None; run.setup.services.len()];
    let mut all: Vec<Seen> = Vec::new();
    for (line, seen) in run.lines.iter().enumerate() {
        let What::State { service, state, incarnation } = seen.what else { continue };
        let before = last[service].replace(all.len());
        let from = before.map_or(State::Stopped(Why::NeverStarted), |it| all[it].state);
        if let Some(before) = before {
            all[before].after = Some(line);
        }
        let before = before.map(|it| all[it].line);
        let (at, after) = (seen.at, None);
        all.push(Seen { line, at, service, from, state, incarnation, before, after });
    }
    all
}

/// A call with its answer.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) asked: usize,
    pub(super) line: usize,
    pub(super) command: Command,
    pub(super) service: Option<usize>,
    pub(super) answer: Answer,
    pub(super) listed: Vec<usize>,
}

/// All calls that were answered.
pub(super) fn told(run: &Run) -> Vec<Told> {
    let mut all = Vec::new();
    for (line, seen) in run.lines.iter().enumerate() {
        let What::Reply { id, answer, stopped, .. } = &seen.what else { continue };
        let asked = run.lines[..line].iter().enumerate().find_map(|(asked, it)| match it.what {
            What::Command { id: of, command, service, .. } if of == *id => {
                Some((asked, command, service))
            }
            _ => None,
        });
        let Some((asked, command, service)) = asked.filter(|_| !answer.is_unheard()) else {
            continue;
        };
        let listed = stopped.clone().unwrap_or_default();
        all.push(Told { asked, line, command, service, answer: *answer, listed });
    }
    all
}

/// The line at which nothing happens any more by itself.
pub(super) fn quiet(run: &Run) -> usize {
    run.lines.iter().position(|line| line.what == What::Quiet).unwrap_or(run.lines.len() - 1)
}

/// Where the service stands at that line.
pub(super) fn state(run: &Run, service: usize, line: usize) -> State {
    let before = moves(run).into_iter().rfind(|it| it.service == service && it.line < line);
    before.map_or(State::Stopped(Why::NeverStarted), |it| it.state)
}

/// Whether somebody ends everything, before it is quiet.
pub(super) fn is_cut_short(run: &Run) -> bool {
    let quiet = quiet(run);
    run.lines.iter().enumerate().any(|(line, seen)| match seen.what {
        What::Command { command: Command::AbortNow, .. } => true,
        What::Command { command: Command::Shutdown, .. } => line < quiet,
        What::State { state: State::Stopping(Why::Shutdown), .. } => line < quiet,
        What::State { state: State::Stopped(Why::Shutdown), .. } => line < quiet,
        _ => false,
    })
}

/// Whether somebody asked for it by this command, or for all.
pub(super) fn is_asked(run: &Run, command: Command) -> bool {
    let of = |line: &Line| matches!(line.what, What::Command { command: it, .. } if it == command);
    run.lines.iter().any(of)
}

/// The run after a change.
pub(super) fn but(run: &Run, change: impl FnOnce(&mut Run)) -> Run {
    let mut run = run.clone();
    change(&mut run);
    run
}

/// Without a line.
pub(super) fn without(run: &Run, line: usize) -> Run {
    but(run, |run| {
        run.lines.remove(line);
    })
}

/// With a line more, before that one and at its time.
pub(super) fn with(run: &Run, line: usize, what: What) -> Run {
    but(run, |run| {
        let at = run.lines[line].at;
        run.lines.insert(line, Line { at, what });
    })
}

/// With a line that is there earlier than it was.
pub(super) fn earlier(run: &Run, line: usize, to: usize) -> Run {
    but(run, |run| {
        let moved = run.lines.remove(line);
        let at = run.lines[to].at;
        run.lines.insert(to, Line { at, ..moved });
    })
}

/// With another state.
pub(super) fn moved(run: &Run, line: usize, to: State) -> Run {
    but(run, |run| {
        if let What::State { state, .. } = &mut run.lines[line].what {
            *state = to;
        }
    })
}

/// Without anything of the service from that line, and that run, on.
pub(super) fn gone(run: &Run, of: usize, from: usize, first: u32) -> Run {
    but(run, |run| {
        let mut line = 0;
        run.lines.retain_mut(|seen| {
            line += 1;
            match &mut seen.what {
                What::Reply { stopped: Some(stopped), .. } if line > from => {
                    stopped.retain(|it| *it != of);
                    true
                }
                What::State { service, .. } => *service != of || line <= from,
                What::Begun { service, incarnation }
                | What::Over { service, incarnation }
                | What::Silent { service, incarnation }
                | What::Ill { service, incarnation }
                | What::Ended { service, incarnation, .. } => {
                    *service != of || *incarnation < first
                }
                _ => true,
            }
        });
    })
}

/// Whether every call that pulls something up was answered before that line, and no run had tasks that
/// outlasted it.
pub(super) fn is_settled(run: &Run, line: usize) -> bool {
    let over = run.lines.iter().any(|line| matches!(line.what, What::Over { .. }));
    let pulls = |call: &&Told| matches!(call.command, Command::Start | Command::Restart);
    !over && is_heard(run) && told(run).iter().filter(pulls).all(|call| call.line < line)
}

/// Whether one call alone pulls something up.
pub(super) fn is_alone(run: &Run) -> bool {
    let pulls = |line: &&Line| {
        matches!(line.what, What::Command { command: Command::Start | Command::Restart, .. })
    };
    run.lines.iter().filter(pulls).count() == 1
}

/// Whether every call was heard to its end.
pub(super) fn is_heard(run: &Run) -> bool {
    let dropped =
        |line: &Line| matches!(line.what, What::Reply { answer, .. } if answer.is_unheard());
    !run.lines.iter().any(dropped)
}

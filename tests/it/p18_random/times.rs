//! When attempts began, how many there were, and for whose sake.
//!
//! Trap: which of several calls made an attempt can not be seen. So an attempt needs one call that may
//! have made it then, and a call that must have made it by then is a bound.

use super::case::{Asks, Call};
use super::check::{Agrees, Ran, Round, ensure};
use super::model::{Code, Outcome};
use super::play::{Answer, What};

/// One call, and when it was made and answered: numbers of marks.
struct Made {
    call: Call,
    asked: usize,
    /// When a strict one was answered with an error.
    over: Option<usize>,
    /// Who takes part.
    members: Vec<bool>,
    /// For each plugin the mark at which all that it depends on has been decided for this call.
    ready: Vec<Option<usize>>,
    /// Whose has been reckoned.
    reckoned: Vec<bool>,
}

pub(super) fn agree(round: &Round<'_>) -> Agrees {
    let calls: Vec<_> = (0..round.seen.answers.len()).map(|number| made(round, number)).collect();
    let occupied = occupied(round)?;
    for at in 0..round.case.plugins.len() {
        let agrees = counts(round, &calls, at).and_then(|()| begins(round, &calls, &occupied, at));
        agrees.map_err(|what| format!("{}: {what}", round.name(at)))?;
    }
    match &calls[..] {
        [only] if round.case.places.is_none() => critical_path(round, only),
        _ => Ok(()),
    }
}

fn made(round: &Round<'_>, number: usize) -> Made {
    let call = round.case.rounds[round.number].calls[number];
    let asked = round.asked(number);
    let answered = round.seen.marks.iter().position(|mark| mark.what == What::Answered(number));
    let error = matches!(round.seen.answers[number], Answer::All(Err(_)));
    let count = round.case.plugins.len();
    let unusable = |at: usize| round.before[at].outcome == Some(Outcome::Unusable);
    let broken = (0..count).any(|at| round.case.plugins[at].present && unusable(at));
    let none = vec![false; count];
    let members = match call.asks {
        Asks::All => vec![true; count],
        Asks::AllStrictly if broken => none,
        Asks::AllStrictly => vec![true; count],
        Asks::One(at) if is_settled(round, at, asked) => none,
        Asks::One(at) => {
            let loaded = |to| is_settled(round, to, asked) && round.after(to).is_loaded();
            round.graph.closure(at, loaded)
        }
    };
    let over = answered.filter(|_| error);
    let (ready, reckoned) = (vec![None; count], vec![false; count]);
    let mut made = Made { call, asked, over, members, ready, reckoned };
    for at in (0..count).filter(|at| !round.graph.broken[*at]) {
        made.reckon(round, at);
    }
    made
}

fn is_settled(round: &Round<'_>, at: usize, mark: usize) -> bool {
    let ended = round.ran[at].iter().any(|ran| ran.end < mark);
    round.before[at].is_settled() || (ended && round.after(at).is_settled())
}

fn millis(round: &Round<'_>, mark: usize) -> u64 {
    round.seen.marks[mark].millis
}

impl Made {
    fn is_strict(&self) -> bool {
        self.call.asks == Asks::AllStrictly
    }

    /// Whether it makes attempts for what takes part in it, for all that can be seen: not when its
    /// target is under way for another call, and may be when that is skipped in the end.
    fn surely_attempts(&self, round: &Round<'_>, at: usize) -> bool {
        match self.call.asks {
            Asks::One(target) if target != at => {
                let under_way = |ran: &Ran| ran.begin < self.asked && ran.end > self.asked;
                !round.is_skipped(target) && !round.ran[target].iter().any(under_way)
            }
            _ => !self.is_strict() || self.over.is_none() && self.call.gives_up_after.is_none(),
        }
    }

    fn reckon(&mut self, round: &Round<'_>, at: usize) -> Option<usize> {
        if !self.reckoned[at] {
            self.reckoned[at] = true;
            let mut ready = Some(self.asked);
            for (_, to) in round.graph.usable(at) {
                let decided = if self.members[to] { self.decided(round, to) } else { ready };
                ready = ready.and_then(|ready| Some(ready.max(decided?)));
            }
            self.ready[at] = ready;
        }
        self.ready[at]
    }

    fn decided(&mut self, round: &Round<'_>, at: usize) -> Option<usize> {
        let settled = is_settled(round, at, self.asked);
        if settled && round.after(at).is_loaded() {
            return Some(self.asked);
        }
        // What is disabled takes its turn as well: it may have been reconsidered by then.
        let ready = self.reckon(round, at)?;
        if settled || round.is_skipped(at) {
            return Some(ready);
        }
        let end = round.ran[at].iter().map(|ran| ran.end).find(|end| *end > self.asked)?;
        Some(ready.max(end))
    }
}

/// One attempt for all who had asked before its end, and at least one for everybody.
fn counts(round: &Round<'_>, calls: &[Made], at: usize) -> Agrees {
    let pulls = |made: &&Made| made.members[at];
    let askers = calls.iter().filter(pulls).count();
    ensure(round.skips[at] <= askers, || format!("skipped {} times", round.skips[at]))?;
    for pair in round.ran[at].windows(2) {
        let asked = |made: &Made| pair[0].end < made.asked && made.asked < pair[1].begin;
        ensure(calls.iter().filter(pulls).any(asked), || {
            format!("nobody asked for the attempt {pair:?}")
        })?;
    }
    for made in calls.iter().filter(pulls) {
        if is_settled(round, at, made.asked) || !made.surely_attempts(round, at) {
            continue;
        }
        let ended = round.ran[at].iter().any(|ran| ran.end > made.asked);
        ensure(ended || round.skips[at] > 0, || format!("no attempt for {:?}", made.call))?;
    }
    Ok(())
}

/// Each attempt begins when a call is ready for it: no sooner, and no later but for want of a place.
fn begins(round: &Round<'_>, calls: &[Made], occupied: &[usize], at: usize) -> Agrees {
    let mut before = None;
    let depends = round.graph.reach(at, |_, _| true);
    // What another call tries anew is waited for; whose turn it then was can not be seen.
    let calm = (0..depends.len())
        .all(|to| !depends[to] || round.ran[to].len() <= 1 && round.skips[to] <= 1);
    for ran in &round.ran[at] {
        let asks = |made: &&Made| {
            let fresh = before.is_none_or(|end| end < made.asked) && made.asked < ran.begin;
            made.members[at] && fresh
        };
        let may = calls.iter().filter(asks).any(|made| {
            let in_time =
                made.over.is_none_or(|over| millis(round, ran.begin) <= millis(round, over));
            in_time && made.ready[at].is_some_and(|ready| ready < ran.begin)
        });
        ensure(may, || format!("begins too soon: {ran:?}"))?;
        for made in calls.iter().filter(asks).filter(|_| calm) {
            if !made.surely_attempts(round, at) {
                continue;
            }
            let Some(ready) = made.ready[at] else { continue };
            let late = millis(round, ready.max(made.asked))..millis(round, ran.begin);
            let full = |now: u64| round.case.places == occupied.get(now_of(round, now)).copied();
            ensure(late.clone().all(full), || format!("{ran:?} waits for nothing in {late:?}"))?;
        }
        before = Some(ran.end);
    }
    Ok(())
}

/// The place of a moment in what [`occupied`] tells.
fn now_of(round: &Round<'_>, millis: u64) -> usize {
    (millis - round.seen.marks.first().map_or(millis, |mark| mark.millis)) as usize
}

/// How many attempts are under way at the end of each millisecond; never more than there are places.
fn occupied(round: &Round<'_>) -> Result<Vec<usize>, String> {
    let mut begun = vec![false; round.case.plugins.len()];
    let (mut now, mut occupied) = (0, Vec::new());
    for (number, mark) in round.seen.marks.iter().enumerate() {
        let What::Ran(at, code) = mark.what else { continue };
        if round.is_skipped(at) {
            continue;
        }
        occupied.resize(now_of(round, mark.millis), now);
        if code == Code::End {
            begun[at] = false;
            now -= 1;
        } else if !begun[at] {
            begun[at] = true;
            now += 1;
        }
        let places = round.case.places.unwrap_or(usize::MAX);
        ensure(now <= places, || format!("{now} are under way at mark {number}"))?;
    }
    Ok(occupied)
}

/// Without a limit a call takes as long as the longest chain, which is known before it is made.
fn critical_path(round: &Round<'_>, made: &Made) -> Agrees {
    let count = round.case.plugins.len();
    let mut begins: Vec<Option<u64>> = vec![None; count];
    let mut ends: Vec<Option<u64>> = vec![None; count];
    let unusable = |at: usize| round.before[at].outcome == Some(Outcome::Unusable);
    let mut open: Vec<_> = (0..count).filter(|at| made.members[*at]).collect();
    while !open.is_empty() {
        for at in std::mem::take(&mut open) {
            let waits = round.graph.usable(at).filter(|(_, to)| made.members[*to]);
            let begin = match round.before[at].is_loaded() || unusable(at) {
                true => Some(0),
                false => {
                    waits.map(|(_, to)| ends[to]).try_fold(0, |most, end| Some(end?.max(most)))
                }
            };
            let Some(begin) = begin else {
                open.push(at);
                continue;
            };
            begins[at] = Some(begin);
            ends[at] = Some(begin + round.attempts[at].as_ref().map_or(0, |it| it.takes()));
        }
    }
    let zero = millis(round, made.asked);
    for (at, begin) in begins.iter().enumerate() {
        for ran in &round.ran[at] {
            let begun = Some(millis(round, ran.begin) - zero);
            ensure(begun == *begin, || {
                format!("{} began at {begun:?}, not at {:?}", round.name(at), begin)
            })?;
        }
    }
    let Some(answered) = round.seen.marks.iter().find(|mark| mark.what == What::Answered(0)) else {
        return Ok(());
    };
    let fails = |at: &usize| {
        let outcome = round.attempts[*at].as_ref().and_then(|it| it.known.outcome.as_ref());
        outcome.is_some_and(Outcome::is_failure)
    };
    let first_failure = (0..count).filter(fails).filter_map(|at| ends[at]).min();
    let last = match made.call.asks {
        Asks::One(at) => ends[at],
        _ => ends.iter().flatten().max().copied(),
    };
    let end = if made.is_strict() { first_failure.or(last) } else { last };
    let took = answered.millis - zero;
    ensure(took == end.unwrap_or(0), || format!("it took {took} ms, not {end:?}"))?;
    match first_failure.filter(|_| made.is_strict()) {
        Some(_) => nothing_begins_after_a_failure(round),
        None => Ok(()),
    }
}

/// For a strict call that is the only one.
fn nothing_begins_after_a_failure(round: &Round<'_>) -> Agrees {
    let is_failure = |at: usize| round.after(at).outcome.as_ref().is_some_and(Outcome::is_failure);
    let all = || {
        (0..round.case.plugins.len()).flat_map(|at| round.ran[at].iter().map(move |ran| (at, *ran)))
    };
    let first = all().filter(|(at, _)| is_failure(*at)).map(|(_, ran)| ran.end).min();
    let late = all().find(|(_, ran)| first.is_some_and(|first| ran.begin > first));
    ensure(late.is_none(), || format!("{late:?} began after a failure at mark {first:?}"))
}

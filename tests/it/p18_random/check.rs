//! What was seen of a case against what must have come of it.

use std::ops::RangeInclusive;

use plux::DependencyKind::Requires;

use super::case::{Asks, Case};
use super::model::{Attempt, Code, Graph, Known, Outcome, first_attempts};
use super::play::{Answer, Seen, Standing, What};
use super::times;

/// A sentence that says what does not agree.
pub(super) type Agrees = Result<(), String>;

pub(super) fn ensure(holds: bool, what: impl FnOnce() -> String) -> Agrees {
    if holds { Ok(()) } else { Err(what()) }
}

/// One attempt as it was seen: the marks at which it began and ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ran {
    pub(super) begin: usize,
    pub(super) end: usize,
}

/// One round: what was seen, and what the model says.
pub(super) struct Round<'a> {
    pub(super) case: &'a Case,
    pub(super) number: usize,
    pub(super) graph: &'a Graph,
    pub(super) before: &'a [Known],
    pub(super) seen: &'a Seen,
    /// What an attempt comes to.
    pub(super) attempts: Vec<Option<Attempt>>,
    /// The attempts whose code ran, for each plugin.
    pub(super) ran: Vec<Vec<Ran>>,
    /// How often each plugin was skipped, as was heard.
    pub(super) skips: Vec<usize>,
}

/// All rounds of a case.
pub(super) fn case(case: &Case, seen: &[Seen]) -> Agrees {
    let graph = Graph::of(case);
    let unusable = |at: usize| {
        let plugin = &case.plugins[at];
        !plugin.present || plugin.twice || graph.broken[at]
    };
    let mut known: Vec<_> = (0..case.plugins.len())
        .map(|at| unusable(at).then_some(Outcome::Unusable))
        .map(|outcome| Known { outcome, ..Known::default() })
        .collect();
    for (number, seen) in seen.iter().enumerate() {
        for (at, answer) in case.rounds[number].reconsidered.iter().zip(&seen.reconsidered) {
            let disabled = matches!(known[*at].outcome, Some(Outcome::Disabled(_)));
            ensure(disabled == *answer, || {
                format!("round {number}: reconsidering {at}: {answer}")
            })?;
            if disabled {
                known[*at].outcome = None;
            }
        }
        let round = Round::new(case, number, &graph, &known, seen);
        let after = round.and_then(|round| {
            round.answers()?;
            round.order()?;
            times::agree(&round)?;
            round.standing()
        });
        known = after.map_err(|what| format!("round {number}: {what}"))?;
    }
    Ok(())
}

impl<'a> Round<'a> {
    /// Reads the marks and what was heard: each attempt runs what the model says, when it says so.
    fn new(
        case: &'a Case,
        number: usize,
        graph: &'a Graph,
        before: &'a [Known],
        seen: &'a Seen,
    ) -> Result<Self, String> {
        ensure(seen.strange.is_empty(), || format!("states within: {:?}", seen.strange))?;
        let attempts = first_attempts(case, graph, number, before);
        let count = case.plugins.len();
        let (ran, skips) = (vec![Vec::new(); count], vec![0; count]);
        let mut this = Self { case, number, graph, before, seen, attempts, ran, skips };
        for at in 0..count {
            this.read(at).map_err(|what| format!("{}: {what}", case.plugins[at].name))?;
        }
        Ok(this)
    }

    fn read(&mut self, at: usize) -> Agrees {
        let marks = self.seen.marks.iter().enumerate();
        let marks = marks.filter_map(|(number, mark)| match mark.what {
            What::Ran(who, code) if who == at => Some((number, mark.millis, code)),
            _ => None,
        });
        let marks: Vec<_> = marks.collect();
        let mut heard = &self.seen.heard[at][..];
        let Some(first) = &self.attempts[at] else {
            ensure(marks.is_empty(), || format!("runs again: {marks:?}"))?;
            let failed = heard.iter().filter(|it| it.starts_with("resolve failed: ")).count();
            let told = failed == heard.len() && self.refusals(at).contains(&failed);
            return ensure(told, || format!("heard {heard:?}"));
        };
        let skipped = first.known.outcome == Some(Outcome::Skipped);
        let mut kept = self.before[at].kept;
        let mut rest = &marks[..];
        while !rest.is_empty() || !heard.is_empty() {
            let attempt = Attempt::of(self.case, self.number, at, kept, !skipped);
            kept = attempt.known.kept;
            let ended = attempt.known.is_settled();
            let (here, next) = rest.split_at(attempt.codes.len().min(rest.len()));
            let begun = here.first().map_or(0, |(_, millis, _)| *millis);
            let codes: Vec<_> = here.iter().map(|(_, millis, it)| (millis - begun, *it)).collect();
            ensure(codes == attempt.codes, || format!("{codes:?} for {:?}", attempt.codes))?;
            let (facts, after) = heard.split_at(attempt.facts.len().min(heard.len()));
            let same = |(fact, expected): (&String, &String)| match skipped {
                true => fact.starts_with(expected.as_str()),
                false => fact == expected,
            };
            let agrees =
                facts.len() == attempt.facts.len() && facts.iter().zip(&attempt.facts).all(same);
            ensure(agrees, || format!("heard {facts:?} for {:?}", attempt.facts))?;
            match (skipped, here.first(), here.last()) {
                (true, ..) => self.skips[at] += 1,
                (_, Some(first), Some(last)) => {
                    self.ran[at].push(Ran { begin: first.0, end: last.0 });
                }
                _ => return Err("an attempt without code".to_owned()),
            }
            (rest, heard) = (next, after);
            let more = !rest.is_empty() || !heard.is_empty();
            ensure(!(ended && more), || format!("runs again: {rest:?}, heard {heard:?}"))?;
        }
        Ok(())
    }

    /// How often it can be heard that the plugin can not be used: once for a call that asks for it, or
    /// takes it along. A strict one asks for the first of those.
    fn refusals(&self, at: usize) -> RangeInclusive<usize> {
        let unusable = |at: usize| {
            self.before[at].outcome == Some(Outcome::Unusable) && self.case.plugins[at].present
        };
        if !unusable(at) {
            return 0..=0;
        }
        let all = (0..self.before.len()).filter(|it| unusable(*it));
        let first = all.min_by_key(|it| self.name(*it)) == Some(at);
        let calls = self.case.rounds[self.number].calls.iter().map(|call| call.asks);
        let asked = calls.clone().filter(|asks| match asks {
            Asks::All => true,
            Asks::AllStrictly => first,
            Asks::One(it) => *it == at,
        });
        // Whether another call's target still had to be loaded can not be seen from here.
        let takes = |asks| matches!(asks, Asks::One(it) if it != at && self.graph.closure(it, |_| false)[at]);
        let asked = asked.count();
        asked..=asked + calls.filter(|asks| takes(*asks)).count()
    }

    pub(super) fn is_attempted(&self, at: usize) -> bool {
        !self.ran[at].is_empty() || self.skips[at] > 0
    }

    pub(super) fn name(&self, at: usize) -> &str {
        &self.case.plugins[at].name
    }

    /// What is known of a plugin after the round.
    pub(super) fn after(&self, at: usize) -> &Known {
        match &self.attempts[at] {
            Some(attempt) if self.is_attempted(at) => &attempt.known,
            _ => &self.before[at],
        }
    }

    pub(super) fn is_skipped(&self, at: usize) -> bool {
        self.attempts[at].as_ref().is_some_and(|it| it.known.outcome == Some(Outcome::Skipped))
    }

    /// Whether `text` says how the plugin stands after the round.
    fn agrees(&self, at: usize, text: &str) -> bool {
        match &self.after(at).outcome {
            None => text == "resolved",
            Some(skipped @ Outcome::Skipped) => {
                let Some(because) = text.strip_prefix(&skipped.text()) else { return false };
                if !self.is_attempted(at) {
                    return self.before[at].because.as_deref() == Some(because);
                }
                let requires = self.graph.edges[at].iter().filter(|(kind, _)| *kind == Requires);
                let mut missing = requires.filter(|(_, to)| !self.after(*to).is_loaded());
                missing.any(|(_, to)| because == self.name(*to))
            }
            Some(outcome) => text == outcome.text(),
        }
    }

    fn all_agree(&self, standing: &Standing) -> Agrees {
        for (at, plugin) in self.case.plugins.iter().enumerate().filter(|(_, it)| it.present) {
            let text = standing.get(&plugin.name).map_or("", String::as_str);
            ensure(self.agrees(at, text), || {
                format!("{} is {text:?}, not {:?}", plugin.name, self.after(at))
            })?;
        }
        Ok(())
    }

    /// How all stand when the round is over.
    fn standing(&self) -> Result<Vec<Known>, String> {
        self.all_agree(&self.seen.states)?;
        let plugins = 0..self.case.plugins.len();
        let loaded = plugins.clone().filter(|at| self.after(*at).is_loaded());
        let mut loaded: Vec<_> = loaded.map(|at| self.name(at)).collect();
        loaded.sort_unstable();
        ensure(self.seen.loaded == loaded, || format!("loaded are {:?}", self.seen.loaded))?;
        for at in plugins.clone().filter(|at| self.is_skipped(*at) && self.is_attempted(*at)) {
            let all = self.seen.heard[at].iter().all(|fact| self.agrees(at, fact));
            ensure(all, || format!("{} heard {:?}", self.name(at), self.seen.heard[at]))?;
        }
        let known = plugins.map(|at| {
            let text = self.seen.states.get(self.name(at));
            let because = text.and_then(|text| text.strip_prefix(&Outcome::Skipped.text()));
            Known { because: because.map(ToOwned::to_owned), ..self.after(at).clone() }
        });
        Ok(known.collect())
    }

    /// What the calls were answered.
    fn answers(&self) -> Agrees {
        for (number, answer) in self.seen.answers.iter().enumerate() {
            let asks = self.case.rounds[self.number].calls[number].asks;
            let agrees = match (asks, answer) {
                (_, Answer::Hung) => false,
                (_, Answer::GaveUp) => true,
                (Asks::One(at), Answer::One(answer)) => self.answer_of_one(at, answer),
                (Asks::All, Answer::All(Ok(report))) => return_if(self.all_agree(report))?,
                (_, Answer::All(answer)) => self.answer_of_strict(number, answer)?,
                _ => false,
            };
            ensure(agrees, || format!("call {number}, {asks:?}, was answered {answer:?}"))?;
        }
        Ok(())
    }

    fn answer_of_one(&self, at: usize, answer: &Result<usize, String>) -> bool {
        let plugin = &self.case.plugins[at];
        match answer {
            Ok(output) => {
                // Of this round's load, when there was one.
                let ran = self.ran[at].first();
                let mark = ran.and_then(|_| self.seen.marks.get(*output));
                let own = mark.is_none_or(|mark| mark.what == What::Ran(at, Code::Load));
                self.after(at).is_loaded() && own
            }
            Err(error) if !plugin.present => error.starts_with("no plugin `"),
            Err(error) => self.after(at).outcome.is_some() && self.agrees(at, error),
        }
    }

    fn answer_of_strict(
        &self,
        number: usize,
        answer: &Result<Standing, (Option<String>, String)>,
    ) -> Result<bool, String> {
        let plugins = 0..self.case.plugins.len();
        let present = |at: &usize| self.case.plugins[*at].present;
        let unusable = |at: usize| self.before[at].outcome == Some(Outcome::Unusable);
        let broken = plugins.clone().filter(present).any(unusable);
        match answer {
            Ok(report) => {
                self.all_agree(report)?;
                let failed = plugins
                    .clone()
                    .any(|at| self.after(at).outcome.as_ref().is_some_and(Outcome::is_failure));
                Ok(!broken && !failed)
            }
            Err((None, error)) => Ok(broken && error == "unusable"),
            Err((Some(name), error)) => {
                let at = plugins.clone().find(|at| self.name(*at) == name.as_str());
                let asked = self.asked(number);
                Ok(!broken
                    && at.is_some_and(|at| {
                        let ended = self.ran[at].iter().any(|ran| ran.end > asked);
                        ended && self.agrees(at, error)
                    }))
            }
        }
    }

    /// The mark at which a call was made.
    pub(super) fn asked(&self, number: usize) -> usize {
        let marks = self.seen.marks.iter();
        let mut marks = marks.enumerate().filter(|(_, mark)| mark.what == What::Asked(number));
        marks.next().map_or(usize::MAX, |(at, _)| at)
    }

    /// Code of a plugin runs after all that it requires has loaded.
    fn order(&self) -> Agrees {
        for at in 0..self.case.plugins.len() {
            let requires = self.graph.edges[at].iter().filter(|(kind, _)| *kind == Requires);
            for (_, to) in requires.filter(|_| !self.is_skipped(at)) {
                for ran in &self.ran[at] {
                    let skipped = self.attempts[at].as_ref().is_some_and(|attempt| {
                        // A filter has refused it before anything was looked at.
                        attempt
                            .codes
                            .iter()
                            .all(|(_, it)| matches!(it, Code::BeforeInit | Code::End))
                    });
                    let loaded = self.before[*to].is_loaded()
                        || (self.after(*to).is_loaded()
                            && self.ran[*to].iter().any(|it| it.end < ran.begin));
                    ensure(loaded || skipped, || {
                        format!("{} ran before {}", self.name(at), self.name(*to))
                    })?;
                }
            }
        }
        Ok(())
    }
}

fn return_if(agrees: Agrees) -> Result<bool, String> {
    agrees.map(|()| true)
}

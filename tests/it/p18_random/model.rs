//! What must come of a case, said as plainly as possible.

use plux::DependencyKind::{self, Requires};
use plux::Phase;

use super::case::{Case, End, Script, Step};

/// What is known of a plugin between two rounds.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// How its last attempt ended.
    pub(super) outcome: Option<Outcome>,
    /// Whether its factory has made it, and it is not loaded.
    pub(super) kept: bool,
    /// Which of several was told to be the reason, when it was skipped.
    pub(super) because: Option<String>,
}

impl Known {
    /// No call makes another attempt.
    pub(super) fn is_settled(&self) -> bool {
        matches!(&self.outcome, Some(Outcome::Unusable | Outcome::Loaded | Outcome::Disabled(_)))
    }

    pub(super) fn is_loaded(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Loaded))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// For its place in the graph, or because its name is taken twice.
    Unusable,
    Loaded,
    Disabled(String),
    Failed(Phase, String),
    Skipped,
}

impl Outcome {
    pub(super) fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(..))
    }

    /// As what was observed is written.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Unusable => "unusable".to_owned(),
            Self::Loaded => "loaded".to_owned(),
            Self::Disabled(reason) => format!("disabled: {reason}"),
            Self::Failed(phase, cause) => format!("failed in {phase}: {cause}"),
            Self::Skipped => "skipped because of ".to_owned(),
        }
    }
}

/// A piece of code of a plugin, or of the filter, that was run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Code {
    BeforeInit,
    Factory,
    BeforeLoad,
    ShouldLoad,
    Load,
    /// The last of it has ended.
    End,
}

/// One attempt: which code runs how many milliseconds after it has begun, what is heard, and how it
/// ends.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) codes: Vec<(u64, Code)>,
    pub(super) facts: Vec<String>,
    pub(super) known: Known,
}

impl Attempt {
    pub(super) fn takes(&self) -> u64 {
        self.codes.last().map_or(0, |(at, _)| *at)
    }

    fn new(kept: bool) -> Self {
        Self { codes: Vec::new(), facts: Vec::new(), known: Known { kept, ..Known::default() } }
    }

    fn ends(mut self, at: u64, outcome: Outcome) -> Self {
        match &outcome {
            Outcome::Failed(Phase::Init, cause) => self.facts.push(format!("init failed: {cause}")),
            outcome => self.facts.push(outcome.text()),
        }
        if outcome != Outcome::Skipped {
            self.codes.push((at, Code::End));
        }
        self.known.kept &= outcome != Outcome::Loaded;
        self.known.outcome = Some(outcome);
        self
    }

    /// The attempt of a plugin whose requirements have loaded, or have not.
    pub(super) fn of(case: &Case, round: usize, at: usize, kept: bool, requirements: bool) -> Self {
        let Script { before_init, factory, before_load, should_load, load } =
            case.rounds[round].scripts[at];
        let mut this = Self::new(kept);
        if case.filtered {
            this.codes.push((0, Code::BeforeInit));
            if let Some(outcome) = refusal(before_init, Phase::BeforeInit, round) {
                return this.ends(0, outcome);
            }
        }
        if !requirements {
            return this.ends(0, Outcome::Skipped);
        }
        this.facts.push("resolved scripted-tests".to_owned());
        if !kept {
            this.codes.push((0, Code::Factory));
            if let Some(outcome) = outcome(factory, Phase::Init, round) {
                return this.ends(0, outcome);
            }
            this.facts.push("initialized".to_owned());
            this.known.kept = true;
        }
        if case.filtered {
            this.codes.push((0, Code::BeforeLoad));
            if let Some(outcome) = refusal(before_load, Phase::BeforeLoad, round) {
                return this.ends(0, outcome);
            }
        }
        this.codes.push((0, Code::ShouldLoad));
        let (time, end) = step(should_load, Phase::ShouldLoad, case.should_load_limit, round);
        if let Some(outcome) = end {
            return this.ends(time, outcome);
        }
        this.codes.push((time, Code::Load));
        this.facts.push("load started".to_owned());
        let (more, end) = step(load, Phase::Load, case.load_limit, round);
        this.ends(time + more, end.unwrap_or(Outcome::Loaded))
    }
}

fn refusal(end: End, phase: Phase, round: usize) -> Option<Outcome> {
    match end {
        End::Unwilling => Some(Outcome::Disabled(refused(round))),
        end => outcome(end, phase, round),
    }
}

/// How long a step takes, and what comes of it unless it ends well.
fn step(step: Step, phase: Phase, limit: Option<u64>, round: usize) -> (u64, Option<Outcome>) {
    let late = limit.filter(|limit| step.end == End::Never || step.wait > *limit);
    if let Some(limit) = late {
        let text =
            format!("it took longer than {limit}ms, the time its manager gives to this phase");
        return (limit, Some(Outcome::Failed(phase, text)));
    }
    let end = match (step.end, phase) {
        (End::Unwilling, Phase::ShouldLoad) => {
            Some(Outcome::Disabled("its should_load answered false".to_owned()))
        }
        (End::Unwilling, _) => Some(Outcome::Disabled(declined(round))),
        (end, _) => outcome(end, phase, round),
    };
    (step.wait, end)
}

fn outcome(end: End, phase: Phase, round: usize) -> Option<Outcome> {
    match end {
        End::Error => Some(Outcome::Failed(phase, error(round))),
        End::Panic => Some(Outcome::Failed(phase, format!("panicked: {}", panic(round)))),
        _ => None,
    }
}

// The round is in every text, so that an old one is not taken for a new one.
pub(super) fn refused(round: usize) -> String {
    format!("refused in round {round}")
}

pub(super) fn declined(round: usize) -> String {
    format!("no key in round {round}")
}

pub(super) fn error(round: usize) -> String {
    format!("no luck in round {round}")
}

pub(super) fn panic(round: usize) -> String {
    format!("lost in round {round}")
}

/// The graph of a case.
pub(super) struct Graph {
    pub(super) edges: Vec<Vec<(DependencyKind, usize)>>,
    /// Not usable for its place in the graph.
    pub(super) broken: Vec<bool>,
}

impl Graph {
    pub(super) fn of(case: &Case) -> Self {
        let present = |at: &(DependencyKind, usize)| case.plugins[at.1].present;
        let edges = case.plugins.iter().map(|plugin| {
            plugin.edges.iter().copied().filter(|edge| plugin.present && present(edge)).collect()
        });
        let mut this = Self { edges: edges.collect(), broken: vec![false; case.plugins.len()] };
        let count = case.plugins.len();
        let rotten: Vec<_> = (0..count)
            .map(|at| case.plugins[at].unknown || this.reach(at, |_, _| true)[at])
            .collect();
        let requires_rotten = |at: usize| {
            let on = this.reach(at, |_, kind| kind == Requires);
            (0..count).any(|to| on[to] && rotten[to])
        };
        let broken = (0..count).map(|at| rotten[at] || requires_rotten(at)).collect();
        this.broken = broken;
        this
    }

    /// What a load of `at` pulls in, and itself; what has loaded pulls nothing in.
    pub(super) fn closure(&self, at: usize, loaded: impl Fn(usize) -> bool) -> Vec<bool> {
        let pulls = |to: usize, kind| kind != DependencyKind::After && !loaded(to);
        let mut closure = self.reach(at, pulls);
        closure[at] = true;
        closure
    }

    /// What is waited for by `at`, where it takes part.
    pub(super) fn usable(&self, at: usize) -> impl Iterator<Item = (DependencyKind, usize)> {
        self.edges[at].iter().copied().filter(|(_, to)| !self.broken[*to])
    }

    /// Where at least one edge leads.
    pub(super) fn reach(
        &self,
        at: usize,
        follows: impl Fn(usize, DependencyKind) -> bool,
    ) -> Vec<bool> {
        let mut reached = vec![false; self.edges.len()];
        let mut open = vec![at];
        while let Some(node) = open.pop() {
            for (kind, to) in self.usable(node) {
                if follows(to, kind) && !reached[to] {
                    reached[to] = true;
                    open.push(to);
                }
            }
        }
        reached
    }
}

/// What an attempt in this round comes to, for each plugin; `None` where none is made.
pub(super) fn first_attempts(
    case: &Case,
    graph: &Graph,
    round: usize,
    before: &[Known],
) -> Vec<Option<Attempt>> {
    let mut attempts: Vec<Option<Attempt>> = vec![None; before.len()];
    let mut done: Vec<_> = before.iter().map(Known::is_settled).collect();
    // Each pass decides those whose requirements have been decided.
    while !done.iter().all(|done| *done) {
        for at in 0..before.len() {
            let requires = graph.edges[at].iter().filter(|(kind, _)| *kind == Requires);
            let mut requires = requires.map(|(_, to)| *to);
            if done[at] || !requires.clone().all(|to| done[to]) {
                continue;
            }
            let loaded = requires.all(|to| match &attempts[to] {
                Some(attempt) => attempt.known.is_loaded(),
                None => before[to].is_loaded(),
            });
            attempts[at] = Some(Attempt::of(case, round, at, before[at].kept, loaded));
            done[at] = true;
        }
    }
    attempts
}

//! Who reaches whom in the graph of a run.

use crate::run::{Kind, Reaction, Tie};

/// Closures, by service.
pub(crate) struct Graphs {
    /// What a start pulls, itself too.
    pulled: Vec<Vec<bool>>,
    /// What it can not be without, itself too.
    hard: Vec<Vec<bool>>,
    /// What it comes after in any way, itself too.
    any: Vec<Vec<bool>>,
    /// The edges from each service.
    ties: Vec<Vec<Tie>>,
    /// The edges to each service.
    back: Vec<Vec<Tie>>,
}

impl Graphs {
    pub(crate) fn new(count: usize, all: impl Iterator<Item = Tie>) -> Self {
        let (mut ties, mut back) = (vec![Vec::new(); count], vec![Vec::new(); count]);
        for tie in all {
            ties[tie.from].push(tie);
            back[tie.on].push(tie);
        }
        let reach = |follows: fn(Kind) -> bool| -> Vec<Vec<bool>> {
            (0..count)
                .map(|service| {
                    let mut seen = vec![false; count];
                    let mut stack = vec![service];
                    while let Some(at) = stack.pop() {
                        if !std::mem::replace(&mut seen[at], true) {
                            let next = ties[at].iter().filter(|tie| follows(tie.kind));
                            stack.extend(next.map(|tie| tie.on));
                        }
                    }
                    seen
                })
                .collect()
        };
        let pulled = reach(|kind| kind != Kind::After);
        let hard = reach(|kind| kind == Kind::Requires);
        let any = reach(|_| true);
        Self { pulled, hard, any, ties, back }
    }

    /// Whether a start of `target` pulls `service`.
    pub(crate) fn pulls(&self, target: usize, service: usize) -> bool {
        self.pulled[target][service]
    }

    /// Whether `target` can not be without `service`.
    pub(crate) fn needs(&self, target: usize, service: usize) -> bool {
        self.hard[target][service]
    }

    /// Whether edges of any kind lead from `target` to `service`.
    pub(crate) fn orders(&self, target: usize, service: usize) -> bool {
        self.any[target][service]
    }

    /// The edges of a service.
    pub(crate) fn ties(&self, service: usize) -> &[Tie] {
        &self.ties[service]
    }

    /// The edges to a service.
    pub(crate) fn back(&self, service: usize) -> &[Tie] {
        &self.back[service]
    }

    /// What it requires.
    pub(crate) fn requires(&self, service: usize) -> impl Iterator<Item = &Tie> {
        self.ties[service].iter().filter(|tie| tie.kind == Kind::Requires)
    }

    /// Whether an edge of it has it stop for good.
    pub(crate) fn stops_for_good(&self, service: usize) -> bool {
        self.requires(service).any(|tie| tie.reaction == Reaction::Stop)
    }
}

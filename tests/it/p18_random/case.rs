//! A case: plugins, their edges, and in each round what they do and who asks for what. Data only, made
//! from a seed, so that a case that fails can be had again and made smaller.

use std::fmt;

use plux::DependencyKind::{self, After, Requires, Wants};
use schedules::Dice;

#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) plugins: Vec<Plugin>,
    /// How many may load at once.
    pub(super) places: Option<usize>,
    /// Limits of time are odd and waits are even, so that none of them end together.
    pub(super) should_load_limit: Option<u64>,
    pub(super) load_limit: Option<u64>,
    /// Whether there is a filter.
    pub(super) filtered: bool,
    pub(super) rounds: Vec<Round>,
}

#[derive(Debug, Clone)]
pub(super) struct Plugin {
    pub(super) name: String,
    /// A case is made smaller by taking this away, so that numbers stay what they are.
    pub(super) present: bool,
    /// Registered twice; such a one depends on nothing.
    pub(super) twice: bool,
    /// Requires what is not there.
    pub(super) unknown: bool,
    pub(super) edges: Vec<(DependencyKind, usize)>,
}

/// What happens between two moments in which nothing is under way.
#[derive(Debug, Clone)]
pub(super) struct Round {
    pub(super) reconsidered: Vec<usize>,
    /// What each plugin does in any attempt of the round.
    pub(super) scripts: Vec<Script>,
    pub(super) calls: Vec<Call>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// Milliseconds after the round has begun.
    pub(super) at: u64,
    pub(super) asks: Asks,
    pub(super) gives_up_after: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Asks {
    All,
    AllStrictly,
    One(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) enum End {
    #[default]
    Well,
    Unwilling,
    Error,
    Panic,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Step {
    /// Milliseconds before the end; none is an end at the first poll.
    pub(super) wait: u64,
    pub(super) end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Script {
    pub(super) before_init: End,
    pub(super) factory: End,
    pub(super) before_load: End,
    pub(super) should_load: Step,
    pub(super) load: Step,
}

impl Case {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let most = dice.pick(&[3, 6, 12, 25, 60]);
        let count = 1 + dice.roll(most);
        let broken = dice.one_in(3);
        let plugins = plugins(&mut dice, count, broken);
        let places = dice.one_in(3).then(|| 1 + dice.roll(6));
        let mut limit = || dice.one_in(2).then(|| 5 + 2 * dice.roll(10) as u64);
        let (should_load_limit, load_limit) = (limit(), limit());
        let filtered = dice.one_in(2);
        let mut case =
            Self { plugins, places, should_load_limit, load_limit, filtered, rounds: Vec::new() };
        for _ in 0..1 + dice.roll(4) {
            let round = case.round(&mut dice);
            case.rounds.push(round);
        }
        case
    }

    fn round(&self, dice: &mut Dice) -> Round {
        let count = self.plugins.len();
        // In some rounds nothing goes wrong, in some much does.
        let trouble = dice.pick(&[0, 0, 30, 8, 3]);
        let scripts = (0..count).map(|_| self.script(dice, trouble)).collect();
        let call = |dice: &mut Dice, asks| Call {
            at: 0,
            asks,
            gives_up_after: dice.one_in(8).then(|| 1 + dice.roll(40) as u64),
        };
        let any = |dice: &mut Dice| match dice.roll(5) {
            0 => Asks::All,
            1 => Asks::AllStrictly,
            _ => Asks::One(dice.roll(count)),
        };
        let mut calls = Vec::new();
        match dice.roll(6) {
            0 | 1 => calls.push(call(dice, Asks::All)),
            2 => calls.push(call(dice, Asks::AllStrictly)),
            3 => {
                let asks = Asks::One(dice.roll(count));
                calls.push(call(dice, asks));
            }
            _ => {
                let late = dice.pick(&[0, 10, 60]);
                for _ in 0..2 + dice.roll(5) {
                    let asks = any(dice);
                    let at = dice.roll(late + 1) as u64;
                    for _ in 0..dice.pick(&[1, 1, 1, 3]) {
                        calls.push(Call { at, ..call(dice, asks) });
                    }
                }
            }
        }
        let reconsidered = (0..count).filter(|_| dice.one_in(6)).collect();
        Round { reconsidered, scripts, calls }
    }

    /// One in so many steps goes wrong.
    fn script(&self, dice: &mut Dice, trouble: usize) -> Script {
        let end = |dice: &mut Dice, ends: &[End]| match trouble {
            0 => End::Well,
            _ if dice.one_in(trouble) => dice.pick(ends),
            _ => End::Well,
        };
        let refusals = [End::Unwilling, End::Unwilling, End::Panic];
        let bounded = [End::Unwilling, End::Error, End::Panic, End::Never];
        let ends = |limit: Option<u64>| &bounded[..if limit.is_some() { 4 } else { 3 }];
        let wait = |dice: &mut Dice| if dice.one_in(2) { 0 } else { 2 + 2 * dice.roll(8) as u64 };
        Script {
            before_init: if self.filtered { end(dice, &refusals) } else { End::Well },
            factory: end(dice, &[End::Error, End::Panic]),
            before_load: if self.filtered { end(dice, &refusals) } else { End::Well },
            should_load: Step {
                wait: if dice.one_in(4) { wait(dice) } else { 0 },
                end: end(dice, ends(self.should_load_limit)),
            },
            load: Step { wait: wait(dice), end: end(dice, ends(self.load_limit)) },
        }
    }
}

fn plugins(dice: &mut Dice, count: usize, broken: bool) -> Vec<Plugin> {
    // The order of names is not the order of the edges.
    let mut names: Vec<_> = (0..count).collect();
    for at in (1..count).rev() {
        names.swap(at, dice.roll(at + 1));
    }
    let density = dice.roll(5);
    let plugin = |at: usize| {
        let twice = broken && dice.one_in(20);
        let mut edges = Vec::new();
        if !twice {
            for _ in 0..dice.roll(density + 1) {
                let kind = dice.pick(&[Requires, Requires, Wants, After]);
                if broken && dice.one_in(15) {
                    edges.push((kind, dice.roll(count)));
                } else if at > 0 {
                    // Some graphs are deep, some are wide.
                    let near = dice.pick(&[3, at]).min(at);
                    edges.push((kind, at - 1 - dice.roll(near)));
                }
            }
        }
        let unknown = broken && !twice && dice.one_in(25);
        Plugin { name: format!("random-{:02}", names[at]), present: true, twice, unknown, edges }
    };
    (0..count).map(plugin).collect()
}

/// What matters of it, for a reader.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { places, should_load_limit, load_limit, filtered, .. } = self;
        writeln!(
            f,
            "places {places:?}, limits {should_load_limit:?} and {load_limit:?} ms, filtered {filtered}"
        )?;
        let present = || (0..self.plugins.len()).filter(|at| self.plugins[*at].present);
        for at in present() {
            let Plugin { name, twice, unknown, edges, .. } = &self.plugins[at];
            let edges: Vec<_> = edges.iter().filter(|(_, to)| self.plugins[*to].present).collect();
            writeln!(f, "{at} is {name}, twice {twice}, unknown {unknown}, {edges:?}")?;
        }
        for (number, round) in self.rounds.iter().enumerate() {
            writeln!(f, "round {number}: reconsidered {:?}", round.reconsidered)?;
            for at in present().filter(|at| round.scripts[*at] != Script::default()) {
                writeln!(f, "  {at} does {:?}", round.scripts[at])?;
            }
            for call in &round.calls {
                writeln!(f, "  {call:?}")?;
            }
        }
        Ok(())
    }
}

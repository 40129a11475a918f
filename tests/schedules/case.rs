//! A case: services, what is set for them, what each of their runs does, and who asks for what when.
//! Data only, made from a seed, so that a case that fails can be had again and made smaller. Times are
//! milliseconds.

use crate::coming::coming;
use crate::dice::Dice;
use crate::leaking::leaking;
use crate::more::more;
use crate::nested::nested;
use crate::rare::rare;
use crate::run::{Budget, GiveUp, Kind, Policy, Reaction, Row, Setup, Tie};

/// How large a case is at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Services.
    pub services: usize,
    /// Calls.
    pub commands: usize,
    /// Runs that do not go well.
    pub faults: usize,
}

/// A case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The services; each depends on earlier ones only.
    pub services: Vec<Service>,
    /// Those of a group.
    pub group: Vec<usize>,
    /// Whether they are one for all.
    pub together: bool,
    /// What they may need together, within what time, and what then.
    pub budget: Option<(u32, u64, GiveUp)>,
    /// The calls.
    pub calls: Vec<Call>,
    /// How many restarts may be under way at once; any number.
    pub cap: Option<usize>,
    /// The time for a whole shutdown.
    pub shutdown: Option<u64>,
    /// Whether the last handle is dropped, and no shutdown asked for.
    pub dropped: bool,
}

/// A service.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// What is set for it.
    pub row: Row,
    /// A case is made smaller by taking this away, so that numbers stay what they are.
    pub present: bool,
    /// With which addition it comes; it is there from the beginning.
    pub comes: Option<usize>,
    /// Whom it depends on.
    pub edges: Vec<Edge>,
    /// Whether its delays double.
    pub doubles: bool,
    /// Whether its plugin declines to load.
    pub declines: bool,
    /// What its runs do that have no script of their own.
    pub usual: Script,
    /// What its first runs do.
    pub scripts: Vec<Script>,
    /// What those inside do, where its runs are supervisors; its own scripts say nothing then.
    pub inner: Vec<Inner>,
}

/// A service inside of another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Inner {
    /// Whether it requires the one before it.
    pub chained: bool,
    /// What its runs do that have no script of their own.
    pub usual: Script,
    /// What its first runs do, in the first run around it.
    pub scripts: Vec<Script>,
}

/// An edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The one that it depends on.
    pub on: usize,
    /// How.
    pub kind: Kind,
    /// What the end of that does to it.
    pub reaction: Reaction,
}

/// What one run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Script {
    /// When it is ready; never.
    pub ready: Option<u64>,
    /// When it ends by itself, from its readiness on or from its beginning if it is never ready, and how.
    pub ends: Option<(u64, End)>,
    /// What it does when it is told to stop.
    pub on_stop: OnStop,
    /// What a task of its does.
    pub task: Option<Task>,
    /// Whether its destructor panics.
    pub in_destructor: bool,
    /// When it gives its last heartbeat, from its beginning on.
    pub silent: Option<u64>,
    /// When it says that it is unhealthy, from its beginning on.
    pub ill: Option<u64>,
    /// What it asks of its supervisor.
    pub asks: Option<Inside>,
}

/// A call that a run makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inside {
    /// When, from its readiness on or from its beginning if it is never ready.
    pub after: u64,
    /// For what.
    pub asks: Asks,
    /// Whether it waits for the answer; otherwise for nothing, where there is such a call.
    pub waits: bool,
    /// Whether a task of its does so.
    pub in_task: bool,
}

/// How a run returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Well.
    Ok,
    /// With an error.
    Error,
    /// With a panic.
    Panic,
    /// With an error for good.
    Fatal,
}

/// What a run does when it is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnStop {
    /// It takes a time and returns.
    Takes(u64, End),
    /// It goes on.
    Hangs,
}

/// What a task of a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// It ends after a time, whatever becomes of the run.
    Takes(u64),
    /// It panics after a time.
    Panics(u64),
    /// It goes on.
    Hangs,
    /// It stands in a runtime that nobody drives, and can not even be dropped for so long, from the
    /// beginning of the run on.
    Stuck(u64),
}

/// A call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// When.
    pub at: u64,
    /// For what.
    pub asks: Asks,
    /// When its future is dropped, from its first poll on.
    pub gives_up_after: Option<u64>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// A start.
    Start(usize),
    /// A stop.
    Stop(usize),
    /// A stop, unless others would have to stop too.
    StopUnused(usize),
    /// A restart.
    Restart(usize),
    /// The end of a service.
    Wait(usize),
    /// A shutdown.
    Shutdown,
    /// All to end at once.
    AbortNow,
    /// Those to come that come together.
    Add(usize),
    /// A service to go.
    Remove(usize),
}

impl Asks {
    /// Of whom.
    pub fn service(self) -> Option<usize> {
        match self {
            Self::Start(it)
            | Self::Stop(it)
            | Self::StopUnused(it)
            | Self::Restart(it)
            | Self::Wait(it)
            | Self::Remove(it) => Some(it),
            Self::Shutdown | Self::AbortNow | Self::Add(_) => None,
        }
    }

    /// The same of another one.
    pub fn of(self, service: usize) -> Self {
        match self {
            Self::Start(_) => Self::Start(service),
            Self::Stop(_) => Self::Stop(service),
            Self::StopUnused(_) => Self::StopUnused(service),
            Self::Restart(_) => Self::Restart(service),
            Self::Wait(_) => Self::Wait(service),
            Self::Remove(_) => Self::Remove(service),
            Self::Shutdown | Self::AbortNow | Self::Add(_) => self,
        }
    }
}

impl Script {
    /// Ready at once, and stops when told.
    pub const PLAIN: Self = Self {
        ready: Some(0),
        ends: None,
        on_stop: OnStop::Takes(0, End::Ok),
        task: None,
        in_destructor: false,
        silent: None,
        ill: None,
        asks: None,
    };
}

impl Service {
    /// What the run of this number does.
    pub fn script(&self, incarnation: u32) -> Script {
        let place = (incarnation as usize).saturating_sub(1);
        self.scripts.get(place).copied().unwrap_or(self.usual)
    }
}

impl Case {
    /// The case of a seed; small ones are as likely as large ones.
    pub fn new(seed: u64, sizes: Sizes) -> Self {
        let mut dice = Dice::new(seed);
        let most = [3, 6, 12, sizes.services];
        let most = dice.pick(&most).min(sizes.services).max(1);
        let count = 1 + dice.roll(most);
        let calls = (1 + dice.roll(4 + 2 * count)).min(sizes.commands);
        let faults = dice.roll(2 + count).min(sizes.faults);
        let mut case = Self::sized(&mut dice, count, calls, faults);
        coming(&mut dice, &mut case);
        leaking(&mut dice, &mut case);
        nested(&mut dice, &mut case);
        rare(&mut dice, &mut case);
        case
    }

    /// The case of a seed that has so many services, calls and faults.
    pub fn of_size(seed: u64, sizes: Sizes) -> Self {
        Self::sized(&mut Dice::new(seed), sizes.services.max(1), sizes.commands, sizes.faults)
    }

    fn sized(dice: &mut Dice, count: usize, calls: usize, faults: usize) -> Self {
        let mut services = services(dice, count);
        for _ in 0..faults {
            let at = dice.roll(count);
            let service = &mut services[at];
            let fault = fault(dice, service.usual);
            service.scripts.push(fault);
            if dice.one_in(3) {
                // A run between two that fail.
                service.scripts.push(service.usual);
            }
        }
        let members = 2 + dice.roll(3);
        let grouped = count > 1 && dice.one_in(4);
        let mut group: Vec<_> =
            (0..members).filter(|_| grouped).map(|_| dice.roll(count)).collect();
        group.sort_unstable();
        group.dedup();
        let span = dice.pick(&[0, 10, 60, 200]);
        let trouble = dice.one_in(5);
        let calls = (0..calls).map(|_| call(dice, count, span, trouble)).collect();
        let unlimited = services.iter().any(|service| service.row.grace.is_none());
        let shutdown = (unlimited || dice.one_in(6)).then(|| 1 + dice.roll(120) as u64);
        let dropped = dice.one_in(6);
        let mut case = Self {
            services,
            group,
            together: true,
            budget: None,
            calls,
            cap: None,
            shutdown,
            dropped,
        };
        more(dice, &mut case);
        case
    }

    /// The same as it is recorded.
    pub fn setup(&self) -> Setup {
        let ties = self.services.iter().enumerate().flat_map(|(from, service)| {
            let there = move |edge: &&Edge| service.present && self.services[edge.on].present;
            let edges = service.edges.iter().filter(there);
            edges.flat_map(move |edge| {
                let Edge { on, kind, reaction } = *edge;
                self.called(on).map(move |on| Tie { from, on, kind, reaction })
            })
        });
        let group: Vec<_> = self.members().flat_map(|member| self.called(member)).collect();
        let there = |comes| {
            let services = self.services.iter().enumerate();
            let there = services.filter(move |(_, it)| it.present && it.comes == comes);
            there.map(|(place, _)| place).collect()
        };
        let additions = self.services.iter().filter_map(|it| it.comes).max().map_or(0, |it| it + 1);
        Setup {
            services: self.services.iter().map(|service| service.row.clone()).collect(),
            first: there(None),
            coming: (0..additions).map(|addition| there(Some(addition))).collect(),
            ties: ties.collect(),
            group: group.iter().copied().filter(|_| self.together).collect(),
            budget: self.budget.map(|(most, period, give_up)| Budget {
                members: group,
                most,
                period,
                give_up,
            }),
            cap: self.cap,
            join: 1_000,
            shutdown: self.shutdown,
        }
    }

    /// Whether there is such a service.
    pub fn is_there(&self, service: usize) -> bool {
        self.services.get(service).is_some_and(|it| it.present)
    }

    /// All that have the name of this one.
    fn called(&self, service: usize) -> impl Iterator<Item = usize> {
        let name = &self.services[service].row.name;
        let all = self.services.iter().enumerate();
        all.filter(move |(_, it)| it.present && it.row.name == *name).map(|(place, _)| place)
    }

    /// The members of the group that are there from the beginning.
    pub fn members(&self) -> impl Iterator<Item = usize> {
        let there = |it: &usize| self.services[*it].present && self.services[*it].comes.is_none();
        self.group.iter().copied().filter(there)
    }
}

fn services(dice: &mut Dice, count: usize) -> Vec<Service> {
    // The order of names is not the order of the edges.
    let mut names: Vec<_> = (0..count).collect();
    for at in (1..count).rev() {
        names.swap(at, dice.roll(at + 1));
    }
    let density = dice.roll(4);
    let shape = dice.roll(4);
    (0..count).map(|at| service(dice, at, names[at], density, shape)).collect()
}

fn service(dice: &mut Dice, at: usize, name: usize, density: usize, shape: usize) -> Service {
    let restart = match dice.roll(6) {
        0 => Policy::Temporary,
        1 | 2 => Policy::Permanent,
        _ => Policy::Transient,
    };
    let reaction = |dice: &mut Dice| match dice.roll(6) {
        0 => Reaction::Keep,
        1 => Reaction::Stop,
        _ if restart == Policy::Temporary => Reaction::Stop,
        _ => Reaction::Restart,
    };
    let mut edges: Vec<Edge> = Vec::new();
    for _ in 0..if at == 0 { 0 } else { dice.roll(density + 2) } {
        // Chains, fans, layers, and anything.
        let on = match shape {
            0 => at - 1 - dice.roll(2.min(at)),
            1 => dice.roll(2.min(at)),
            2 => (at / 3 * 3).saturating_sub(1 + dice.roll(3)),
            _ => dice.roll(at),
        };
        let kind = dice.pick(&[Kind::Requires, Kind::Requires, Kind::Wants, Kind::After]);
        if on < at && !edges.iter().any(|edge| edge.on == on) {
            edges.push(Edge { on, kind, reaction: reaction(dice) });
        }
    }
    let row = Row {
        name: format!("s{name:02}"),
        restart,
        intensity: dice.pick(&[Some(0), Some(1), Some(2), Some(3), None]),
        period: dice.pick(&[20, 100, 60_000]),
        give_up: match dice.roll(8) {
            0 => GiveUp::Escalate,
            1 | 2 => GiveUp::CoolDown(1 + dice.roll(60) as u64),
            _ => GiveUp::Leave,
        },
        delay: dice.pick(&[0, 0, 1, 5, 20]),
        grace: dice.pick(&[Some(0), Some(10), Some(10), Some(40), None]),
        start: dice.pick(&[Some(30), Some(30), Some(5), None]),
        watchdog: None,
        judged: false,
        inner: Vec::new(),
    };
    // It is ready in time.
    let usual = Script {
        ready: Some(dice.time(if row.start == Some(5) { 4 } else { 12 })),
        on_stop: OnStop::Takes(dice.time(8), End::Ok),
        ..Script::PLAIN
    };
    let (doubles, declines) = (dice.one_in(2), dice.one_in(40));
    Service {
        row,
        present: true,
        comes: None,
        edges,
        doubles,
        declines,
        usual,
        scripts: Vec::new(),
        inner: Vec::new(),
    }
}

/// A run that does not go well.
fn fault(dice: &mut Dice, usual: Script) -> Script {
    let end = |dice: &mut Dice| {
        dice.pick(&[End::Ok, End::Ok, End::Error, End::Error, End::Error, End::Panic, End::Fatal])
    };
    let mut script = usual;
    match dice.roll(12) {
        0 => script.ready = None,
        1 | 2 => (script.ready, script.ends) = (None, Some((dice.time(10), end(dice)))),
        3..=7 => script.ends = Some((dice.time(40), end(dice))),
        8 => script.on_stop = OnStop::Hangs,
        9 => script.on_stop = OnStop::Takes(dice.time(30), end(dice)),
        10 => {
            script.task = Some(match dice.roll(3) {
                0 => Task::Takes(dice.time(40)),
                1 => Task::Panics(dice.time(40)),
                _ => Task::Hangs,
            });
            if dice.one_in(2) {
                script.ends = Some((dice.time(20), end(dice)));
            }
        }
        _ => {
            script.in_destructor = true;
            script.ends = dice.one_in(2).then(|| (dice.time(20), end(dice)));
        }
    }
    script
}

fn call(dice: &mut Dice, count: usize, span: usize, trouble: bool) -> Call {
    let service = dice.roll(count);
    let asks = match dice.roll(40) {
        0..=21 => Asks::Start(service),
        22..=28 => Asks::Stop(service),
        29..=33 => Asks::Restart(service),
        34..=37 => Asks::Wait(service),
        38 if trouble => Asks::AbortNow,
        39 if trouble => Asks::Shutdown,
        _ => Asks::Start(service),
    };
    let gives_up_after = dice.one_in(10).then(|| dice.time(20));
    Call { at: dice.roll(span + 1) as u64, asks, gives_up_after }
}

//! The table of operations and states in the docs, made by the core itself; and what a step costs.
//!
//! `PLUX_WRITE=1 cargo test -p plux matrix` writes the table anew.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::ending::Ending;
use super::failures::Limits;
use super::model::Core;
use super::words::{Action, Answer, Down, Index, Input, Reactions, Stays, Up};
use crate::error::{BoxError, Exit};
use crate::graph::{Graph, GraphBuilder};
use crate::options::ServiceOptions;
use crate::reason::Phase;
use crate::restart::{GiveUp, Intensity, RestartPolicy};
use crate::spec::DependencyKind;
use crate::state::ServiceState;

const SECOND: Duration = Duration::from_secs(1);

/// `x`, which requires `base`.
const BASE: Index = 0;
const X: Index = 1;

/// A core that is driven from outside; callers are numbers.
struct Driven {
    core: Core<u32>,
    now: Duration,
    /// Without an answer it was removed.
    answers: Vec<(u32, Option<Answer>)>,
    timers: Vec<(Index, u32)>,
}

impl Driven {
    fn new(graph: Arc<Graph>, options: ServiceOptions) -> Self {
        let limits = Arc::new(Limits::of(options));
        let limits = vec![limits; graph.len()];
        let core = Core::new(graph, Reactions::default(), limits, SECOND, None);
        Self { core, now: Duration::ZERO, answers: Vec::new(), timers: Vec::new() }
    }

    fn step(&mut self, input: Input<u32>) -> &mut Self {
        let mut actions = Vec::new();
        self.now += Duration::from_millis(1);
        self.core.step(input, self.now, &mut actions);
        for action in actions {
            match action {
                Action::Reply { caller, answer } => self.answers.push((caller, Some(*answer))),
                Action::Remove { caller, .. } => self.answers.push((caller, None)),
                Action::Arm { service, arming, .. } => self.timers.push((service, arming)),
                _ => {}
            }
        }
        self
    }

    fn start(&mut self, service: Index) -> &mut Self {
        self.step(Input::Start { service, caller: 0 })
    }

    fn ready(&mut self, service: Index) -> &mut Self {
        let incarnation = self.core.row(service).incarnation;
        self.step(Input::Ready { service, incarnation, unhealthy: None })
    }

    fn ends(&mut self, service: Index, ending: Ending) -> &mut Self {
        let incarnation = self.core.row(service).incarnation;
        self.step(Input::Ended { service, incarnation, ending })
    }

    fn fails(&mut self, service: Index) -> &mut Self {
        let error = Arc::from(BoxError::from("no"));
        self.ends(service, Ending::Exit(Exit::Failed(error)))
    }

    fn completes(&mut self, service: Index) -> &mut Self {
        self.ends(service, Ending::Exit(Exit::Completed))
    }

    /// Lets the last timer of the service be due.
    fn times_out(&mut self, service: Index) -> &mut Self {
        let arming = self.core.row(service).arming;
        self.step(Input::Timer { service, arming, reached: Phase::Run, silent: Duration::ZERO })
    }

    fn runs(&mut self) -> &mut Self {
        self.start(X).ready(BASE).ready(X)
    }
}

fn two() -> Arc<Graph> {
    let mut graph = GraphBuilder::new(2);
    graph.edge(X, DependencyKind::Requires, BASE);
    Arc::new(graph.build(|_| unreachable!("no edge is wrong")))
}

/// Every state `x` can be in, and how it comes there.
fn states() -> Vec<(&'static str, Driven)> {
    let plain = || Driven::new(two(), ServiceOptions::NONE);
    let with = |options| Driven::new(two(), options);
    let never = ServiceOptions::NONE.with_restart(RestartPolicy::Temporary);
    let cools = ServiceOptions::NONE
        .with_intensity(Intensity::new(0, SECOND))
        .with_give_up(GiveUp::CoolDown(SECOND));
    let made = |mut driven: Driven, way: fn(&mut Driven) -> &mut Driven| {
        way(&mut driven);
        driven
    };
    vec![
        ("stopped (never started)", plain()),
        ("waiting", made(plain(), |it| it.start(X))),
        ("starting", made(plain(), |it| it.start(X).ready(BASE))),
        ("running", made(plain(), Driven::runs)),
        ("backoff", made(plain(), |it| it.runs().fails(X))),
        ("stopping", made(plain(), |it| it.runs().step(Input::Stop { service: X, caller: 0 }))),
        (
            "stopped (asked)",
            made(plain(), |it| it.runs().step(Input::Stop { service: X, caller: 0 }).completes(X)),
        ),
        ("stopped (completed)", made(plain(), |it| it.runs().completes(X))),
        ("failed", made(with(never), |it| it.runs().fails(X))),
        ("failed, cooling down", made(with(cools), |it| it.runs().fails(X))),
        (
            "failed (leaked)",
            made(plain(), |it| {
                it.runs().step(Input::Stop { service: X, caller: 0 }).times_out(X).times_out(X)
            }),
        ),
        (
            "disabled",
            made(plain(), |it| it.start(X).ready(BASE).ends(X, Ending::Disabled("no".into()))),
        ),
        ("stopped (shutdown)", made(plain(), |it| it.step(Input::Shutdown))),
    ]
}

fn state(driven: &Driven) -> String {
    match &driven.core.row(X).state {
        ServiceState::Stopped(why) => format!("stopped ({why})"),
        ServiceState::Stopping(reason) => format!("stopping ({reason})"),
        state => state.word().to_owned(),
    }
}

/// What the caller is told, and where the service stands then.
fn cell(driven: &mut Driven, input: Input<u32>) -> String {
    let before = state(driven);
    driven.answers.clear();
    driven.step(input);
    let told =
        driven.answers.iter().find(|(caller, _)| *caller == 1).map(|(_, answer)| match answer {
            Some(Answer::Start(Ok(Up::Started))) => "started",
            Some(Answer::Start(Ok(Up::AlreadyRunning))) => "already running",
            Some(Answer::Start(Ok(Up::Joined))) => "joined",
            Some(Answer::Start(Ok(Up::Restarted(_)))) => "restarted",
            Some(Answer::Start(Err(Down::Shutdown))) => "refused: shutdown",
            Some(Answer::Start(Err(Down::Leaked { .. }))) => "refused: leaked",
            Some(Answer::Start(Err(_))) => "failed",
            Some(Answer::Stop(Ok(rows))) if rows.is_empty() => "nothing to stop",
            Some(Answer::Stop(Ok(_))) => "stopped",
            Some(Answer::Stop(Err(_))) => "refused: leaked",
            Some(Answer::InUse(_)) => "refused: in use",
            Some(Answer::State(_)) => "its state",
            Some(Answer::Stays(Stays::Live)) => "refused: live",
            Some(Answer::Stays(Stays::Leaked)) => "refused: leaked",
            Some(Answer::Stays(Stays::Waiting)) => "refused: waiting",
            Some(Answer::Stays(Stays::Needed(_))) => "refused: needed",
            Some(Answer::Stays(Stays::Shutdown)) => "refused: shutdown",
            None => "removed",
        });
    let after = if told == Some("removed") { before.clone() } else { state(driven) };
    let moved = if after == before { String::new() } else { format!(" → {after}") };
    format!("{}{moved}", told.unwrap_or("waits"))
}

/// The table: a row a state, a column an operation.
fn table() -> String {
    let mut text = String::from(
        "| in | start | stop | stop unused | restart | wait | remove |\n|---|---|---|---|---|---|---|\n",
    );
    let operations: [fn() -> Input<u32>; 6] = [
        || Input::Start { service: X, caller: 1 },
        || Input::Stop { service: X, caller: 1 },
        || Input::StopUnused { service: X, caller: 1 },
        || Input::Restart { service: X, caller: 1 },
        || Input::Wait { service: X, caller: 1 },
        || Input::Remove { service: X, caller: 1 },
    ];
    for row in 0..states().len() {
        let name = states()[row].0;
        let cells = operations.map(|operation| cell(&mut states()[row].1, operation()));
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    }
    text
}

#[test]
fn a01_every_operation_in_every_state_has_the_answer_of_the_docs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/semantics.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- matrix: begin -->\n", "<!-- matrix: end -->");
    let (head, rest) = page.split_once(begin).expect("the table has its place");
    let (old, tail) = rest.split_once(end).expect("the table has its end");
    let new = table();
    if std::env::var_os("PLUX_WRITE").is_some() {
        std::fs::write(&path, format!("{head}{begin}{new}{end}{tail}")).unwrap();
    } else {
        assert_eq!(old, new, "PLUX_WRITE=1 cargo test -p plux matrix");
    }
}

#[test]
fn a01_each_state_of_the_table_is_reached() {
    for (name, driven) in states() {
        let is = state(&driven);
        assert!(name.starts_with(is.split(" (").next().unwrap_or_default()), "{name} is {is}");
    }
}

/// How many rows a life of a service looks at on which nine others stand, among so many.
fn visits(services: u32) -> u64 {
    let mut graph = GraphBuilder::new(services as usize);
    for other in 1..10 {
        graph.edge(other, DependencyKind::Requires, 0);
    }
    for other in (11..services).step_by(2) {
        graph.edge(other, DependencyKind::Wants, other - 1);
    }
    let graph = Arc::new(graph.build(|_| unreachable!("no edge is wrong")));
    let mut driven = Driven::new(graph, ServiceOptions::NONE);
    for service in 0..services {
        driven.start(service).ready(service);
    }
    driven.core.visits.set(0);
    driven.fails(0).times_out(0).ready(0);
    for other in 1..10 {
        driven.completes(other).ready(other);
    }
    driven.step(Input::Restart { service: 9, caller: 2 }).completes(9).ready(9);
    driven.step(Input::Stop { service: 0, caller: 3 });
    for other in (0..10).rev() {
        driven.completes(other);
    }
    assert_eq!(driven.core.row(0).state.to_string(), "stopped (asked)");
    driven.core.visits.get()
}

#[test]
fn c04_an_exit_a_restart_and_a_stop_cost_as_much_among_many_as_among_few() {
    let few = visits(20);
    assert!(few > 0);
    assert_eq!(visits(20_000), few);
}

/// How many rows a failing service looks at that one requires which nobody starts, and so many that one.
fn visits_of_a_loop(services: u32) -> u64 {
    let mut graph = GraphBuilder::new(services as usize);
    graph.edge(1, DependencyKind::Requires, 0);
    for other in 2..services {
        graph.edge(other, DependencyKind::Requires, 1);
    }
    let graph = Arc::new(graph.build(|_| unreachable!("no edge is wrong")));
    let mut driven = Driven::new(graph, ServiceOptions::NONE);
    driven.start(0).ready(0);
    driven.core.visits.set(0);
    driven.fails(0).times_out(0).fails(0).times_out(0).ready(0);
    assert_eq!(driven.core.row(0).incarnation, 3);
    driven.core.visits.get()
}

#[test]
fn c04_a_failing_service_looks_at_nobody_behind_those_who_do_not_start() {
    let few = visits_of_a_loop(10);
    assert!(few > 0);
    assert_eq!(visits_of_a_loop(1000), few);
}

/// How many rows are looked at for one that waits for a start that is rolled back, among so many.
fn visits_in_vain(services: u32) -> u64 {
    let mut graph = GraphBuilder::new(services as usize);
    graph.edge(1, DependencyKind::Requires, 0);
    let graph = Arc::new(graph.build(|_| unreachable!("no edge is wrong")));
    let mut driven = Driven::new(graph, ServiceOptions::NONE);
    for service in 2..services {
        driven.start(service).ready(service);
    }
    // The first one is ready, and is to stop when the second fails.
    driven.start(1).ready(0).times_out(1);
    driven.core.visits.set(0);
    assert!(driven.core.is_held_up(1, true, 1));
    assert!(!driven.core.is_held_up(1, true, 2));
    driven.core.visits.get()
}

#[test]
fn c04_who_waits_in_vain_is_told_at_the_same_cost_among_many_as_among_few() {
    let few = visits_in_vain(10);
    assert!(few > 0);
    assert_eq!(visits_in_vain(1000), few);
}

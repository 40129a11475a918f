//! A case, played with plux: what ran and when, what was answered and heard, and how all stands.
//!
//! Trap: all runs on one thread, so the order of the marks is the order in which things happened.

use std::collections::BTreeMap;
use std::future::pending;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use parking_lot::Mutex;
use plux::{
    BoxError, Disabled, FailureCause, LoadError, LoadFailure, LoadReport, Loaded, PluginFilter,
    PluginManager, PluginSpec, PluginState,
};
use tokio::time::{Instant, sleep, timeout};

use super::case::{Asks, Call, Case, End, Script, Step};
use super::model::{self, Code};
use crate::scripted::{Heard, Plugin, Script as Scripted, finder, spawn};

/// After so long a call hangs, and a round is over: no case takes a tenth of it.
const LONG: Duration = Duration::from_secs(100);

#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) millis: u64,
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum What {
    /// A call, by its number in the round.
    Asked(usize),
    Answered(usize),
    /// A plugin, by its number.
    Ran(usize, Code),
}

/// How each plugin stands, by name, as text.
pub(super) type Standing = BTreeMap<String, String>;

#[derive(Debug, Clone)]
pub(super) enum Answer {
    GaveUp,
    Hung,
    /// The number of its output, or why there is none.
    One(Result<usize, String>),
    /// The report; or the first error, and whose it is.
    All(Result<Standing, (Option<String>, String)>),
}

/// What was seen of one round.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) marks: Vec<Mark>,
    pub(super) answers: Vec<Answer>,
    /// What was heard of each plugin.
    pub(super) heard: Vec<Vec<String>>,
    pub(super) reconsidered: Vec<bool>,
    pub(super) states: Standing,
    pub(super) loaded: Vec<String>,
    /// States that code of a plugin saw its plugin in, and should not have.
    pub(super) strange: Vec<String>,
}

/// What the plugins and the filter of a case share.
struct Stage {
    case: Case,
    zero: Instant,
    round: Mutex<(usize, Seen)>,
    manager: Mutex<Option<PluginManager<dyn Scripted>>>,
}

impl Stage {
    /// Marks that this code runs, and looks at the state meanwhile; the number of the mark.
    fn run(&self, at: usize, code: Code) -> usize {
        let expected = match code {
            Code::BeforeInit | Code::Factory => "resolved",
            Code::BeforeLoad | Code::ShouldLoad => "initialized",
            Code::Load => "loading",
            Code::End => return self.mark(What::Ran(at, code)),
        };
        let manager = self.manager.lock().clone();
        let name = &self.case.plugins[at].name;
        let state = manager.and_then(|manager| manager.state(name)).map(|state| state.to_string());
        if state.as_deref() != Some(expected) {
            self.round.lock().1.strange.push(format!("{name} in {code:?}: {state:?}"));
        }
        self.mark(What::Ran(at, code))
    }

    fn mark(&self, what: What) -> usize {
        let millis = self.zero.elapsed().as_millis() as u64;
        let marks = &mut self.round.lock().1.marks;
        marks.push(Mark { millis, what });
        marks.len() - 1
    }

    fn script(&self, at: usize) -> (usize, Script) {
        let round = self.round.lock().0;
        (round, self.case.rounds[round].scripts[at])
    }

    fn factory(&self, at: usize) -> Result<(), BoxError> {
        self.run(at, Code::Factory);
        let (round, script) = self.script(at);
        if script.factory != End::Well {
            self.run(at, Code::End);
        }
        end(script.factory, round).map(drop)
    }

    async fn should_load(self: Arc<Self>, at: usize) -> Result<bool, BoxError> {
        self.run(at, Code::ShouldLoad);
        let (round, script) = self.script(at);
        let mut ending = Ending { stage: &self, at, ends: true };
        wait(script.should_load).await;
        let willing = script.should_load.end != End::Unwilling;
        ending.ends = script.should_load.end != End::Well;
        if willing { end(script.should_load.end, round).map(|_| true) } else { Ok(false) }
    }

    async fn load(self: Arc<Self>, at: usize) -> Result<usize, BoxError> {
        let number = self.run(at, Code::Load);
        let (round, script) = self.script(at);
        let _ending = Ending { stage: &self, at, ends: true };
        wait(script.load).await;
        match end(script.load.end, round)? {
            true => Ok(number),
            false => Err(Disabled::because(model::declined(round)).into()),
        }
    }
}

/// Marks the end of an attempt when it is dropped, whoever drops it.
struct Ending<'a> {
    stage: &'a Stage,
    at: usize,
    ends: bool,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if self.ends {
            self.stage.run(self.at, Code::End);
        }
    }
}

async fn wait(step: Step) {
    if step.end == End::Never {
        pending::<()>().await;
    }
    if step.wait > 0 {
        sleep(Duration::from_millis(step.wait)).await;
    }
}

/// Whether it is willing. A panic that is resumed costs no message on the terminal.
fn end(end: End, round: usize) -> Result<bool, BoxError> {
    match end {
        End::Well => Ok(true),
        End::Unwilling | End::Never => Ok(false),
        End::Error => Err(model::error(round).into()),
        End::Panic => resume_unwind(Box::new(model::panic(round))),
    }
}

struct Filter(Arc<Stage>);

impl Filter {
    fn ask(
        &self,
        spec: &PluginSpec,
        code: Code,
        of: impl Fn(Script) -> End,
    ) -> Result<(), Disabled> {
        let named = |plugin: &super::case::Plugin| plugin.name == spec.name().as_str();
        let at = self.0.case.plugins.iter().position(named).unwrap();
        self.0.run(at, code);
        let (round, script) = self.0.script(at);
        let answer = of(script);
        if answer != End::Well {
            self.0.run(at, Code::End);
        }
        match end(answer, round) {
            Ok(true) => Ok(()),
            _ => Err(Disabled::because(model::refused(round))),
        }
    }
}

impl PluginFilter<dyn Scripted> for Filter {
    fn before_init(&self, spec: &PluginSpec) -> Result<(), Disabled> {
        self.ask(spec, Code::BeforeInit, |script| script.before_init)
    }

    fn before_load(&self, spec: &PluginSpec, _: &dyn Scripted) -> Result<(), Disabled> {
        self.ask(spec, Code::BeforeLoad, |script| script.before_load)
    }
}

fn plugins(stage: &Arc<Stage>) -> Vec<Plugin> {
    let case = &stage.case;
    let mut plugins = Vec::new();
    for (at, plugin) in case.plugins.iter().enumerate().filter(|(_, plugin)| plugin.present) {
        for _ in 0..1 + usize::from(plugin.twice) {
            let mut made = Plugin::new(&plugin.name);
            for (kind, to) in plugin.edges.iter().filter(|(_, to)| case.plugins[*to].present) {
                made = made.depends(*kind, &case.plugins[*to].name);
            }
            if plugin.unknown {
                made = made.requires("nobody");
            }
            let [first, second, third] = [stage, stage, stage].map(Arc::clone);
            plugins.push(
                made.factory(move || first.factory(at))
                    .should_load(move || Arc::clone(&second).should_load(at))
                    .yields(move || Arc::clone(&third).load(at)),
            );
        }
    }
    plugins
}

/// How a plugin that is not loaded stands.
fn text(error: &LoadError) -> String {
    match error {
        LoadError::Failed(failure) => failed(failure),
        LoadError::Disabled { reason, .. } => format!("disabled: {reason}"),
        LoadError::Skipped { because, .. } => format!("skipped because of {}", because.name),
        LoadError::Graph(_) | LoadError::Find(_) => "unusable".to_owned(),
        other => other.to_string(),
    }
}

fn failed(failure: &LoadFailure) -> String {
    match &failure.cause {
        FailureCause::Graph(_) | FailureCause::Find(_) => "unusable".to_owned(),
        cause => format!("failed in {}: {cause}", failure.phase),
    }
}

fn state(state: &PluginState) -> String {
    match state {
        PluginState::Failed(failure) => failed(failure),
        PluginState::Skipped(because) => format!("skipped because of {}", because.name),
        other => other.to_string(),
    }
}

fn number(loaded: &Loaded<dyn Scripted>) -> usize {
    loaded.output().downcast_ref().copied().unwrap()
}

fn standing(report: &LoadReport<dyn Scripted>) -> Standing {
    let loaded = report.loaded().iter().map(|it| (it.name().to_string(), "loaded".to_owned()));
    let disabled = report.disabled().iter();
    let disabled = disabled.map(|(id, why)| (id.name.to_string(), format!("disabled: {why}")));
    let failed = report.failed().iter().map(|(id, error)| (id.name.to_string(), text(error)));
    let skipped = report.skipped().iter();
    let skipped = skipped
        .map(|(id, because)| (id.name.to_string(), format!("skipped because of {}", because.name)));
    loaded.chain(disabled).chain(failed).chain(skipped).collect()
}

async fn ask(
    stage: &Stage,
    manager: &PluginManager<dyn Scripted>,
    number: usize,
    asks: Asks,
) -> Answer {
    stage.mark(What::Asked(number));
    match asks {
        Asks::All => Answer::All(Ok(standing(&manager.load_all().await))),
        Asks::AllStrictly => Answer::All(match manager.try_load_all().await {
            Ok(report) => Ok(standing(&report)),
            Err(error) => {
                let id =
                    if let LoadError::Failed(failure) = &error { Some(&failure.id) } else { None };
                Err((id.map(|id| id.name.to_string()), text(&error)))
            }
        }),
        Asks::One(at) => {
            let loaded = manager.load(&stage.case.plugins[at].name).await;
            Answer::One(loaded.as_ref().map(self::number).map_err(text))
        }
    }
}

async fn call(stage: Arc<Stage>, number: usize, call: Call) -> Answer {
    let Some(manager) = stage.manager.lock().clone() else { return Answer::Hung };
    if call.at > 0 {
        sleep(Duration::from_millis(call.at)).await;
    }
    let patience = call.gives_up_after.map_or(LONG / 2, Duration::from_millis);
    match timeout(patience, ask(&stage, &manager, number, call.asks)).await {
        Ok(answer) => {
            stage.mark(What::Answered(number));
            answer
        }
        Err(_) if call.gives_up_after.is_some() => Answer::GaveUp,
        Err(_) => Answer::Hung,
    }
}

/// Plays all rounds.
pub(super) async fn play(case: &Case) -> Vec<Seen> {
    let stage = Arc::new(Stage {
        case: case.clone(),
        zero: Instant::now(),
        round: Mutex::default(),
        manager: Mutex::new(None),
    });
    let heard = Heard::default();
    let mut builder = PluginManager::<dyn Scripted>::builder(())
        .finder(finder(plugins(&stage)))
        .listener(heard.clone());
    if let Some(places) = case.places.and_then(NonZeroUsize::new) {
        builder = builder.max_concurrent(places);
    }
    if let Some(limit) = case.should_load_limit {
        builder = builder.should_load_timeout(Duration::from_millis(limit));
    }
    if let Some(limit) = case.load_limit {
        builder = builder.load_timeout(Duration::from_millis(limit));
    }
    if case.filtered {
        builder = builder.filter(Filter(Arc::clone(&stage)));
    }
    let manager = builder.build();
    *stage.manager.lock() = Some(manager.clone());
    let mut rounds = Vec::new();
    for (number, round) in case.rounds.iter().enumerate() {
        *stage.round.lock() = (number, Seen::default());
        let mut reconsidered = Vec::new();
        for at in &round.reconsidered {
            let name = &case.plugins[*at].name;
            reconsidered.push(manager.reconsider(name).await.unwrap_or(false));
        }
        let calls = round.calls.iter().enumerate();
        let calls = calls.map(|(number, it)| spawn(call(Arc::clone(&stage), number, *it)));
        let answers = join_all(calls.collect::<Vec<_>>()).await;
        sleep(LONG).await;
        let mut seen = std::mem::take(&mut stage.round.lock().1);
        seen.answers = answers.into_iter().map(|answer| answer.unwrap_or(Answer::Hung)).collect();
        seen.reconsidered = reconsidered;
        seen.heard = case.plugins.iter().map(|plugin| heard.of(&plugin.name)).collect();
        heard.clear();
        for plugin in case.plugins.iter().filter(|plugin| plugin.present) {
            let text =
                manager.state(&plugin.name).map_or_else(|| "unknown".to_owned(), |it| state(&it));
            seen.states.insert(plugin.name.clone(), text);
        }
        seen.loaded = manager.loaded().iter().map(|it| it.name().to_string()).collect();
        rounds.push(seen);
    }
    // The plugins hold the stage, and that holds the manager.
    *stage.manager.lock() = None;
    rounds
}

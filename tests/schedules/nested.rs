//! Supervisors in supervisors: which services of a case are one, and what runs inside.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::future::pending;
use plux::{
    Backoff, BoxError, BuildError, Dependency, DependencyKind, Event, EventKind, GiveUp, Intensity,
    ListFinder, Listener, Name, Namespace, Nested, PluginManager, PluginSpec, Service,
    ServiceContext, ServiceOptions, SpecRef, Supervisor,
};

use crate::actor::{Actor, Life, Recorder, Scripted, outcome, recorded, wait};
use crate::case::{Case, End, Inner, OnStop, Script};
use crate::dice::Dice;
use crate::run::{self, Outcome, What, Within};

const NAMES: [&str; 3] = ["in0", "in1", "in2"];

/// What came to be drawn last: it changes nothing of what was drawn before.
pub(crate) fn nested(dice: &mut Dice, case: &mut Case) {
    let count = if dice.one_in(3) { 1 + dice.roll(2) } else { 0 };
    for _ in 0..count {
        let service = dice.roll(case.services.len());
        let service = &mut case.services[service];
        (service.usual, service.scripts) = (Script::PLAIN, Vec::new());
        // Nobody gives heartbeats for it.
        (service.row.watchdog, service.row.judged) = (None, false);
        let cools = |then: run::GiveUp| matches!(then, run::GiveUp::CoolDown(_));
        let cools =
            cools(service.row.give_up) || case.budget.is_some_and(|(_, _, then)| cools(then));
        if service.row.intensity.is_none() || service.row.period < 60_000 || cools {
            // All inside may need more than a short time: it would be tried for ever.
            service.row.start = Some(30);
        }
        service.inner = (0..2 + dice.roll(2)).map(|at| inner(dice, at)).collect();
        let set = |_: &Inner| {
            let most = dice.roll(3) as u32;
            run::Inner { most, escalates: !dice.one_in(3) }
        };
        service.row.inner = service.inner.iter().map(set).collect();
    }
}

fn inner(dice: &mut Dice, at: usize) -> Inner {
    let on_stop = OnStop::Takes(dice.time(4), End::Ok);
    let usual = Script { ready: Some(dice.time(6)), on_stop, ..Script::PLAIN };
    let faults = if dice.one_in(2) { dice.roll(4) } else { 0 };
    let script = |_| {
        let end = dice.pick(&[End::Error, End::Error, End::Panic, End::Ok]);
        match dice.roll(6) {
            0 => Script { on_stop: OnStop::Hangs, ..usual },
            1 => Script { ready: None, ends: Some((dice.time(5), end)), ..usual },
            2 => Script { on_stop: OnStop::Takes(dice.time(8), end), ..usual },
            _ => Script { ends: Some((dice.time(20), end)), ..usual },
        }
    };
    let scripts = (0..faults).map(script).collect();
    Inner { chained: at > 0 && dice.one_in(2), usual, scripts }
}

/// One run that is a supervisor.
pub(crate) async fn run(
    actor: &Actor,
    cx: ServiceContext,
    around: Weak<Life>,
) -> Result<(), BoxError> {
    let (actor, incarnation) = (actor.clone(), cx.incarnation());
    let nested = Nested::new(move || build(&actor, incarnation, &around));
    nested.run(cx).await
}

fn build(actor: &Actor, run: u32, around: &Weak<Life>) -> Result<Supervisor, BuildError> {
    let specs = (0..actor.service.inner.len()).filter_map(|at| {
        let seat = Seat { service: actor.place, run, inner: at, recorder: actor.recorder.clone() };
        let inside = Inside { actor: actor.clone(), seat, around: Weak::clone(around) };
        spec(inside).ok()
    });
    let finder = ListFinder::new(specs.map(SpecRef::from).collect::<Vec<_>>());
    let time = Duration::from_millis;
    Supervisor::builder()
        .manager(PluginManager::<dyn Scripted>::builder(()).finder(finder).build())
        .listener(Heard(actor.place, run, actor.recorder.clone()))
        .grace_period(time(GRACE))
        .start_timeout(time(20))
        .backoff(Backoff::constant(time(1)))
        .build()
}

/// The grace period of those inside.
const GRACE: u64 = 5;

fn spec(inside: Inside) -> Result<PluginSpec, BoxError> {
    let at = inside.seat.inner;
    let set = inside.actor.service.row.inner[at];
    let options = ServiceOptions::NONE
        .with_intensity(Intensity::new(set.most, Duration::from_secs(60)))
        .with_give_up(if set.escalates { GiveUp::Escalate } else { GiveUp::Fail });
    let chained = inside.actor.service.inner[at].chained;
    let make = move || Ok(Arc::new(inside.clone()) as Arc<dyn Scripted>);
    let namespace = Namespace::literal("schedules");
    let mut spec = PluginSpec::new::<dyn Scripted>(namespace, Name::new(NAMES[at])?, make)
        .with_service(options);
    if chained {
        let (kind, name) = (DependencyKind::Requires, Name::new(NAMES[at - 1])?);
        spec = spec.with_dependency(Dependency { kind, namespace: None, name, reaction: None });
    }
    Ok(spec)
}

/// Whose run it is in, and which one of those inside it is.
#[derive(Clone)]
struct Seat {
    service: usize,
    run: u32,
    inner: usize,
    recorder: Recorder,
}

impl Seat {
    fn write(&self, what: Within) {
        let Self { service, run: incarnation, inner, .. } = *self;
        self.recorder.write(What::Inside { service, incarnation, inner, what });
    }
}

/// Writes down the moves inside.
struct Heard(usize, u32, Recorder);

impl Listener for Heard {
    fn on_event(&self, event: &Event) {
        let EventKind::Service { state, .. } = &event.kind else { return };
        let Some(inner) = NAMES.iter().position(|name| event.id.name == **name) else { return };
        let Self(service, run, recorder) = self;
        let seat = Seat { service: *service, run: *run, inner, recorder: recorder.clone() };
        seat.write(Within::Is(recorded(state)));
    }
}

/// A service inside.
#[derive(Clone)]
struct Inside {
    actor: Actor,
    seat: Seat,
    /// The run around it, which lasts as long as those inside.
    around: Weak<Life>,
}

#[plux::async_trait]
impl Scripted for Inside {
    async fn load(&self, _: &()) -> Result<Arc<dyn Service>, BoxError> {
        Ok(Arc::new(self.clone()))
    }
}

#[plux::async_trait]
impl Service for Inside {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        let _around = self.around.upgrade();
        self.seat.write(Within::Begun);
        let mut ending = Ending { seat: self.seat.clone(), outcome: Outcome::Aborted };
        let inner = &self.actor.service.inner[self.seat.inner];
        let place = cx.incarnation() as usize - 1;
        let first = self.seat.run == 1;
        let own = inner.scripts.get(place).copied().filter(|_| first);
        let script = own.unwrap_or(inner.usual);
        let end = match cx.running_until(self.act(&cx, script)).await {
            Some(end) => end,
            None => match script.on_stop {
                OnStop::Hangs => pending().await,
                OnStop::Takes(time, end) => {
                    wait(time).await;
                    end
                }
            },
        };
        ending.outcome = outcome(end);
        match end {
            End::Ok => Ok(()),
            End::Error | End::Fatal => Err("it is in the script".into()),
            End::Panic => std::panic::resume_unwind(Box::new("it is in the script")),
        }
    }
}

impl Inside {
    async fn act(&self, cx: &ServiceContext, script: Script) -> End {
        if let Some(time) = script.ready {
            wait(time).await;
            self.seat.write(Within::Ready);
            cx.ready(());
        }
        match script.ends {
            None => pending().await,
            Some((time, end)) => {
                wait(time).await;
                end
            }
        }
    }
}

/// Writes down the end.
struct Ending {
    seat: Seat,
    outcome: Outcome,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.seat.write(Within::Ended(self.outcome));
    }
}

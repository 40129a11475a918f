//! A case, played with plux on a paused clock and one thread: the same run each time.

use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, join_all, select};
use plux::{
    Backoff, BoxError, Dependency, DependencyKind, GiveUp, GracePeriod, Group, Intensity,
    ListFinder, Name, Namespace, OnUnhealthy, Origin, PluginManager, PluginSpec, Reaction,
    RestartPolicy, ServiceOptions, SpecRef, StartTimeout, Supervisor,
};
use tokio::time::{sleep, timeout};

use crate::actor::{Actor, Recorder, Scripted};
use crate::case::{Asks, Case, Service};
use crate::commands;
use crate::run::{self, Answer, Command, Kind, Policy, Run, What};

/// After so long nothing happens any more by itself, and a call hangs: no case takes a tenth of it.
const LONG: Duration = Duration::from_secs(1_000);
/// The same where somebody has to give heartbeats all the time.
const WATCHED: Duration = Duration::from_secs(20);

/// Plays a case and records the run.
///
/// # Errors
/// What no case may lead to: no runtime, a supervisor that is not built, or one that never rests.
pub fn play(case: &Case) -> Result<Run, BoxError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        let recorder = Recorder::new(case);
        let (played, full) = (pin!(played(case, recorder.clone())), pin!(recorder.is_full()));
        match select(played, full).await {
            Either::Left((run, _)) => run,
            Either::Right(_) => Err("it does not come to rest".into()),
        }
    })
}

async fn played(case: &Case, recorder: Recorder) -> Result<Run, BoxError> {
    let supervisor = supervisor(case, &recorder)?;
    let calls = commands::make(case, &supervisor, &recorder);
    let watched = case.services.iter().any(|it| it.present && it.row.watchdog.is_some());
    let long = if watched { WATCHED } else { LONG };
    sleep(long).await;
    recorder.write(What::Quiet);
    let id = case.calls.len() as u32;
    recorder.write(What::Command { id, command: Command::Shutdown, service: None, by: None });
    if case.dropped && calls.iter().all(|call| call.is_finished()) {
        drop(supervisor);
        sleep(long).await;
        let answer = Answer::Done;
        recorder.write(What::Reply { id, answer, service: None, stopped: None });
    } else if let Ok(told) = timeout(long, commands::shutdown(&supervisor, &recorder)).await {
        let (answer, service, stopped) = told;
        recorder.write(What::Reply { id, answer, service, stopped });
    }
    let _ = timeout(long, join_all(calls)).await;
    sleep(long).await;
    recorder.write(What::End);
    Ok(Run { setup: case.setup(), lines: recorder.lines() })
}

/// The services that come together.
pub(crate) fn manager(
    recorder: &Recorder,
    comes: Option<usize>,
) -> Result<PluginManager<dyn Scripted>, BoxError> {
    let case = recorder.case();
    let mut specs: Vec<SpecRef> = Vec::new();
    let all = case.services.iter().enumerate();
    for (place, service) in all.filter(|(_, it)| it.present && it.comes == comes) {
        let mut service = service.clone();
        let about = |asks: Asks| asks.service().is_none_or(|it| case.is_there(it));
        for script in &mut service.scripts {
            script.asks = script.asks.filter(|it| about(it.asks));
        }
        let (service, recorder) = (Arc::new(service), recorder.clone());
        specs.push(spec(case, Actor { place, service, recorder })?.into());
    }
    let finder = ListFinder::new(specs);
    Ok(PluginManager::<dyn Scripted>::builder(()).finder(finder).build())
}

fn supervisor(case: &Case, recorder: &Recorder) -> Result<Supervisor, BoxError> {
    let manager = manager(recorder, None)?;
    let mut builder = Supervisor::builder().manager(manager).listener(recorder.clone());
    let members: Vec<_> = case.members().map(|it| case.services[it].row.name.clone()).collect();
    if !members.is_empty() {
        let group = match case.together {
            true => Group::one_for_all("all", members),
            false => Group::one_for_one("all", members),
        };
        builder = builder.group(match case.budget {
            None => group,
            Some((most, period, then)) => {
                let intensity = Intensity::new(most, Duration::from_millis(period));
                group.with_intensity(intensity, give_up(then))
            }
        });
    }
    if let Some(most) = case.cap.and_then(NonZeroUsize::new) {
        builder = builder.max_concurrent_restarts(most);
    }
    if let Some(time) = case.shutdown {
        builder = builder.shutdown_timeout(Duration::from_millis(time));
    }
    Ok(builder.build()?)
}

fn spec(case: &Case, actor: Actor) -> Result<PluginSpec, BoxError> {
    let service = Arc::clone(&actor.service);
    // By this it is known among those that have its name.
    let line = actor.place as u32 + 1;
    let origin = Origin::new("schedules", "1.0.0", "schedules", file!(), line);
    let make = move || Ok(Arc::new(actor.clone()) as Arc<dyn Scripted>);
    let name = Name::new(&service.row.name)?;
    let mut spec = PluginSpec::new::<dyn Scripted>(Namespace::literal("schedules"), name, make)
        .with_service(options(&service))
        .with_origin(origin);
    for edge in service.edges.iter().filter(|edge| case.services[edge.on].present) {
        let (kind, reaction) = match edge.kind {
            Kind::Requires => (DependencyKind::Requires, Some(reaction(edge.reaction))),
            Kind::Wants => (DependencyKind::Wants, None),
            Kind::After => (DependencyKind::After, None),
        };
        let name = Name::new(&case.services[edge.on].row.name)?;
        spec = spec.with_dependency(Dependency { kind, namespace: None, name, reaction });
    }
    Ok(spec)
}

fn reaction(reaction: run::Reaction) -> Reaction {
    match reaction {
        run::Reaction::Restart => Reaction::Restart,
        run::Reaction::Keep => Reaction::Keep,
        run::Reaction::Stop => Reaction::Stop,
    }
}

fn give_up(then: run::GiveUp) -> GiveUp {
    match then {
        run::GiveUp::Leave => GiveUp::Fail,
        run::GiveUp::CoolDown(after) => GiveUp::CoolDown(Duration::from_millis(after)),
        run::GiveUp::Escalate => GiveUp::Escalate,
    }
}

fn options(service: &Service) -> ServiceOptions {
    let row = &service.row;
    let time = Duration::from_millis;
    let backoff = match service.doubles {
        true => Backoff::exponential(time(row.delay), time(4 * row.delay)).with_jitter(0),
        false => Backoff::constant(time(row.delay)),
    };
    let period = |most| Intensity::new(most, time(row.period));
    let watched = match row.watchdog {
        Some(silence) => ServiceOptions::NONE.with_watchdog(time(silence)),
        None => ServiceOptions::NONE,
    };
    let then = if row.judged { OnUnhealthy::Restart } else { OnUnhealthy::Ignore };
    watched
        .with_on_unhealthy(then)
        .with_restart(match row.restart {
            Policy::Permanent => RestartPolicy::Permanent,
            Policy::Transient => RestartPolicy::Transient,
            Policy::Temporary => RestartPolicy::Temporary,
        })
        .with_intensity(row.intensity.map_or(Intensity::UNLIMITED, period))
        .with_give_up(give_up(row.give_up))
        .with_backoff(backoff)
        .with_grace_period(row.grace.map_or(GracePeriod::Unlimited, |it| time(it).into()))
        .with_start_timeout(row.start.map_or(StartTimeout::Unlimited, |it| time(it).into()))
}

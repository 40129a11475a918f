//! The services of a case as probes.

use std::time::Duration;

use plux::testing::{Probe, Step};
use plux::{
    Backoff, GiveUp, GracePeriod, Intensity, Reaction, RestartPolicy, ServiceOptions, StartTimeout,
};
use schedules::{Case, End, Kind, OnStop, Policy, Row, Script, Service, Task};

const TEXT: &str = "as the case says";

fn millis(time: u64) -> Duration {
    Duration::from_millis(time)
}

pub(crate) fn probes(case: &Case) -> Vec<Probe> {
    case.services.iter().map(|service| probe(case, service)).collect()
}

fn probe(case: &Case, service: &Service) -> Probe {
    let mut probe = Probe::new(&service.row.name).options(options(service));
    for edge in &service.edges {
        let on = &case.services[edge.on].row.name;
        probe = match edge.kind {
            Kind::Requires => probe.requires_to(reaction(edge.reaction), on),
            Kind::Wants => probe.wants(on),
            Kind::After => probe.after(on),
        };
    }
    if service.declines {
        probe = probe.should_load(.., [Step::Decline]);
    }
    probe = runs(probe, None, service.usual);
    for (script, incarnation) in service.scripts.iter().zip(1..) {
        probe = runs(probe, Some(incarnation), *script);
    }
    probe
}

fn reaction(reaction: schedules::Reaction) -> Reaction {
    match reaction {
        schedules::Reaction::Restart => Reaction::Restart,
        schedules::Reaction::Keep => Reaction::Keep,
        schedules::Reaction::Stop => Reaction::Stop,
    }
}

fn options(service: &Service) -> ServiceOptions {
    let Row { restart, intensity, period, give_up, delay, grace, start, .. } = &service.row;
    let restart = match restart {
        Policy::Permanent => RestartPolicy::Permanent,
        Policy::Transient => RestartPolicy::Transient,
        Policy::Temporary => RestartPolicy::Temporary,
    };
    let give_up = match give_up {
        schedules::GiveUp::Leave => GiveUp::Fail,
        schedules::GiveUp::CoolDown(time) => GiveUp::CoolDown(millis(*time)),
        schedules::GiveUp::Escalate => GiveUp::Escalate,
    };
    let delay = millis(*delay);
    let backoff = match service.doubles {
        true => Backoff::exponential(delay, delay * 4).with_jitter(0),
        false => Backoff::constant(delay),
    };
    let period = millis(*period);
    ServiceOptions::NONE
        .with_restart(restart)
        .with_give_up(give_up)
        .with_backoff(backoff)
        .with_intensity(intensity.map_or(Intensity::UNLIMITED, |most| Intensity::new(most, period)))
        .with_grace_period(grace.map_or(GracePeriod::Unlimited, |time| millis(time).into()))
        .with_start_timeout(start.map_or(StartTimeout::Unlimited, |time| millis(time).into()))
}

/// What the run of that number does, or every one.
fn runs(probe: Probe, incarnation: Option<u32>, script: Script) -> Probe {
    let Script { ready, ends, on_stop, task, in_destructor, .. } = script;
    let task = task.map(|task| {
        Step::Spawn(match task {
            Task::Takes(time) => vec![Step::IgnoreStop, Step::Sleep(millis(time))],
            Task::Panics(time) => {
                vec![Step::IgnoreStop, Step::Sleep(millis(time)), Step::Panic(TEXT)]
            }
            Task::Hangs | Task::Stuck(_) => vec![Step::IgnoreStop, Step::Hang],
        })
    });
    let mut run = Vec::from_iter(task);
    if let Some(time) = ready {
        run.extend([Step::Sleep(millis(time)), Step::Ready]);
    }
    if let Some((time, how)) = ends {
        run.extend([Step::Sleep(millis(time)), end(how)]);
    }
    let on_stop = match on_stop {
        OnStop::Takes(time, how) => vec![Step::Sleep(millis(time)), end(how)],
        OnStop::Hangs => vec![Step::Hang],
    };
    let destructor = in_destructor.then_some(Step::Panic(TEXT));
    match incarnation {
        None => probe.run(.., run).on_stop(.., on_stop).destructor(.., destructor),
        Some(it) => probe.run(it, run).on_stop(it, on_stop).destructor(it, destructor),
    }
}

fn end(end: End) -> Step {
    match end {
        End::Ok => Step::Complete,
        End::Error => Step::Fail(TEXT),
        End::Panic => Step::Panic(TEXT),
        End::Fatal => Step::Fatal(TEXT),
    }
}

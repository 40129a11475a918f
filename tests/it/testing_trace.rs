//! The command that writes the run of a seed: its runs are as large as asked for, the same each time, and
//! legal by the judgement of who judges random schedules.

use std::process::{Command as Process, Output};
use std::sync::Arc;

use plux::testing::{Answer, Command, Config, Moved, Outcome, Reason, Reply, Says, Trace};
use schedules::{Case, Run, Sizes, What};

fn command(arguments: &[&str]) -> Output {
    Process::new(env!("CARGO_BIN_EXE_trace")).args(arguments).output().unwrap()
}

fn traced(seed: u64, sizes: Sizes) -> String {
    let Sizes { services, commands, faults } = sizes;
    let numbers = [seed, services as u64, commands as u64, faults as u64].map(|it| it.to_string());
    let [seed, services, commands, faults] = numbers.each_ref().map(String::as_str);
    let output = command(&[
        "--seed",
        seed,
        "--services",
        services,
        "--commands",
        commands,
        "--faults",
        faults,
    ]);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn config(trace: &Trace) -> &Config {
    match &trace.lines[0].says {
        Says::Config(config) => config,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_run_is_as_large_as_asked_for_and_the_same_each_time() {
    let sizes = Sizes { services: 30, commands: 100, faults: 40 };
    let text = traced(7, sizes);
    assert_eq!(traced(7, sizes), text);
    assert_ne!(traced(8, sizes), text);
    let trace = Trace::read(&text).unwrap();
    assert_eq!(trace.to_string(), text);
    assert_eq!(config(&trace).services.len(), 30);
    let count = |so: fn(&Says) -> bool| trace.lines.iter().filter(|line| so(&line.says)).count();
    // The last one is a shutdown.
    assert_eq!(count(|says| matches!(says, Says::Command { .. })), 101);
    assert_eq!(count(|says| matches!(says, Says::Reply(_))), 101);
    let faults = |says: &Says| match says {
        Says::Ended { outcome, .. } => *outcome != Outcome::Ok,
        _ => false,
    };
    assert!(count(faults) > 0);
    assert_eq!(trace.lines.last().unwrap().says, Says::End);
    let none = traced(7, Sizes { services: 1, commands: 0, faults: 0 });
    assert_eq!(none.lines().count(), 4, "{none}");
}

#[test]
fn a_run_is_written_to_a_file_and_what_makes_no_sense_is_refused() {
    let path = format!("{}/run.jsonl", env!("CARGO_TARGET_TMPDIR"));
    let output = command(&["--seed", "3", "--services", "4", "--out", &path]);
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert_eq!(
        config(&Trace::read(&std::fs::read_to_string(path).unwrap()).unwrap()).services.len(),
        4
    );
    for (arguments, said) in [
        (&["--seed"][..], "--seed needs a value"),
        (&["--seed", "many"][..], "--seed many: invalid digit"),
        (&["--size", "3"][..], "no flag --size"),
        (&["--services", "0"][..], "a run has a service at least"),
    ] {
        let output = command(arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.starts_with(said), "{text}");
    }
}

#[test]
fn runs_of_the_command_are_legal() {
    for seed in 0..60 {
        let sizes = Sizes {
            services: 1 + seed as usize % 25,
            commands: 5 + seed as usize % 60,
            faults: seed as usize % 17,
        };
        let text = traced(seed, sizes);
        let trace = Trace::read(&text).unwrap();
        let run = judged(&Case::of_size(seed, sizes), &trace);
        if let Err(illegal) = schedules::check(&run) {
            let text: Vec<_> = text.lines().skip(1).enumerate().collect();
            let line = |(at, line): &(usize, &str)| format!("{at} {line}");
            let text: Vec<_> = text.iter().map(line).collect();
            panic!("seed {seed}: {illegal}\n{}", text.join("\n"));
        }
    }
}

/// The trace as its judge reads runs: without what scripted services say, and with what a trace does not
/// say of its services.
fn judged(case: &Case, trace: &Trace) -> Run {
    let config = config(trace);
    let place = |name: &Arc<str>| config.services.iter().position(|it| it.name == *name).unwrap();
    let what = |says: &Says| {
        Some(match says {
            Says::Config(_) | Says::Ended { .. } => return None,
            Says::Command { id, command, service } => What::Command {
                id: *id as u32,
                command: match command {
                    Command::Start => schedules::Command::Start,
                    Command::Stop => schedules::Command::Stop,
                    Command::StopUnused => schedules::Command::StopUnused,
                    Command::Restart => schedules::Command::Restart,
                    Command::Shutdown => schedules::Command::Shutdown,
                    Command::AbortNow => schedules::Command::AbortNow,
                    other => panic!("{other} is not recorded"),
                },
                service: service.as_ref().map(place),
                by: None,
            },
            Says::Reply(reply) => What::Reply {
                id: reply.id as u32,
                answer: answer(reply),
                service: reply.service.as_ref().map(place),
                stopped: reply.stopped.as_ref().map(|names| names.iter().map(place).collect()),
            },
            Says::State { service, state, incarnation, reason } => {
                let service = place(service);
                let disabled = config.services[service].disabled;
                let state = self::state(*state, *reason, disabled);
                What::State { service, state, incarnation: *incarnation }
            }
            Says::End => What::End,
            other => panic!("{other:?}"),
        })
    };
    let line = |line: &plux::testing::Line| {
        let at = line.at;
        what(&line.says).map(|what| schedules::Line { at, what })
    };
    // The command's groups are one for all, and have no budget.
    let case = Case { together: true, budget: None, ..case.clone() };
    Run { setup: case.setup(), lines: trace.lines.iter().filter_map(line).collect() }
}

fn answer(reply: &Reply) -> schedules::Answer {
    use schedules::Answer as Judged;
    match reply.answer {
        Answer::Started => Judged::Started,
        Answer::Joined => Judged::Joined,
        Answer::AlreadyRunning => Judged::AlreadyRunning,
        Answer::Restarted => Judged::Restarted,
        Answer::Failed => Judged::Failed,
        Answer::Stopped => Judged::Stopped,
        Answer::Disabled => Judged::Disabled,
        Answer::RefusedLeaked => Judged::RefusedLeaked,
        Answer::RefusedShutdown => Judged::RefusedShutdown,
        Answer::RefusedInUse => Judged::RefusedInUse,
        // A stop has another word there.
        Answer::Done if reply.stopped.is_some() => Judged::Stopped,
        Answer::Done => Judged::Done,
        other => panic!("{other}"),
    }
}

fn state(state: Moved, reason: Option<Reason>, disabled: bool) -> schedules::State {
    use schedules::{Cause, State, Why};
    let why = || match reason.unwrap() {
        Reason::Asked => Why::Asked,
        Reason::Dependency => Why::Dependency,
        Reason::Restart => Why::Restart,
        Reason::Shutdown => Why::Shutdown,
        Reason::Watchdog => Why::Watchdog,
        Reason::StartDeadline => Why::StartDeadline,
        Reason::Unneeded => Why::Unneeded,
        Reason::Health => Why::Health,
        Reason::Group => Why::Group,
        Reason::Completed => Why::Completed,
        other => panic!("{other} is no reason for a stop"),
    };
    let cause = || match reason.unwrap() {
        Reason::StartFailed => Cause::StartFailed,
        Reason::Exit => Cause::Exit,
        Reason::GaveUp => Cause::GaveUp,
        Reason::CoolingDown => Cause::CoolingDown,
        Reason::Leaked => Cause::Leaked,
        other => panic!("{other} is no failure"),
    };
    match state {
        Moved::Starting => State::Starting,
        Moved::Running => State::Running,
        Moved::Stopping => State::Stopping(why()),
        Moved::Stopped => State::Stopped(why()),
        Moved::Waiting => State::Waiting,
        Moved::Backoff => State::Backoff,
        Moved::Failed if disabled => State::Disabled,
        Moved::Failed => State::Failed(cause()),
        other => panic!("{other}"),
    }
}

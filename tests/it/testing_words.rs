//! Every answer and every reason that plux gives has its word in a trace.

use std::time::Duration;

use plux::testing::{Probe, RecordedRun, Says, Step, Trace};
use plux::{
    Backoff, GiveUp, GracePeriod, Health, Intensity, OnUnhealthy, RestartPolicy, ServiceOptions,
    StartTimeout, SupervisorBuilder,
};

const SECOND: Duration = Duration::from_secs(1);

fn never() -> ServiceOptions {
    ServiceOptions::NONE.with_restart(RestartPolicy::Temporary)
}

fn fails_after_a_second() -> [Step; 3] {
    [Step::Ready, Step::Sleep(SECOND), Step::Fail("the disk is full")]
}

#[track_caller]
fn has(trace: &Trace, line: &str) {
    let text = trace.to_string();
    assert!(text.lines().any(|own| own.split_once(',').unwrap().1 == line), "{line}\n{text}");
}

/// The state lines of a service, without what is the same in all of them.
fn moves(trace: &Trace, service: &str) -> Vec<String> {
    let lines = trace.lines.iter().filter_map(|line| match &line.says {
        Says::State { service: own, state, reason, .. } if &**own == service => {
            Some(reason.map_or(state.to_string(), |reason| format!("{state} {reason}")))
        }
        _ => None,
    });
    lines.collect()
}

#[tokio::test(start_paused = true)]
async fn every_answer_has_its_word() {
    let broken = Probe::new("broken").run(.., [Step::Fail("no port")]);
    let off = Probe::new("off").load(.., [Step::Disable("not here")]);
    let slow = Probe::new("slow").run(.., [Step::Sleep(SECOND), Step::Ready]);
    let probes = [
        Probe::new("db"),
        Probe::new("api").requires("db"),
        broken,
        Probe::new("above").requires("broken"),
        off,
        Probe::new("beside").requires("off"),
        slow,
    ];
    let run = RecordedRun::of(probes).unwrap();
    let answers = async |name: &str| run.start(name).await.to_string();
    assert_eq!(answers("api").await, "started");
    assert_eq!(answers("db").await, "already_running");
    let both = tokio::join!(run.start("slow"), run.start("slow"));
    assert_eq!([both.0.to_string(), both.1.to_string()], ["started", "joined"]);
    assert_eq!(run.restart("slow").await.to_string(), "restarted");
    assert_eq!(answers("above").await, "failed broken");
    assert_eq!(answers("beside").await, "disabled off");
    assert_eq!(run.stop("slow").await.to_string(), "done [slow]");
    let both = tokio::join!(run.start("slow"), run.stop("slow"));
    assert_eq!([both.0.to_string(), both.1.to_string()], ["stopped", "done [slow]"]);
    assert_eq!(run.stop("slow").await.to_string(), "done []");
    // What there is none of has failed, and is to blame for it.
    assert_eq!(answers("nobody").await, "failed nobody");
    assert_eq!(run.stop("nobody").await.to_string(), "failed nobody");
    assert_eq!(run.restart("nobody").await.to_string(), "failed nobody");
    assert_eq!(run.abort_now().to_string(), "done");
    assert_eq!(run.shutdown().await.to_string(), "done");
    assert_eq!(answers("db").await, "refused_shutdown");
    let trace = run.end().await;
    has(&trace, r#""event":"reply","id":6,"answer":"failed","service":"broken"}"#);
    has(&trace, r#""event":"reply","id":8,"answer":"done","stopped":["slow"]}"#);
    has(&trace, r#""event":"command","id":15,"command":"abort_now"}"#);
    has(&trace, r#""service":"off","event":"failed","incarnation":1,"reason":"start_failed"}"#);
}

#[tokio::test(start_paused = true)]
async fn every_reason_for_a_stop_has_its_word() {
    let late = never().with_start_timeout(StartTimeout::Bounded(SECOND));
    let silent = never().with_watchdog(SECOND);
    let sick = never().with_on_unhealthy(OnUnhealthy::Restart);
    let unhealthy = Step::call(async |cx| cx.health(Health::Unhealthy("no replica".into())));
    let probes = [
        Probe::new("db").run(1, fails_after_a_second()),
        Probe::new("api").requires("db"),
        Probe::new("late").options(late).run(.., [Step::Hang]),
        Probe::new("pulled"),
        Probe::new("needs").requires("pulled").run(.., [Step::Fail("no port")]),
        Probe::new("silent").options(silent),
        Probe::new("sick").options(sick).run(.., [Step::Ready, Step::Sleep(SECOND), unhealthy]),
        Probe::new("once").run(.., [Step::Ready, Step::Sleep(SECOND), Step::Complete]),
    ];
    let run = RecordedRun::of(probes).unwrap();
    for name in ["api", "late", "needs", "silent", "sick", "once"] {
        run.start(name).await;
    }
    tokio::time::sleep(5 * SECOND).await;
    run.restart("api").await;
    run.stop("api").await;
    let trace = run.end().await;
    let up = ["starting", "running"];
    let with = |after: &[&'static str]| [&up[..], after].concat();
    let restarted = ["stopping dependency", "stopped dependency", "waiting", "starting", "running"];
    let by_hand = ["stopping restart", "stopped restart"];
    let stopped = ["stopping asked", "stopped asked"];
    let api = [&["waiting"], &up[..], &restarted, &by_hand, &up, &stopped].concat();
    assert_eq!(moves(&trace, "api"), api);
    assert_eq!(
        moves(&trace, "db"),
        with(&["backoff", "starting", "running", "stopping shutdown", "stopped shutdown"])
    );
    let late = ["starting", "stopping start_deadline", "failed start_failed"];
    assert_eq!(moves(&trace, "late"), late);
    assert_eq!(moves(&trace, "pulled"), with(&["stopping unneeded", "stopped unneeded"]));
    assert_eq!(moves(&trace, "silent"), with(&["stopping watchdog", "failed exit"]));
    assert_eq!(moves(&trace, "sick"), with(&["stopping health", "failed exit"]));
    assert_eq!(moves(&trace, "once"), with(&["stopped completed"]));
}

#[tokio::test(start_paused = true)]
async fn a_group_has_its_word_and_stands_in_the_configuration() {
    let fails = Probe::new("db").run(1, fails_after_a_second());
    let run = RecordedRun::with([fails, Probe::new("api")], ["db", "api"], |builder| builder);
    let run = run.unwrap();
    run.start("db").await;
    run.start("api").await;
    tokio::time::sleep(5 * SECOND).await;
    let trace = run.end().await;
    assert!(trace.lines[0].to_string().ends_with(r#""group":["db","api"]}"#));
    let moves = moves(&trace, "api");
    assert_eq!(moves[..4], ["starting", "running", "stopping group", "stopped group"]);
}

#[tokio::test(start_paused = true)]
async fn every_failure_has_its_word() {
    let spent = |give_up| {
        ServiceOptions::NONE
            .with_restart(RestartPolicy::Permanent)
            .with_intensity(Intensity::new(1, 60 * SECOND))
            .with_backoff(Backoff::NONE)
            .with_give_up(give_up)
    };
    let cools = spent(GiveUp::CoolDown(60 * SECOND));
    let probes = [
        Probe::new("exits").options(never()).run(.., fails_after_a_second()),
        Probe::new("given-up").options(spent(GiveUp::Fail)).run(.., fails_after_a_second()),
        Probe::new("cools").options(cools).run(.., fails_after_a_second()),
        Probe::new("fatal").run(.., [Step::Ready, Step::Fatal("no licence")]),
    ];
    let run = RecordedRun::of(probes).unwrap();
    for name in ["exits", "given-up", "cools", "fatal"] {
        run.start(name).await;
    }
    tokio::time::sleep(5 * SECOND).await;
    let trace = run.end().await;
    let failed = |service: &str| {
        let moves = moves(&trace, service);
        moves.into_iter().find(|moved| moved.starts_with("failed")).unwrap()
    };
    assert_eq!(failed("exits"), "failed exit");
    assert_eq!(failed("given-up"), "failed gave_up");
    assert_eq!(failed("cools"), "failed cooling_down");
    assert_eq!(failed("fatal"), "failed exit");
    has(&trace, r#""service":"fatal","event":"ended","incarnation":1,"outcome":"fatal"}"#);
    let config = trace.lines[0].to_string();
    let cools = r#"{"name":"cools","restart":"permanent","intensity":1,"give_up":"cool_down","grace":"some","zero_delay":true,"disabled":false}"#;
    assert!(config.contains(cools), "{config}");
}

/// On threads and a running clock, because one of them is really blocked.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_leaks_has_its_words() {
    let mut answers = Vec::new();
    // A machine that has too much to do may be late once, but not each time.
    for _ in 0..5 {
        answers = answers_about_what_leaks().await;
        if answers == ["failed leaks", "refused_leaked leaks", "refused_leaked leaks"] {
            return;
        }
    }
    panic!("{answers:?}");
}

/// What is answered about one that blocks its thread, before that is over.
async fn answers_about_what_leaks() -> Vec<String> {
    let moment = Duration::from_millis(20);
    let grace = GracePeriod::Bounded(moment);
    let leaks = Probe::new("leaks")
        .options(ServiceOptions::NONE.with_grace_period(grace))
        .on_stop(.., [Step::Block(Duration::from_millis(400))]);
    let short = move |builder: SupervisorBuilder| builder.join_timeout(moment);
    let run = RecordedRun::with([leaks, Probe::new("api").requires("leaks")], [], short).unwrap();
    run.start("api").await;
    let answers = [run.stop("leaks").await, run.start("api").await, run.restart("leaks").await];
    let answers = answers.map(|answer| answer.to_string()).to_vec();
    let trace = run.end().await;
    if answers[0] == "failed leaks" {
        has(&trace, r#""service":"leaks","event":"failed","incarnation":1,"reason":"leaked"}"#);
    }
    answers
}

//! The shutdown as a whole: its order, how long it takes, what it reports; and that a service which
//! hangs holds up only those that must wait for it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use plux::{Event, ListFinder, Listener, PluginManager, ShutdownReport, StopHow, Supervisor};
use tokio::time::Instant;

use crate::kit::{Do, Kit, Load, Log, OnStop, Probe, SECOND, Scripted, settle};

fn slow(name: &'static str, seconds: u32) -> Probe {
    Probe::new(name).on_stop(OnStop::Take(seconds * SECOND))
}

/// When a service had ended, from the beginning of the shutdown.
#[track_caller]
fn ended(report: &ShutdownReport, name: &str) -> Duration {
    let row = report.row(name).expect("it was live");
    row.ended.expect("it has ended") - row.asked
}

#[tokio::test(start_paused = true)]
async fn x02_dependents_stop_before_what_they_depend_on() {
    let (a, b) = (slow("a", 1), slow("b", 1).requires("a"));
    let (c, d) = (slow("c", 1).wants("b"), slow("d", 1).after("c"));
    let kit = Kit::new([&a, &b, &c, &d]);
    assert!(kit.supervisor.start_all().await.is_ok());
    let report = kit.supervisor.shutdown().await.unwrap();
    kit.log.before("d ended", "c stopping shutdown");
    kit.log.before("c ended", "b stopping shutdown");
    kit.log.before("b ended", "a stopping shutdown");
    assert_eq!(report.total(), 4 * SECOND);
    for name in ["a", "b", "c", "d"] {
        assert_eq!(kit.state(name), "stopped (shutdown)");
    }
}

#[tokio::test(start_paused = true)]
async fn x02_what_no_edge_ties_stops_at_the_same_time() {
    // The longest chain is one of 7 s: d, then e; levels would take 5 + 6.
    let probes = [
        slow("a", 1),
        slow("b", 5).requires("a"),
        slow("c", 3).wants("a"),
        slow("d", 1),
        slow("e", 6).after("d"),
        slow("f", 2),
    ];
    let kit = Kit::new(&probes);
    assert!(kit.supervisor.start_all().await.is_ok());
    let began = Instant::now();
    let report = kit.supervisor.shutdown().await.unwrap();
    assert_eq!(began.elapsed(), 7 * SECOND);
    let ends = ["a", "b", "c", "d", "e", "f"].map(|name| ended(&report, name).as_secs());
    assert_eq!(ends, [6, 5, 3, 7, 6, 2]);
}

#[tokio::test(start_paused = true)]
async fn x02_the_report_has_a_row_for_each_service_that_was_live() {
    let (base, clean) = (Probe::new("base"), slow("clean", 2).requires("base"));
    let error = Probe::new("error").on_stop(OnStop::Fail("disk full"));
    let late = Probe::new("late").on_stop(OnStop::Ignore);
    let (idle, broken) = (Probe::new("idle"), Probe::new("broken"));
    let gone = Probe::new("gone");
    let probes = [&base, &clean, &error, &late, &idle, &broken, &gone];
    let kit = Kit::with(probes, |builder| builder.grace_period(5 * SECOND));
    for name in ["clean", "error", "late", "broken", "gone"] {
        kit.supervisor.start(name).await.unwrap();
    }
    broken.order(Do::Fail("no"));
    kit.supervisor.stop("gone").await.unwrap();
    tokio::time::sleep(3 * SECOND).await;
    let report = kit.supervisor.shutdown().await.unwrap();
    let rows: Vec<_> = report.rows().iter().map(|row| row.name.as_str()).collect();
    assert_eq!(rows, ["base", "clean", "error", "late"]);
    for row in report.rows() {
        assert_eq!(row.asked, 3 * SECOND, "{}", row.name);
        assert_eq!(row.name, row.origin.file);
    }
    let ends = rows.iter().map(|name| ended(&report, name).as_secs()).collect::<Vec<_>>();
    assert_eq!(ends, [2, 2, 0, 5]);
    let hows = report.rows().iter().map(|row| row.how.to_string()).collect::<Vec<_>>();
    assert_eq!(hows, ["clean", "clean", "error: disk full", "aborted"]);
    assert_eq!(report.late().collect::<Vec<_>>(), ["late"]);
    assert_eq!(report.failed_before(), ["broken"]);
    assert_eq!(report.total(), 5 * SECOND);
    assert!(report.row("idle").is_none() && report.pending_loads().is_empty());
    let text = report.to_string();
    for part in ["clean: clean after 2s", "late: aborted after 5s", "broken: had failed before"] {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn x02_a_shutdown_is_clean_when_nothing_failed_before_or_during_it() {
    let clean = |on_stop, fails: bool| async move {
        let a = Probe::new("a").on_stop(on_stop);
        let kit = Kit::new([&a]);
        kit.supervisor.start("a").await.unwrap();
        if fails {
            a.order(Do::Fail("no"));
            settle().await;
        }
        kit.supervisor.shutdown().await.unwrap().is_clean()
    };
    assert!(clean(OnStop::Return, false).await);
    assert!(clean(OnStop::Take(SECOND), false).await);
    assert!(!clean(OnStop::Return, true).await);
    assert!(!clean(OnStop::Fail("no"), false).await);
    assert!(!clean(OnStop::Panic("no"), false).await);
    assert!(!clean(OnStop::Ignore, false).await);
    let kit = Kit::new([&Probe::new("idle")]);
    let report = kit.supervisor.shutdown().await.unwrap();
    assert!(report.is_clean() && report.rows().is_empty());
}

#[tokio::test(start_paused = true)]
async fn x02_what_was_stopping_already_keeps_its_place_and_its_time() {
    let (a, b) = (slow("a", 1), slow("b", 4).requires("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    let stop = kit.stopping("b").await;
    tokio::time::sleep(2 * SECOND).await;
    let report = kit.supervisor.shutdown().await.unwrap();
    stop.await.unwrap().unwrap();
    assert_eq!(kit.log.count("b stopping"), 1);
    kit.log.before("b ended", "a stopping shutdown");
    assert_eq!([kit.state("a"), kit.state("b")], ["stopped (shutdown)", "stopped (asked)"]);
    assert!(matches!(report.row("b").unwrap().how, StopHow::Clean));
    assert_eq!(ended(&report, "b"), 4 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn x02_what_waits_is_called_off() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let kit = Kit::new([&a, &b]);
    kit.supervisor.start("b").await.unwrap();
    a.order(Do::Fail("no"));
    settle().await;
    assert_eq!(kit.state("b"), "waiting");
    let report = kit.supervisor.shutdown().await.unwrap();
    assert_eq!(kit.state("b"), "stopped (shutdown)");
    assert!(kit.state("a").starts_with("failed: "));
    assert_eq!(kit.log.count("b begins"), 1);
    assert!(report.rows().is_empty());
}

#[tokio::test(start_paused = true)]
async fn x04_a_hung_service_delays_only_who_must_wait_for_it() {
    let (base, other) = (Probe::new("base"), Probe::new("other"));
    let hung = Probe::new("hung").requires("base").on_stop(OnStop::Ignore);
    let on_hung = slow("on_hung", 1).requires("hung");
    let on_other = slow("on_other", 2).requires("other");
    let both = slow("both", 1).requires("base").requires("other");
    let kit = Kit::new([&base, &other, &hung, &on_hung, &on_other, &both]);
    assert!(kit.supervisor.start_all().await.is_ok());
    let report = kit.supervisor.shutdown().await.unwrap();
    let ends = ["on_hung", "on_other", "both", "other", "hung", "base"]
        .map(|name| ended(&report, name).as_secs());
    assert_eq!(ends, [1, 2, 1, 2, 11, 11]);
    assert_eq!(report.late().collect::<Vec<_>>(), ["hung"]);
    assert_eq!(report.total(), 11 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn x04_a_stop_waits_for_nobody_but_its_own() {
    let (hung, free) = (Probe::new("hung").on_stop(OnStop::Ignore), Probe::new("free"));
    let kit = Kit::new([&hung, &free]);
    assert!(kit.supervisor.start_all().await.is_ok());
    let hangs = kit.stopping("hung").await;
    let began = Instant::now();
    kit.supervisor.stop("free").await.unwrap();
    kit.supervisor.start("free").await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(kit.state("hung"), "stopping (asked)");
    hangs.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn x04_a_start_waits_for_nobody_but_its_own() {
    let (hung, free) = (Probe::new("hung").begin([]), Probe::new("free"));
    let (on_hung, on_free) = (Probe::new("on_hung").requires("hung"), Probe::new("on_free"));
    let on_free = on_free.requires("free");
    let kit = Kit::new([&hung, &free, &on_hung, &on_free]);
    let supervisor = kit.supervisor.clone();
    let all = crate::kit::spawn(async move { supervisor.start_all().await });
    settle().await;
    assert_eq!([kit.state("free"), kit.state("on_free")], ["running"; 2]);
    assert_eq!([kit.state("hung"), kit.state("on_hung")], ["starting", "waiting"]);
    let failed = all.await.unwrap();
    let failed: Vec<_> = failed.failed().map(|(name, _)| name.as_str()).collect();
    assert_eq!(failed, ["hung", "on_hung"]);
}

/// Takes its time for each event, and a worker with it.
struct Slow(Arc<AtomicUsize>);

impl Listener for Slow {
    fn on_event(&self, _: &Event) {
        let (_open, never) = mpsc::channel::<()>();
        let _ = never.recv_timeout(Duration::from_millis(20));
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x02_when_it_answers_every_listener_has_heard_everything() {
    let heard = [0, 1].map(|_| Arc::new(AtomicUsize::new(0)));
    let log = Log::default();
    let specs = [Probe::new("a").spec(&log)];
    let manager = PluginManager::<dyn Scripted>::builder(())
        .finder(ListFinder::new(specs))
        .listener(Slow(Arc::clone(&heard[0])))
        .build();
    let supervisor = Supervisor::builder()
        .manager(manager)
        .listener(Slow(Arc::clone(&heard[1])))
        .build()
        .unwrap();
    supervisor.start("a").await.unwrap();
    supervisor.shutdown().await.unwrap();
    // Resolved, initialized, load started, loaded; starting, running, stopping, stopped.
    assert_eq!(heard.map(|heard| heard.load(Ordering::SeqCst)), [4, 4]);
}

#[tokio::test(start_paused = true)]
async fn x04_a_load_that_ends_with_the_shutdown_does_not_hold_it_up() {
    let kit = Kit::new(&[Probe::new("loads").load(Load::Hang)]);
    let start = kit.starting("loads").await;
    let began = Instant::now();
    let report = kit.supervisor.shutdown().await.unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert!(start.await.unwrap().is_err());
}

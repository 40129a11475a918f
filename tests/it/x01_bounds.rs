//! The bounds of one stop: signal, drain, grace period, abort.

use std::time::Duration;

use plux::{
    BuildProblem, GracePeriod, ListFinder, Name, PluginManager, ServiceOptions, ShutdownReport,
    StartTimeout, StopHow, Supervisor,
};
use tokio::time::Instant;

use crate::kit::{Do, Kit, Log, OnStop, Probe, SECOND, Scripted, at_most, settle};
use crate::x03_leaked::TRIES;

/// How long the stop of a service took, and how it ended.
#[track_caller]
fn stop(report: &ShutdownReport, name: &str) -> (Duration, String) {
    let row = report.row(name).expect("it was live");
    (row.ended.expect("it has ended") - row.asked, row.how.to_string())
}

fn ignores(name: &'static str) -> Probe {
    Probe::new(name).on_stop(OnStop::Ignore)
}

#[test]
fn x01_what_nobody_sets_has_a_default() {
    let builder = format!("{:?}", Supervisor::builder());
    assert!(builder.contains("grace_period: Bounded(10s)"), "{builder}");
    assert!(builder.contains("join_timeout: 1s"), "{builder}");
    assert!(builder.contains("shutdown_timeout: None"), "{builder}");
}

#[tokio::test(start_paused = true)]
async fn x01_a_service_has_its_grace_period_to_drain() {
    let a = Probe::new("a").on_stop(OnStop::Take(Duration::from_millis(9_999)));
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let report = kit.supervisor.stop("a").await.unwrap();
    let row = &report.rows[0];
    assert!(matches!(row.how, StopHow::Clean), "{}", row.how);
    assert_eq!(row.ended, Some(row.asked + Duration::from_millis(9_999)));
    assert_eq!(kit.events.states("a")[2..], ["stopping (asked)", "stopped (asked)"]);
}

#[tokio::test(start_paused = true)]
async fn x01_a_service_is_dropped_when_ten_seconds_are_over() {
    let a = ignores("a");
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let began = Instant::now();
    let report = kit.supervisor.stop("a").await.unwrap();
    assert_eq!(began.elapsed(), 10 * SECOND);
    assert!(matches!(report.rows[0].how, StopHow::Aborted), "{}", report.rows[0].how);
    kit.log.before("a stopping asked", "a ended");
    // It was asked for, so that is what it is.
    assert_eq!(kit.state("a"), "stopped (asked)");
    assert_eq!(a.live(), 0);
    // And nothing is left of it.
    kit.supervisor.start("a").await.unwrap();
    assert_eq!((kit.incarnation("a"), a.most_live()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn x01_each_service_has_its_own_grace_period_before_the_builders() {
    let own = ignores("own").grace_period(GracePeriod::Bounded(2 * SECOND));
    let none = ignores("none").grace_period(GracePeriod::Bounded(Duration::ZERO));
    let builders = ignores("builders");
    let kit = Kit::with([&own, &none, &builders], |builder| builder.grace_period(5 * SECOND));
    assert!(kit.supervisor.start_all().await.is_ok());
    let report = kit.supervisor.shutdown().await.unwrap();
    assert_eq!(stop(&report, "own"), (2 * SECOND, "aborted".to_owned()));
    assert_eq!(stop(&report, "none"), (Duration::ZERO, "aborted".to_owned()));
    assert_eq!(stop(&report, "builders"), (5 * SECOND, "aborted".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn x01_without_grace_a_service_is_dropped_where_it_stands() {
    let a = Probe::new("a");
    let kit = Kit::with([&a], |builder| builder.grace_period(Duration::ZERO));
    kit.supervisor.start("a").await.unwrap();
    let report = kit.supervisor.stop("a").await.unwrap();
    assert!(matches!(report.rows[0].how, StopHow::Aborted), "{}", report.rows[0].how);
    assert_eq!(kit.log.of("a")[3..], ["ready", "ended"]);
}

#[tokio::test(start_paused = true)]
async fn x01_the_grace_period_counts_from_the_signal_and_not_from_the_call() {
    let (a, b) = (ignores("a"), ignores("b").requires("a"));
    let kit = Kit::with([&a, &b], |builder| builder.grace_period(3 * SECOND));
    kit.supervisor.start("b").await.unwrap();
    let report = kit.supervisor.shutdown().await.unwrap();
    assert_eq!(stop(&report, "b").0, 3 * SECOND);
    assert_eq!(stop(&report, "a").0, 6 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn x01_a_service_that_is_starting_has_its_grace_period_too() {
    let hangs = Probe::new("hangs").begin([Do::Take(100 * SECOND)]);
    let kit = Kit::with([&hangs], |builder| builder.grace_period(4 * SECOND));
    let start = kit.starting("hangs").await;
    let report = kit.supervisor.stop("hangs").await.unwrap();
    assert!(matches!(report.rows[0].how, StopHow::Aborted));
    assert_eq!(report.rows[0].ended, Some(report.rows[0].asked + 4 * SECOND));
    start.await.unwrap().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn x01_unlimited_grace_is_refused_without_a_shutdown_timeout() {
    let endless = |name| Probe::new(name).grace_period(GracePeriod::Unlimited);
    let (one, other) = (endless("one"), endless("other"));
    let fine = Probe::new("fine");
    let log = Log::default();
    let builder = || {
        let specs = [&one, &other, &fine].map(|probe| probe.spec(&log));
        let finder = ListFinder::new(specs);
        let manager = PluginManager::<dyn Scripted>::builder(()).finder(finder).build();
        Supervisor::builder().manager(manager)
    };
    let error = builder().build().unwrap_err();
    let named: Vec<_> = error
        .problems
        .iter()
        .map(|problem| match problem {
            BuildProblem::UnlimitedGrace { name, origin } => {
                assert_eq!(*name, origin.file);
                name.as_str()
            }
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(named, ["one", "other"]);
    assert!(error.to_string().contains("shutdown_timeout"), "{error}");
    builder().shutdown_timeout(SECOND).build().unwrap();
    assert_eq!(log.lines(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn x01_unlimited_grace_ends_with_the_shutdown_timeout() {
    let drains = Probe::new("drains").grace_period(GracePeriod::Unlimited);
    let drains = drains.on_stop(OnStop::Take(100_000 * SECOND));
    let kit = Kit::with([&drains], |builder| builder.shutdown_timeout(60 * SECOND));
    kit.supervisor.start("drains").await.unwrap();
    // A stop that is not a shutdown has all the time there is.
    let report = kit.supervisor.stop("drains").await.unwrap();
    assert!(matches!(report.rows[0].how, StopHow::Clean), "{}", report.rows[0].how);
    assert_eq!(report.rows[0].ended, Some(report.rows[0].asked + 100_000 * SECOND));
    kit.supervisor.start("drains").await.unwrap();
    let report = kit.supervisor.shutdown().await.unwrap();
    assert_eq!(stop(&report, "drains"), (60 * SECOND, "aborted".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn x01_the_shutdown_timeout_aborts_all_that_is_left() {
    let (a, b) = (Probe::new("a"), ignores("b").requires("a"));
    let (c, quick) = (ignores("c"), Probe::new("quick"));
    let kit = Kit::with([&a, &b, &c, &quick], |builder| {
        builder.grace_period(100 * SECOND).shutdown_timeout(7 * SECOND)
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    let began = Instant::now();
    let report = kit.supervisor.shutdown().await.unwrap();
    assert_eq!(began.elapsed(), 7 * SECOND);
    for name in ["a", "b", "c"] {
        assert_eq!(stop(&report, name), (7 * SECOND, "aborted".to_owned()));
        assert_eq!(kit.state(name), "stopped (shutdown)");
    }
    assert_eq!(stop(&report, "quick"), (Duration::ZERO, "clean".to_owned()));
    assert_eq!([a.live(), b.live(), c.live()], [0; 3]);
}

#[tokio::test(start_paused = true)]
async fn x01_a_stop_that_is_in_time_leaves_no_timer_behind() {
    let a = Probe::new("a").on_stop(OnStop::Take(SECOND));
    let kit = Kit::with([&a], |builder| builder.grace_period(3 * SECOND));
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.stop("a").await.unwrap();
    kit.supervisor.start("a").await.unwrap();
    // The first stop's grace period is over now, and the start's deadline too.
    tokio::time::sleep(100 * SECOND).await;
    settle().await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 2));
}

#[tokio::test(start_paused = true)]
async fn x01_s08_the_host_has_the_last_word_on_a_service() {
    let grace = |seconds: u32| GracePeriod::Bounded(seconds * SECOND);
    let own = ignores("own").grace_period(grace(2)).start_timeout(3 * SECOND);
    let plain = ignores("plain");
    let kit = Kit::with([&own, &plain], |builder| {
        builder
            .service("own", ServiceOptions::NONE.with_grace_period(grace(5)))
            // What an earlier call has set and this one leaves open stays.
            .service("own", ServiceOptions::NONE.with_start_timeout(StartTimeout::Unlimited))
            .service("plain", ServiceOptions::NONE.with_grace_period(grace(99)))
            .service("plain", ServiceOptions::NONE.with_grace_period(grace(7)))
            .grace_period(SECOND)
    });
    for (probe, name, seconds) in [(&own, "own", 5), (&plain, "plain", 7)] {
        kit.supervisor.start(name).await.unwrap();
        let began = Instant::now();
        kit.supervisor.stop(name).await.unwrap();
        assert_eq!(began.elapsed(), seconds * SECOND, "{name}");
        probe.clone().begin([]);
    }
    let start = kit.starting("own").await;
    tokio::time::sleep(3600 * SECOND).await;
    assert_eq!(kit.state("own"), "starting");
    own.order(Do::Ready);
    start.await.unwrap().unwrap();
}

#[test]
fn x01_options_for_nobody_and_unlimited_grace_by_name_are_refused_together() {
    let log = Log::default();
    let specs = [Probe::new("s3").spec(&log), Probe::new("queue").spec(&log)];
    let manager = PluginManager::<dyn Scripted>::builder(()).finder(ListFinder::new(specs)).build();
    let unlimited = ServiceOptions::NONE.with_grace_period(GracePeriod::Unlimited);
    let error = Supervisor::builder()
        .manager(manager)
        .service("s4", ServiceOptions::NONE)
        .service("queue", unlimited)
        .build()
        .unwrap_err();
    let [unknown, unlimited] = &error.problems[..] else { panic!("{error}") };
    let BuildProblem::UnknownService { name, near } = unknown else { panic!("{unknown}") };
    assert_eq!((name.as_str(), &near.0[..]), ("s4", &[Name::literal("s3")][..]));
    let text = unknown.to_string();
    assert!(text.contains("did you mean `s3`") && text.contains("plux::link!"), "{text}");
    let BuildProblem::UnlimitedGrace { name, origin } = unlimited else { panic!("{unlimited}") };
    assert_eq!((name.as_str(), origin.file), ("queue", "queue"));
}

/// On the real clock: what keeps the dispatcher busy takes longer than the grace period, which has not begun.
#[tokio::test]
async fn a02_x01_a_grace_period_does_not_begin_before_its_stop_does() {
    let crowd: Vec<_> = (0..10_000).map(|it| Probe::new(format!("crowd-{it}").leak())).collect();
    for _ in 0..TRIES {
        let a = Probe::new("a").grace_period(GracePeriod::Bounded(Duration::from_millis(20)));
        let kit = Kit::new([&a]);
        kit.supervisor.start("a").await.unwrap();
        let (added, stopped) = tokio::join!(kit.add(&crowd), kit.supervisor.stop("a"));
        added.unwrap();
        if matches!(stopped.unwrap().rows[0].how, StopHow::Clean) {
            return;
        }
    }
    panic!("it is aborted each time");
}

#[tokio::test(start_paused = true)]
async fn a02_x02_what_had_failed_before_is_in_name_order_whoever_came_first() {
    let fails = |name| Probe::new(name).begin([Do::Ready, Do::Fail("no")]);
    let kit = Kit::with([&fails("b")], at_most(0));
    kit.add([&fails("a")]).await.unwrap();
    for name in ["a", "b"] {
        kit.supervisor.start(name).await.unwrap();
    }
    settle().await;
    let report = kit.supervisor.shutdown().await.unwrap();
    assert_eq!(report.failed_before(), ["a", "b"]);
}

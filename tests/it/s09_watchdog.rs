//! What a run says of itself, and the failure of one that says nothing for too long.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use plux::{
    EventKind, GracePeriod, Group, Intensity, ListFinder, PluginManager, RestartPolicy,
    ServiceContext, ServiceFailure, ServiceOptions, ServiceState, StartError, Supervisor,
};
use tokio::time::{Instant, sleep};

use crate::kit::{Do, Kit, Load, Log, OnStop, Probe, SECOND, Scripted, order, settle, tireless};

const SILENT: &str = "failed: it had no heartbeat for 5s; call ServiceContext::heartbeat more \
    often, or set a longer watchdog";

/// One that has to beat every five seconds, and does so only when told.
fn watched(name: &'static str) -> Probe {
    Probe::new(name).options(|options| options.with_watchdog(5 * SECOND))
}

fn beat() -> Do {
    Do::call(|cx| async move { cx.heartbeat() })
}

/// Beats on in a task of the service's own.
fn beat_every(time: Duration) -> Do {
    Do::call(move |cx| async move {
        let run = cx.clone();
        cx.spawn(async move {
            while run.running_until(sleep(time)).await.is_some() {
                run.heartbeat();
            }
        });
    })
}

fn say(text: impl Into<String>) -> Do {
    let text = text.into();
    Do::call(move |cx| {
        let text = text.clone();
        async move { cx.status(text) }
    })
}

fn text(kit: &Kit, name: &str) -> Option<String> {
    kit.supervisor.status(name).unwrap().text.map(|text| text.to_string())
}

#[tokio::test(start_paused = true)]
async fn s07_s09_a_service_that_does_not_beat_has_failed_whatever_it_returns() {
    let ends = [OnStop::Return, OnStop::Fail("half written"), OnStop::Panic("oh no")];
    for on_stop in ends {
        let a = watched("a").on_stop(on_stop);
        let kit = Kit::new([&a]);
        kit.supervisor.start("a").await.unwrap();
        let began = Instant::now();
        kit.supervisor.wait("a").await.unwrap();
        assert_eq!(began.elapsed().as_secs(), 5);
        assert_eq!(kit.state("a"), SILENT);
        assert_eq!(kit.log.of("a")[4..], ["stopping watchdog", "ended"]);
        settle().await;
        let states = kit.events.states("a");
        assert_eq!(states[..3], ["starting", "running", "stopping (watchdog)"]);
        let reported = |event: &plux::Event| matches!(event.kind, EventKind::StopFailed { .. });
        let reports = kit.events.all().iter().filter(|event| reported(event)).count();
        assert_eq!(reports, usize::from(!matches!(on_stop, OnStop::Return)));
    }
}

#[tokio::test(start_paused = true)]
async fn s09_the_failure_has_the_time_it_had() {
    let kit = Kit::new([&watched("a")]);
    kit.supervisor.start("a").await.unwrap();
    sleep(6 * SECOND).await;
    let ServiceState::Failed(failure) = kit.raw_state("a") else { panic!("{}", kit.state("a")) };
    let ServiceFailure::Watchdog { watchdog } = *failure else { panic!("{failure}") };
    assert_eq!(watchdog, 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn s09_a_heartbeat_that_comes_late_changes_nothing() {
    let a = watched("a").on_stop(OnStop::Ignore);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    sleep(6 * SECOND).await;
    assert_eq!(kit.state("a"), "stopping (watchdog)");
    order(&a, beat()).await;
    order(&a, Do::Complete).await;
    assert_eq!(kit.state("a"), SILENT);
}

#[tokio::test(start_paused = true)]
async fn s09_a_heartbeat_counts_from_when_it_came() {
    let a = watched("a");
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let began = Instant::now();
    for time in [4, 1, 4] {
        sleep(time * SECOND).await;
        order(&a, beat()).await;
    }
    kit.supervisor.wait("a").await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 14, "9 s of beats, and 5 s without");
}

#[tokio::test(start_paused = true)]
async fn s09_who_beats_goes_on() {
    let a = watched("a").begin([Do::Ready, beat_every(4 * SECOND)]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    sleep(3600 * SECOND).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 1));
    kit.supervisor.stop("a").await.unwrap();
    assert_eq!(kit.state("a"), "stopped (asked)");
}

#[tokio::test(start_paused = true)]
async fn s09_the_heartbeats_of_an_old_run_are_nothing_to_the_next() {
    let kept: Arc<Mutex<Option<ServiceContext>>> = Arc::default();
    let keep = Arc::clone(&kept);
    let a = watched("a").begin([
        Do::call(move |cx| {
            keep.lock().get_or_insert(cx);
            async {}
        }),
        Do::Ready,
    ]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.restart("a").await.unwrap();
    let old = kept.lock().clone().unwrap();
    assert_eq!((old.incarnation(), kit.incarnation("a")), (1, 2));
    for _ in 0..3 {
        sleep(2 * SECOND).await;
        old.heartbeat();
        old.status("still here");
    }
    assert_eq!(kit.state("a"), SILENT);
    assert_eq!(text(&kit, "a"), None);
}

#[tokio::test(start_paused = true)]
async fn s09_a_start_is_not_watched_and_readiness_is_the_first_heartbeat() {
    let a = watched("a").begin([Do::Take(20 * SECOND), Do::Ready]);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let began = Instant::now();
    kit.supervisor.wait("a").await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 5);
    assert_eq!(kit.state("a"), SILENT);
}

#[tokio::test(start_paused = true)]
async fn s09_a_stop_is_not_watched() {
    let slow = |name| {
        let grace = GracePeriod::Bounded(60 * SECOND);
        watched(name).on_stop(OnStop::Take(30 * SECOND)).grace_period(grace)
    };
    // The one waits for the other before it is signalled.
    let kit = Kit::new([&slow("a"), &slow("b").requires("a")]);
    kit.supervisor.start("b").await.unwrap();
    sleep(4 * SECOND).await;
    kit.supervisor.stop("a").await.unwrap();
    assert_eq!(kit.state("a"), "stopped (asked)");
    assert_eq!(kit.state("b"), "stopped (dependency)");
    kit.supervisor.start("b").await.unwrap();
    let report = kit.supervisor.shutdown().await.unwrap();
    assert_eq!(report.total().as_secs(), 60);
    assert!(report.is_clean(), "{report}");
    assert_eq!((kit.state("a"), kit.state("b")), {
        let stopped = || "stopped (shutdown)".to_owned();
        (stopped(), stopped())
    });
}

#[tokio::test(start_paused = true)]
async fn s09_a_shutdown_while_it_is_stopped_leaves_it_failed() {
    let a = watched("a").on_stop(OnStop::Take(3 * SECOND));
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    sleep(6 * SECOND).await;
    assert_eq!(kit.state("a"), "stopping (watchdog)");
    kit.supervisor.shutdown().await.unwrap();
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), (SILENT, 1));
}

#[tokio::test(start_paused = true)]
async fn s09_a_stop_while_it_is_stopped_leaves_it_failed() {
    let a = watched("a").on_stop(OnStop::Take(3 * SECOND));
    let kit = Kit::with([&a], tireless);
    kit.supervisor.start("a").await.unwrap();
    sleep(6 * SECOND).await;
    kit.supervisor.stop("a").await.unwrap();
    sleep(10 * SECOND).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), (SILENT, 1));
}

#[tokio::test(start_paused = true)]
async fn s09_who_does_not_stop_either_is_aborted_after_its_grace_period() {
    let a = watched("a").on_stop(OnStop::Ignore);
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    let began = Instant::now();
    kit.supervisor.wait("a").await.unwrap();
    assert_eq!((began.elapsed().as_secs(), a.live()), (15, 0));
    assert_eq!(kit.state("a"), SILENT);
}

#[tokio::test(start_paused = true)]
async fn r01_s09_the_policy_says_whether_it_comes_back() {
    let policies = [
        (RestartPolicy::Permanent, "running", 2),
        (RestartPolicy::Transient, "running", 2),
        (RestartPolicy::Temporary, SILENT, 1),
    ];
    for (policy, state, run) in policies {
        let a = watched("a").options(|options| options.with_restart(policy));
        let kit = Kit::with([&a], tireless);
        kit.supervisor.start("a").await.unwrap();
        sleep(6 * SECOND).await;
        assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), (state, run), "{policy:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn r04_s09_missed_heartbeats_use_up_the_restarts() {
    let a = watched("a");
    let kit =
        Kit::with([&a], |builder| tireless(builder).intensity(Intensity::new(2, 60 * SECOND)));
    kit.supervisor.start("a").await.unwrap();
    sleep(30 * SECOND).await;
    assert_eq!(kit.incarnation("a"), 3);
    let gave_up = "failed: it was given up after 2 restarts within 60s: it had no heartbeat for 5s";
    assert!(kit.state("a").starts_with(gave_up), "{}", kit.state("a"));
}

#[tokio::test(start_paused = true)]
async fn r04_s09_with_no_restarts_allowed_it_is_given_up() {
    let a = watched("a");
    let kit =
        Kit::with([&a], |builder| tireless(builder).intensity(Intensity::new(0, 60 * SECOND)));
    kit.supervisor.start("a").await.unwrap();
    sleep(30 * SECOND).await;
    assert_eq!(kit.incarnation("a"), 1);
    let gave_up = "failed: it was given up after 0 restarts within 60s: it had no heartbeat for 5s";
    let state = kit.supervisor.status("a").unwrap().state.to_string();
    assert!(state.starts_with(gave_up), "{state}");
}

#[tokio::test(start_paused = true)]
async fn r05_r06_s09_with_no_restarts_allowed_its_group_stops_with_it() {
    let (a, b) = (watched("a"), Probe::new("b"));
    let kit = Kit::with([&a, &b], |builder| {
        let group = Group::one_for_all("store", ["a", "b"]);
        tireless(builder).intensity(Intensity::new(0, 60 * SECOND)).group(group)
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    sleep(6 * SECOND).await;
    assert_eq!([kit.state("a").as_str(), kit.state("b").as_str()], [SILENT, "stopped (group)"]);
}

#[tokio::test(start_paused = true)]
async fn d05_s09_what_stands_on_it_is_stopped_first_and_comes_back_with_it() {
    let a = watched("a");
    let kit = Kit::with([&a, &Probe::new("b").requires("a")], tireless);
    kit.supervisor.start("b").await.unwrap();
    kit.log.clear();
    sleep(6 * SECOND).await;
    kit.log.before("b ended", "a stopping watchdog");
    assert_eq!(kit.log.of("b")[0], "stopping dependency");
    assert_eq!((kit.incarnation("a"), kit.incarnation("b")), (2, 2));
    assert_eq!(kit.state("b"), "running");
}

#[tokio::test(start_paused = true)]
async fn s02_s09_a_start_that_stands_on_it_fails_and_names_it() {
    let b = Probe::new("b").requires("a").begin([]);
    let kit = Kit::new([&watched("a"), &b]);
    let error = kit.supervisor.start("b").await.unwrap_err();
    let StartError::Failed { culprit, source, .. } = &error else { panic!("{error}") };
    assert_eq!(culprit.as_str(), "a");
    assert!(matches!(**source, ServiceFailure::Watchdog { .. }), "{source}");
    assert_eq!((kit.state("a").as_str(), b.live()), (SILENT, 0));
}

#[tokio::test(start_paused = true)]
async fn s09_without_a_watchdog_nobody_has_to_beat() {
    let a = Probe::new("a");
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    sleep(3600 * SECOND).await;
    order(&a, beat()).await;
    sleep(3600 * SECOND).await;
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 1));
}

#[tokio::test(start_paused = true)]
async fn s09_what_is_set_by_name_goes_before_the_service_and_that_before_all() {
    let (named, own, plain) = (watched("named"), watched("own"), Probe::new("plain"));
    let kit = Kit::with([&named, &own, &plain], |builder| {
        let two = ServiceOptions::NONE.with_watchdog(2 * SECOND);
        builder.watchdog(9 * SECOND).service("named", two)
    });
    for (name, time) in [("named", 2), ("own", 5), ("plain", 9)] {
        kit.supervisor.start(name).await.unwrap();
        let began = Instant::now();
        kit.supervisor.wait(name).await.unwrap();
        assert_eq!(began.elapsed().as_secs(), time, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn s09_a_time_without_end_is_never_over() {
    let a = Probe::new("a").options(|options| options.with_watchdog(Duration::MAX));
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    sleep(3600 * SECOND).await;
    assert_eq!(kit.state("a"), "running");
}

#[test]
fn a03_s09_a_watchdog_of_zero_is_refused() {
    let a = Probe::new("a").options(|options| options.with_watchdog(Duration::ZERO));
    let specs = [a.spec(&Log::default())];
    let manager = PluginManager::<dyn Scripted>::builder(()).finder(ListFinder::new(specs)).build();
    let error = Supervisor::builder().manager(manager).build().unwrap_err();
    let problems: Vec<_> = error.problems.iter().map(ToString::to_string).collect();
    let zero = "`a` (registered at a:7 (probes 1.0.0)) has a watchdog of zero: set a time, or none";
    assert_eq!(problems, [zero]);
}

#[tokio::test(start_paused = true)]
async fn s09_what_a_service_says_of_itself_is_there_until_it_says_something_else_or_ends() {
    let a = Probe::new("a").begin([say("opens the store")]).on_stop(OnStop::Ignore);
    let kit = Kit::new([&a]);
    assert_eq!(text(&kit, "a"), None);
    let start = kit.starting("a").await;
    assert_eq!(text(&kit, "a").as_deref(), Some("opens the store"));
    order(&a, Do::Ready).await;
    start.await.unwrap().unwrap();
    order(&a, say("serves")).await;
    assert_eq!(text(&kit, "a").as_deref(), Some("serves"));
    let stop = kit.stopping("a").await;
    order(&a, say("drains")).await;
    assert_eq!(kit.state("a"), "stopping (asked)");
    assert_eq!(text(&kit, "a").as_deref(), Some("drains"));
    order(&a, Do::Complete).await;
    stop.await.unwrap().unwrap();
    assert_eq!(text(&kit, "a"), None);
    let a = a.begin([Do::Ready]).on_stop(OnStop::Return);
    kit.supervisor.start("a").await.unwrap();
    assert_eq!((text(&kit, "a"), a.live()), (None, 1));
}

#[tokio::test(start_paused = true)]
async fn s09_of_a_long_text_256_characters_are_kept() {
    let a = Probe::new("a");
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    for (said, kept) in [("x", 255), ("x", 256), ("x", 257), ("\u{e9}", 256), ("\u{1f980}", 999)] {
        order(&a, say(said.repeat(kept))).await;
        assert_eq!(text(&kit, "a"), Some(said.repeat(kept.min(256))), "{kept}");
    }
}

#[tokio::test(start_paused = true)]
async fn c03_s09_what_is_said_is_seen_at_once_also_of_one_that_hangs() {
    let a = Probe::new("a").begin([say("waits for a lock"), Do::Take(3600 * SECOND)]);
    let kit = Kit::with([&a, &Probe::new("b").load(Load::Hang)], |builder| {
        builder.start_timeout(plux::StartTimeout::Unlimited)
    });
    let _a = kit.starting("a").await;
    let _b = kit.starting("b").await;
    let texts: Vec<_> = kit.supervisor.list().into_iter().map(|status| status.text).collect();
    assert_eq!(texts[0].as_deref(), Some("waits for a lock"));
    assert_eq!(texts[1], None);
}

//! A call belongs to the supervisor: it gets one answer, and nobody has to wait for it.

use futures::FutureExt;
use plux::{GiveUp, RestartError, StartError, StartOutcome, StopReason};
use tokio::time::timeout;

use crate::kit::{Do, Kit, OnStop, Probe, SECOND, at_most, order, settle, spawn};

#[tokio::test(start_paused = true)]
async fn c06_a_start_goes_on_when_its_future_is_dropped() {
    let a = Probe::new("a").begin([Do::Take(SECOND), Do::Ready]);
    let kit = Kit::new([&a, &Probe::new("b").requires("a")]);
    assert!(kit.supervisor.start("b").now_or_never().is_none());
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!((kit.state("a"), kit.state("b")), ("running".into(), "running".into()));
    assert_eq!(kit.supervisor.start("b").await.unwrap(), StartOutcome::AlreadyRunning);
}

#[tokio::test(start_paused = true)]
async fn c06_a_caller_that_gives_up_takes_nothing_from_those_who_share_the_attempt() {
    let a = Probe::new("a").begin([Do::Take(3 * SECOND), Do::Ready]);
    let kit = Kit::new([&a]);
    assert!(timeout(SECOND, kit.supervisor.start("a")).await.is_err());
    assert_eq!(kit.supervisor.start("a").await.unwrap(), StartOutcome::Joined);
    assert_eq!(kit.log.count("a begins"), 1);
}

#[tokio::test(start_paused = true)]
async fn c06_a_wait_for_what_cools_down_is_answered_when_that_is_stopped() {
    let a = Probe::new("a");
    let cooling = GiveUp::CoolDown(100 * SECOND);
    let kit = Kit::with([&a], |builder| at_most(0)(builder).give_up(cooling));
    kit.supervisor.start("a").await.unwrap();
    order(&a, Do::Fail("no")).await;
    let supervisor = kit.supervisor.clone();
    let wait = spawn(async move { supervisor.wait("a").await });
    settle().await;
    assert!(!wait.is_finished());
    kit.supervisor.stop("a").await.unwrap();
    let state = timeout(SECOND, wait).await.expect("it is answered").unwrap().unwrap();
    assert_eq!(state.word(), "failed");
}

#[tokio::test(start_paused = true)]
async fn c06_a_rollback_is_made_when_nobody_waits_for_it() {
    let bad = Probe::new("bad").begin([Do::Take(SECOND), Do::Fail("no")]);
    let a = Probe::new("a");
    let kit = Kit::new([&a, &bad, &Probe::new("top").requires("a").requires("bad")]);
    assert!(kit.supervisor.start("top").now_or_never().is_none());
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!((kit.state("a"), a.live()), ("stopped (unneeded)".into(), 0));
}

#[tokio::test(start_paused = true)]
async fn c06_a_stop_and_a_restart_go_on_when_their_futures_are_dropped() {
    let a = Probe::new("a").on_stop(OnStop::Take(SECOND));
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    assert!(kit.supervisor.restart("a").now_or_never().is_none());
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!((kit.state("a"), kit.incarnation("a")), ("running".into(), 2));
    assert!(kit.supervisor.stop("a").now_or_never().is_none());
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!(kit.state("a"), "stopped (asked)");
}

#[tokio::test(start_paused = true)]
async fn c06_a_shutdown_goes_on_when_its_future_is_dropped() {
    let a = Probe::new("a").on_stop(OnStop::Take(SECOND));
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    assert!(kit.supervisor.shutdown().now_or_never().is_none());
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!((kit.state("a"), a.live()), ("stopped (shutdown)".into(), 0));
}

#[tokio::test(start_paused = true)]
async fn c06_a_future_that_was_never_polled_asks_for_nothing() {
    let kit = Kit::new([&Probe::new("a")]);
    drop(kit.supervisor.start("a"));
    drop(kit.supervisor.shutdown());
    settle().await;
    assert_eq!(kit.state("a"), "stopped (never started)");
    assert_eq!(kit.supervisor.start("a").await.unwrap(), StartOutcome::Started);
}

#[tokio::test(start_paused = true)]
async fn c06_every_pending_call_is_answered_when_the_supervisor_shuts_down() {
    let a = Probe::new("a").begin([]).on_stop(OnStop::Take(SECOND));
    let kit = Kit::new([&a, &Probe::new("b")]);
    kit.supervisor.start("b").await.unwrap();
    let (start, restart) = (kit.starting("a").await, kit.restarting("a").await);
    let supervisor = kit.supervisor.clone();
    let wait = crate::kit::spawn(async move { supervisor.wait("b").await });
    let stop = kit.stopping("a").await;
    settle().await;
    let (again, shutdown) = (kit.starting("a").await, kit.supervisor.shutdown().await);
    assert!(shutdown.unwrap().is_clean());
    start.await.unwrap().unwrap_err();
    restart.await.unwrap().unwrap_err();
    let error = again.await.unwrap().unwrap_err();
    let shut = StopReason::Shutdown;
    assert!(matches!(error, StartError::Stopped { reason, .. } if reason == shut), "{error}");
    assert_eq!(stop.await.unwrap().unwrap().stopped().collect::<Vec<_>>(), ["a"]);
    assert_eq!(wait.await.unwrap().unwrap().to_string(), "stopped (shutdown)");
}

#[tokio::test(start_paused = true)]
async fn c06_every_call_after_the_shutdown_is_answered_at_once() {
    let kit = Kit::new([&Probe::new("a")]);
    kit.supervisor.start("a").await.unwrap();
    let report = kit.supervisor.shutdown().await.unwrap();
    let error = kit.supervisor.start("a").await.unwrap_err();
    assert!(matches!(&error, StartError::Shutdown { name } if name == "a"), "{error}");
    let error = kit.supervisor.restart("a").await.unwrap_err();
    assert!(matches!(&error, RestartError::Start(StartError::Shutdown { .. })), "{error}");
    assert!(kit.supervisor.stop("a").await.unwrap().rows.is_empty());
    assert_eq!(kit.supervisor.wait("a").await.unwrap().to_string(), "stopped (shutdown)");
    assert!(!kit.supervisor.start_all().await.is_ok());
    kit.supervisor.request_stop("a").unwrap();
    kit.supervisor.request_restart("a").unwrap();
    kit.supervisor.request_shutdown();
    kit.supervisor.abort_now();
    let again = kit.supervisor.shutdown().await.unwrap();
    assert_eq!(again.total(), report.total());
    assert_eq!(kit.log.count("a begins"), 1);
}

#[tokio::test(start_paused = true)]
async fn c06_calls_on_several_services_do_not_wait_for_each_other() {
    let (slow, quick) = (Probe::new("slow").begin([]), Probe::new("quick"));
    let kit = Kit::new([&slow, &quick]);
    let start = kit.starting("slow").await;
    assert!(kit.supervisor.start("quick").now_or_never().is_none(), "it takes a step");
    assert_eq!(kit.supervisor.start("quick").await.unwrap(), StartOutcome::Joined);
    assert!(!start.is_finished());
}

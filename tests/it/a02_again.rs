//! A name that was removed and is added again means another service, also where its place was.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use plux::{
    GracePeriod, Group, HandleError, Health, RemoveError, ServiceContext, ServiceFailure,
    ServiceOptions, ServiceState, StartError, StopHow,
};
use tokio::time::sleep;

use crate::kit::{Do, Kit, OnStop, Probe, Published, SECOND, order, settle, spawn, tireless};

/// A script that is ready and keeps its context.
fn keeping() -> (Vec<Do>, Arc<Mutex<Vec<ServiceContext>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&kept);
    let keep = Do::call(move |cx| {
        list.lock().push(cx);
        async {}
    });
    (vec![keep, Do::Ready], kept)
}

/// Stops the service and has another take its name, and its place.
async fn replace(kit: &Kit, name: &str, by: &Probe) {
    kit.supervisor.stop(name).await.unwrap();
    kit.supervisor.remove(name).await.unwrap();
    kit.add([by]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a02_c01_a_context_of_the_earlier_one_says_nothing_about_the_next() {
    let (script, kept) = keeping();
    let (store, a) = (Probe::new("store"), Probe::new("a").begin(script).requires("store"));
    let kit = Kit::new([&store, &a]);
    kit.supervisor.start("a").await.unwrap();
    replace(&kit, "a", &Probe::new("a").begin([]).requires("store")).await;
    let start = kit.starting("a").await;
    let old = kept.lock().pop().unwrap();
    assert!(!old.ready("late"));
    old.status("late");
    old.health(Health::Unhealthy("late".into()));
    old.spawn(async { panic!("late") });
    settle().await;
    let status = kit.supervisor.status("a").unwrap();
    assert_eq!((status.state.to_string(), status.incarnation), ("starting".into(), 1));
    assert!(status.text.is_none() && status.health == Health::Healthy);
    let error = old.dependency::<Published>("store").unwrap_err();
    assert!(matches!(error, HandleError::Unknown { .. }), "{error}");
    // What it can still do is what anybody can.
    let supervisor = old.supervisor().upgrade().unwrap();
    assert!(matches!(supervisor.remove("a").await, Err(RemoveError::Live { .. })));
    supervisor.stop("a").await.unwrap();
    assert!(matches!(start.await.unwrap(), Err(StartError::Stopped { .. })));
}

#[tokio::test(start_paused = true)]
async fn a02_c01_a_timer_of_the_earlier_one_does_not_end_the_next() {
    let deadline = |name| Probe::new(name).start_timeout(30 * SECOND);
    for next in ["a", "another"] {
        let kit = Kit::new([&deadline("a")]);
        kit.supervisor.start("a").await.unwrap();
        kit.supervisor.stop("a").await.unwrap();
        kit.supervisor.remove("a").await.unwrap();
        sleep(20 * SECOND).await;
        kit.add([&deadline(next).begin([])]).await.unwrap();
        let start = kit.starting(next).await;
        // That of the earlier one would be due now.
        sleep(15 * SECOND).await;
        assert_eq!(kit.state(next), "starting");
        let error = start.await.unwrap().unwrap_err();
        let StartError::Failed { source, .. } = &error else { panic!("{error}") };
        assert!(matches!(**source, ServiceFailure::StartTimeout { .. }), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a02_what_it_failed_with_and_used_up_is_forgotten() {
    let broken = Probe::new("a").begin([Do::Ready, Do::Fail("no")]);
    let kit = Kit::new([&broken]);
    let _ = kit.supervisor.start("a").await;
    settle().await;
    assert_eq!(kit.raw_state("a").word(), "failed");
    replace(&kit, "a", &Probe::new("a")).await;
    assert_eq!(kit.state("a"), "stopped (never started)");
    kit.supervisor.start("a").await.unwrap();
    let report = kit.supervisor.shutdown().await.unwrap();
    assert!(report.is_clean() && report.failed_before().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a02_another_in_its_place_has_none_of_its_edges() {
    let kit = Kit::new([&Probe::new("x"), &Probe::new("y"), &Probe::new("a").requires("x")]);
    kit.supervisor.remove("a").await.unwrap();
    kit.add([&Probe::new("b").requires("y")]).await.unwrap();
    kit.supervisor.start("b").await.unwrap();
    assert_eq!(kit.state("x"), "stopped (never started)");
    kit.supervisor.remove("x").await.unwrap();
    assert!(matches!(kit.supervisor.remove("y").await, Err(RemoveError::Live { .. })));
    assert_eq!(kit.names(), ["b", "y"]);
}

#[tokio::test(start_paused = true)]
async fn a02_an_answer_names_who_was_removed_while_it_was_awaited() {
    let base = Probe::new("base").on_stop(OnStop::Take(SECOND));
    let kit = Kit::new([&base, &Probe::new("top").requires("base")]);
    kit.supervisor.start("top").await.unwrap();
    let stop = kit.stopping("base").await;
    assert_eq!(kit.state("top"), "stopped (dependency)");
    kit.supervisor.remove("top").await.unwrap();
    kit.add([&Probe::new("other").requires("base")]).await.unwrap();
    let stopped = stop.await.unwrap().unwrap();
    assert_eq!(stopped.stopped().collect::<Vec<_>>(), ["top", "base"]);
    // The same for who was stopped for a restart.
    let slow = Probe::new("slow").begin([Do::Take(SECOND), Do::Ready]);
    let kit = Kit::new([&slow, &Probe::new("top").requires_to(plux::Reaction::Stop, "slow")]);
    kit.supervisor.start("top").await.unwrap();
    let restart = kit.restarting("slow").await;
    kit.supervisor.remove("top").await.unwrap();
    kit.add([&Probe::new("other")]).await.unwrap();
    assert_eq!(restart.await.unwrap().unwrap().dependents, ["top"]);
}

#[tokio::test(start_paused = true)]
async fn a02_a_start_names_itself_and_who_failed_although_both_were_removed_meanwhile() {
    let base = Probe::new("base").on_stop(OnStop::Take(SECOND));
    let bad = Probe::new("bad").begin([Do::Fail("no")]);
    let kit = Kit::new([&base, &bad, &Probe::new("top").requires("bad").requires("base")]);
    kit.supervisor.start("base").await.unwrap();
    kit.supervisor.stop("base").await.unwrap();
    let start = kit.starting("top").await;
    assert_eq!(
        (kit.state("top"), kit.state("base")),
        ("stopped (unneeded)".into(), "stopping (unneeded)".into())
    );
    kit.supervisor.remove("top").await.unwrap();
    kit.supervisor.remove("bad").await.unwrap();
    kit.add([&Probe::new("one"), &Probe::new("two")]).await.unwrap();
    let error = start.await.unwrap().unwrap_err();
    let StartError::Failed { name, culprit, .. } = &error else { panic!("{error}") };
    assert_eq!([name.as_str(), culprit.as_str()], ["top", "bad"]);
}

#[tokio::test(start_paused = true)]
async fn a02_what_the_host_has_set_for_a_name_goes_for_who_is_added_under_it() {
    let none = ServiceOptions::NONE.with_grace_period(GracePeriod::Bounded(Duration::ZERO));
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let kit = Kit::with([&a, &b], |builder| {
        let group = Group::one_for_all("both", ["a", "b"]);
        tireless(builder).service("a", none).group(group)
    });
    kit.supervisor.start("b").await.unwrap();
    kit.supervisor.remove("a").await.unwrap();
    order(&b, Do::Fail("no")).await;
    assert_eq!((kit.state("b").as_str(), kit.incarnation("b")), ("running", 2));
    let again = Probe::new("a").on_stop(OnStop::Take(5 * SECOND));
    kit.add([&again]).await.unwrap();
    kit.supervisor.start("a").await.unwrap();
    order(&b, Do::Fail("no")).await;
    assert_eq!((kit.incarnation("a"), kit.incarnation("b")), (2, 3));
    let report = kit.supervisor.shutdown().await.unwrap();
    assert!(matches!(report.row("a").unwrap().how, StopHow::Aborted));
}

#[tokio::test(start_paused = true)]
async fn a02_a_shutdown_reports_who_came_and_not_who_went() {
    let kit = Kit::new([&Probe::new("b"), &Probe::new("goes")]);
    assert!(kit.supervisor.start_all().await.is_ok());
    kit.supervisor.stop("goes").await.unwrap();
    kit.supervisor.remove("goes").await.unwrap();
    kit.add([&Probe::new("a").on_stop(OnStop::Fail("no")), &Probe::new("c").requires("b")])
        .await
        .unwrap();
    kit.supervisor.start("a").await.unwrap();
    kit.supervisor.start("c").await.unwrap();
    let report = kit.supervisor.shutdown().await.unwrap();
    let rows: Vec<_> = report.rows().iter().map(|row| row.name.as_str()).collect();
    assert_eq!(rows, ["a", "b", "c"]);
    assert!(matches!(report.row("a").unwrap().how, StopHow::Error(_)));
}

#[tokio::test(start_paused = true)]
async fn a02_thousands_that_come_and_go_leave_nothing() {
    let kit = Kit::new([&Probe::new("store")]);
    kit.supervisor.start("store").await.unwrap();
    let tenant = Probe::new("tenant").requires("store");
    for _ in 0..3_000 {
        kit.add([&tenant]).await.unwrap();
        kit.supervisor.start("tenant").await.unwrap();
        kit.supervisor.stop("tenant").await.unwrap();
        kit.supervisor.remove("tenant").await.unwrap();
    }
    assert_eq!((kit.names(), tenant.live()), (vec!["store".to_owned()], 0));
    assert_eq!(kit.supervisor.shutdown().await.unwrap().rows().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a02_c01_many_tasks_that_race_over_one_name_agree() {
    let a = Probe::new("a");
    let kit = Kit::new([&Probe::new("base")]);
    let tasks: Vec<_> = (0..64_u64)
        .map(|task| {
            let (supervisor, log, a) = (kit.supervisor.clone(), kit.log.clone(), a.clone());
            spawn(async move {
                for round in 0..20 {
                    match (task + round) % 5 {
                        0 => drop(supervisor.add(crate::kit::manager([&a], &log)).await),
                        1 => drop(supervisor.remove("a").await),
                        2 => drop(supervisor.stop("a").await),
                        3 => drop(supervisor.restart("a").await),
                        _ => drop(supervisor.start("a").await),
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let _ = kit.supervisor.stop("a").await;
    let _ = kit.supervisor.remove("a").await;
    kit.add([&a]).await.unwrap();
    kit.supervisor.start("a").await.unwrap();
    assert_eq!((kit.state("a").as_str(), kit.incarnation("a")), ("running", 1));
    kit.supervisor.shutdown().await.unwrap();
    assert_eq!((a.live(), a.most_live()), (0, 1));
    one_life_after_another(&kit, "a");
}

/// Asserts that what listeners heard of a name is that of one service after another, each from its first
/// fact to its last, with runs that count from 1.
#[track_caller]
fn one_life_after_another(kit: &Kit, name: &str) {
    let (mut is_there, mut is_over, mut run) = (false, true, 0);
    for (at, event) in kit.events.all().into_iter().enumerate() {
        assert_eq!(event.number, at as u64 + 1);
        if event.id.name != *name {
            continue;
        }
        match event.kind {
            plux::EventKind::Added(_) => {
                assert!(!is_there);
                (is_there, is_over, run) = (true, true, 0);
            }
            plux::EventKind::Removed => {
                assert!(is_there && is_over);
                is_there = false;
            }
            plux::EventKind::Service { state, incarnation } => {
                assert!(is_there, "{state} of nobody");
                run += u32::from(matches!(state, ServiceState::Starting));
                assert_eq!(incarnation, run, "{state}");
                is_over = matches!(state, ServiceState::Stopped(_) | ServiceState::Failed(_));
            }
            _ => {}
        }
    }
}

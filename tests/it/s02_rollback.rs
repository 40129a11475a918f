//! A start that fails leaves nothing of its own behind, and leaves alone what ran before.

use plux::{StartError, StartOutcome};
use tokio::time::Instant;

use crate::kit::{Do, Kit, OnStop, Probe, SECOND, settle};

#[tokio::test(start_paused = true)]
async fn s02_the_rollback_is_complete_before_the_call_answers() {
    let slow = Probe::new("slow").on_stop(OnStop::Take(3 * SECOND));
    let bad = Probe::new("bad").begin([Do::Take(SECOND), Do::Fail("no")]);
    let kit = Kit::new([&slow, &bad, &Probe::new("top").requires("slow").requires("bad")]);
    let began = Instant::now();
    let error = kit.supervisor.start("top").await.unwrap_err();
    assert!(matches!(&error, StartError::Failed { culprit, .. } if culprit == "bad"), "{error}");
    assert_eq!(began.elapsed().as_secs(), 4);
    assert_eq!(slow.live(), 0);
    assert_eq!(kit.state("slow"), "stopped (unneeded)");
    assert_eq!(
        kit.log.of("slow"),
        ["made", "loads", "begins", "ready", "stopping unneeded", "ended"]
    );
}

#[tokio::test(start_paused = true)]
async fn s02_the_rollback_stops_dependents_first() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a").on_stop(OnStop::Take(SECOND)));
    let bad = Probe::new("bad").begin([Do::Take(SECOND), Do::Fail("no")]);
    let kit = Kit::new([&a, &b, &bad, &Probe::new("top").requires("b").requires("bad")]);
    kit.supervisor.start("top").await.unwrap_err();
    kit.log.before("b ready", "b stopping unneeded");
    kit.log.before("b ended", "a stopping unneeded");
    assert_eq!((a.live(), b.live()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn s02_a_member_that_was_up_before_the_call_goes_on() {
    let (a, base) = (Probe::new("a").requires("base"), Probe::new("base"));
    let bad = Probe::new("bad").requires("base").begin([Do::Fail("no")]);
    let kit = Kit::new([&a, &base, &bad, &Probe::new("top").requires("a").requires("bad")]);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    kit.events.clear();
    kit.supervisor.start("top").await.unwrap_err();
    settle().await;
    assert_eq!((kit.state("a"), kit.state("base")), ("running".into(), "running".into()));
    assert_eq!((kit.incarnation("a"), kit.incarnation("base")), (1, 1));
    assert!(kit.events.states("a").is_empty() && kit.events.states("base").is_empty());
}

#[tokio::test(start_paused = true)]
async fn s02_a_member_that_is_still_starting_for_another_call_goes_on() {
    let (a, bad) = (Probe::new("a").begin([]), Probe::new("bad").begin([Do::Fail("no")]));
    let kit = Kit::new([&a, &bad, &Probe::new("top").requires("a").requires("bad")]);
    let other = kit.starting("a").await;
    kit.supervisor.start("top").await.unwrap_err();
    assert_eq!(kit.state("a"), "starting");
    a.order(Do::Ready);
    assert_eq!(other.await.unwrap().unwrap(), StartOutcome::Started);
}

#[tokio::test(start_paused = true)]
async fn s02_what_waits_for_a_failed_requirement_is_called_off() {
    let bad = Probe::new("bad").begin([Do::Take(SECOND), Do::Fail("no")]);
    let kit = Kit::new([&bad, &Probe::new("b").requires("bad"), &Probe::new("c").requires("b")]);
    kit.supervisor.start("c").await.unwrap_err();
    settle().await;
    for name in ["b", "c"] {
        assert_eq!(kit.events.states(name), ["waiting", "stopped (unneeded)"], "{name}");
        assert_eq!(kit.log.of(name), Vec::<String>::new(), "{name}");
        assert_eq!(kit.incarnation(name), 0, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn s02_a_hung_member_holds_the_answer_only_up_to_its_grace_period() {
    let hung = Probe::new("hung").on_stop(OnStop::Ignore);
    let bad = Probe::new("bad").begin([Do::Take(SECOND), Do::Fail("no")]);
    let kit =
        Kit::with([&hung, &bad, &Probe::new("top").requires("hung").requires("bad")], |builder| {
            builder.grace_period(5 * SECOND)
        });
    let began = Instant::now();
    kit.supervisor.start("top").await.unwrap_err();
    assert_eq!(began.elapsed().as_secs(), 6);
    assert_eq!(hung.live(), 0);
    assert_eq!(kit.state("hung"), "stopped (unneeded)");
}

#[tokio::test(start_paused = true)]
async fn s02_a_start_during_the_rollback_waits_for_it_and_begins_anew() {
    let slow = Probe::new("slow").on_stop(OnStop::Take(3 * SECOND));
    let bad = Probe::new("bad").begin([Do::Take(SECOND), Do::Fail("no")]);
    let kit = Kit::new([&slow, &bad, &Probe::new("top").requires("slow").requires("bad")]);
    let top = kit.starting("top").await;
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!(kit.state("slow"), "stopping (unneeded)");
    assert_eq!(kit.supervisor.start("slow").await.unwrap(), StartOutcome::Started);
    assert_eq!(kit.incarnation("slow"), 2);
    assert_eq!(slow.most_live(), 1);
    top.await.unwrap().unwrap_err();
    assert_eq!(kit.state("slow"), "running");
}

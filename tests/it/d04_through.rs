//! The order of stops holds through services that do not run: who requires one stands on all that one
//! requires.

use std::time::Duration;

use plux::{GracePeriod, Reaction};
use tokio::time::Instant;

use crate::kit::{Do, Kit, OnStop, Probe, SECOND, at_most, order, settle};

fn slow(name: &'static str) -> Probe {
    Probe::new(name).on_stop(OnStop::Take(3 * SECOND))
}

/// `far` goes on without `b`, which requires `a`.
fn three() -> [Probe; 3] {
    let far = slow("far").requires_to(Reaction::Keep, "b");
    [Probe::new("a"), Probe::new("b").requires("a"), far]
}

#[tokio::test(start_paused = true)]
async fn d04_x02_the_order_holds_through_one_in_backoff() {
    let probes = three();
    let kit = Kit::with(&probes, at_most(9));
    kit.supervisor.start("far").await.unwrap();
    order(&probes[1], Do::Fail("no")).await;
    kit.supervisor.stop("a").await.unwrap();
    kit.log.before("far ended", "a stopping asked");
}

#[tokio::test(start_paused = true)]
async fn d04_x02_the_order_holds_through_one_that_was_given_up() {
    let probes = three();
    let kit = Kit::new(&probes);
    kit.supervisor.start("far").await.unwrap();
    order(&probes[1], Do::Fail("no")).await;
    assert_eq!([kit.raw_state("b").word(), &kit.state("far")], ["failed", "running"]);
    kit.supervisor.shutdown().await.unwrap();
    kit.log.before("far ended", "a stopping shutdown");
}

#[tokio::test(start_paused = true)]
async fn d04_x02_the_order_holds_through_those_that_completed() {
    for all in [true, false] {
        let (a, deep) = (Probe::new("a"), Probe::new("deep").requires("a"));
        let begin = || [Do::Ready, Do::Complete];
        let (deep, wide) = (deep.begin(begin()), Probe::new("wide").requires("a").begin(begin()));
        let mid = Probe::new("mid").requires("deep").requires("wide").begin(begin());
        let (far, near) = (slow("far").requires("mid"), Probe::new("near").requires("mid"));
        let kit = Kit::new([&a, &deep, &wide, &mid, &far, &near]);
        assert!(kit.supervisor.start_all().await.is_ok());
        settle().await;
        assert_eq!([kit.state("deep"), kit.state("mid")], ["stopped (completed)"; 2]);
        let began = Instant::now();
        if all {
            kit.supervisor.shutdown().await.unwrap();
            kit.log.before("far ended", "a stopping shutdown");
        } else {
            kit.supervisor.stop("a").await.unwrap();
            kit.log.before("far ended", "a stopping asked");
        }
        assert_eq!(began.elapsed(), 3 * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn d04_x02_the_order_holds_when_the_one_between_ends_meanwhile() {
    let probes = three();
    let kit = Kit::new(&probes);
    kit.supervisor.start("far").await.unwrap();
    let stop = kit.stopping("far").await;
    order(&probes[1], Do::Fail("no")).await;
    assert_eq!(kit.raw_state("b").word(), "failed");
    kit.supervisor.stop("a").await.unwrap();
    kit.log.before("far ended", "a stopping asked");
    stop.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn d04_x02_the_order_holds_when_the_one_between_begins_meanwhile_and_ends() {
    let probes = three();
    let kit = Kit::new(&probes);
    kit.supervisor.start("far").await.unwrap();
    order(&probes[1], Do::Fail("no")).await;
    let stop = kit.stopping("far").await;
    kit.supervisor.start("b").await.unwrap();
    assert_eq!([kit.state("a"), kit.state("b")], ["running"; 2]);
    kit.supervisor.stop("a").await.unwrap();
    kit.log.before("far ended", "b stopping dependency");
    kit.log.before("b stopping dependency", "a stopping asked");
    stop.await.unwrap().unwrap();
    // Nothing is held up by what is over.
    kit.supervisor.start("b").await.unwrap();
    let began = Instant::now();
    kit.supervisor.stop("a").await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d04_x02_the_order_holds_through_one_that_has_leaked() {
    let milliseconds = Duration::from_millis;
    let b = Probe::new("b").requires("a").on_stop(OnStop::Block);
    let (a, b) = (Probe::new("a"), b.grace_period(GracePeriod::Bounded(milliseconds(10))));
    let far = Probe::new("far").on_stop(OnStop::Take(milliseconds(30)));
    let far = far.requires_to(Reaction::Keep, "b");
    let unblock = Unblock(&b);
    let kit = Kit::with([&a, &b, &far], |builder| builder.join_timeout(milliseconds(20)));
    kit.supervisor.start("far").await.unwrap();
    assert!(kit.supervisor.restart("b").await.is_err());
    assert_eq!([kit.raw_state("b").word(), &kit.state("far")], ["failed", "running"]);
    let _ = kit.supervisor.stop("a").await;
    kit.log.before("far ended", "a stopping asked");
    drop(unblock);
}

/// Lets its probe go also when the test fails.
struct Unblock<'a>(&'a Probe);

impl Drop for Unblock<'_> {
    fn drop(&mut self) {
        self.0.unblock();
    }
}

#[tokio::test(start_paused = true)]
async fn d04_x02_who_only_comes_after_one_that_does_not_run_holds_up_nobody_below_it() {
    let (a, b) = (Probe::new("a"), Probe::new("b").requires("a"));
    let (late, soft) = (slow("late").after("b"), slow("soft").wants("b"));
    let kit = Kit::new([&a, &b, &late, &soft]);
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&b, Do::Fail("no")).await;
    kit.supervisor.shutdown().await.unwrap();
    kit.log.before("a ended", "late ended");
    kit.log.before("a ended", "soft ended");
}

//! The cap on restarts that are under way at once.

use std::num::NonZeroUsize;

use plux::SupervisorBuilder;
use tokio::time::{Instant, sleep};

use crate::kit::{Do, Kit, Probe, SECOND, order, settle, tireless};

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn capped(restarts: usize) -> impl FnOnce(SupervisorBuilder) -> SupervisorBuilder {
    move |builder| tireless(builder).max_concurrent_restarts(NonZeroUsize::new(restarts).unwrap())
}

fn words(kit: &Kit, word: &str) -> usize {
    kit.supervisor.list().iter().filter(|status| status.state.word() == word).count()
}

#[tokio::test(start_paused = true)]
async fn r08_a_storm_of_failures_is_repaired_a_few_at_a_time() {
    let probes = NAMES.map(|name| Probe::new(name).begin([Do::Take(10 * SECOND), Do::Ready]));
    let kit = Kit::with(&probes, capped(2));
    assert!(kit.supervisor.start_all().await.is_ok(), "starts by hand need no place");
    for probe in &probes {
        probe.order(Do::Fail("no"));
    }
    settle().await;
    for running in [0, 2, 4] {
        assert_eq!(
            [words(&kit, "running"), words(&kit, "starting"), words(&kit, "waiting")],
            [running, 2, 4 - running]
        );
        sleep(10 * SECOND).await;
    }
    assert_eq!(words(&kit, "running"), 6);
}

#[tokio::test(start_paused = true)]
async fn r08_who_ends_before_it_is_ready_gives_its_place_back() {
    let probes = [Probe::new("a"), Probe::new("b")];
    let kit = Kit::with(&probes, capped(1));
    assert!(kit.supervisor.start_all().await.is_ok());
    let [a, b] = probes.map(|probe| probe.begin([]));
    a.order(Do::Fail("no"));
    settle().await;
    b.order(Do::Fail("no"));
    settle().await;
    assert_eq!([kit.state("a").as_str(), &kit.state("b")], ["starting", "waiting"]);
    kit.supervisor.stop("a").await.unwrap();
    settle().await;
    assert_eq!(kit.state("b"), "starting");
}

#[tokio::test(start_paused = true)]
async fn r08_a_start_by_hand_of_what_waits_for_its_place_needs_none() {
    let probes = [Probe::new("a"), Probe::new("b")];
    let kit = Kit::with(&probes, capped(1));
    assert!(kit.supervisor.start_all().await.is_ok());
    let a = probes[0].clone().begin([]);
    order(&a, Do::Fail("no")).await;
    order(&probes[1], Do::Fail("no")).await;
    assert_eq!([kit.state("a").as_str(), &kit.state("b")], ["starting", "waiting"]);
    kit.supervisor.start("b").await.unwrap();
    assert_eq!([kit.state("a").as_str(), &kit.state("b")], ["starting", "running"]);
}

#[tokio::test(start_paused = true)]
async fn r08_what_a_start_requires_does_not_wait_for_a_place() {
    let hangs = Probe::new("hangs");
    let (base, on) = (Probe::new("base"), Probe::new("on").requires("base"));
    let kit = Kit::with([&hangs, &base, &on], capped(1));
    for name in ["hangs", "base"] {
        kit.supervisor.start(name).await.unwrap();
    }
    let hangs = hangs.begin([]);
    order(&hangs, Do::Fail("no")).await;
    order(&base, Do::Fail("no")).await;
    assert_eq!([kit.state("hangs").as_str(), &kit.state("base")], ["starting", "waiting"]);
    let began = Instant::now();
    kit.supervisor.start("on").await.unwrap();
    assert_eq!(Instant::now(), began);
}

#[tokio::test(start_paused = true)]
async fn r08_those_who_come_back_for_the_sake_of_another_take_places_too() {
    let base = Probe::new("base");
    let names = ["a", "b", "c"];
    let on = names
        .map(|name| Probe::new(name).requires("base").begin([Do::Take(10 * SECOND), Do::Ready]));
    let kit = Kit::with([&base, &on[0], &on[1], &on[2]], capped(1));
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&base, Do::Fail("no")).await;
    for left in [2, 1, 0] {
        assert_eq!([words(&kit, "starting"), words(&kit, "waiting")], [1, left]);
        sleep(10 * SECOND).await;
    }
    assert_eq!(words(&kit, "running"), 4);
}

#[tokio::test(start_paused = true)]
async fn r08_r09_a_shutdown_calls_off_who_waits_for_a_place() {
    let probes = [Probe::new("a"), Probe::new("b")];
    let kit = Kit::with(&probes, capped(1));
    assert!(kit.supervisor.start_all().await.is_ok());
    let a = probes[0].clone().begin([]);
    order(&a, Do::Fail("no")).await;
    order(&probes[1], Do::Fail("no")).await;
    kit.supervisor.shutdown().await.unwrap();
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [2, 1]);
    assert_eq!(kit.state("b"), "stopped (shutdown)");
}

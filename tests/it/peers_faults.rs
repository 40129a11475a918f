//! Faults that COMPARE.md tells of other supervisors, where no test of another file has them already.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use plux::{
    Backoff, BoxError, Exit, GracePeriod, Group, Intensity, ListFinder, Name, Namespace,
    PluginManager, PluginSpec, Service, ServiceContext, StartError, StopHow,
};
use tokio::time::sleep;

use crate::kit::{Do, Kit, OnStop, Probe, SECOND, Scripted, order, settle, tireless};

#[tokio::test(start_paused = true)]
async fn r04_a_noisy_service_neither_ends_nor_delays_another() {
    let noisy = Probe::new("noisy").begin([Do::Ready, Do::Fail("again")]);
    let innocent = Probe::new("innocent");
    let kit = Kit::with([&noisy, &innocent], |builder| {
        builder.intensity(Intensity::new(3, 60 * SECOND)).backoff(Backoff::constant(SECOND))
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    sleep(30 * SECOND).await;
    assert_eq!(kit.raw_state("noisy").word(), "failed");
    assert_eq!((kit.state("innocent").as_str(), kit.incarnation("innocent")), ("running", 1));
    // Its own first failure costs it its own delay, and nothing of what the other has used up.
    order(&innocent, Do::Fail("once")).await;
    assert_eq!(kit.raw_state("innocent").word(), "backoff");
    sleep(SECOND).await;
    assert_eq!((kit.state("innocent").as_str(), kit.incarnation("innocent")), ("running", 2));
}

/// A service whose second run panics before there is anything to wait for; the first one fails.
struct Odd(Arc<AtomicU32>);

#[plux::async_trait]
impl Scripted for Odd {
    async fn load(&self, _: &()) -> Result<Arc<dyn Service>, BoxError> {
        Ok(Arc::new(Self(Arc::clone(&self.0))))
    }
}

impl Service for Odd {
    fn run<'life, 'run>(&'life self, cx: ServiceContext) -> BoxFuture<'run, Result<(), BoxError>>
    where
        'life: 'run,
        Self: 'run,
    {
        let run = self.0.fetch_add(1, Ordering::SeqCst);
        assert!(run != 1, "where the run is begun");
        Box::pin(async move {
            cx.ready(());
            if run == 0 {
                return Err("failed".into());
            }
            cx.stopping().await;
            Ok(())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn c02_s04_a_panic_where_a_run_is_begun_again_ends_no_other_and_not_the_supervisor() {
    let runs = Arc::new(AtomicU32::new(0));
    let own = Arc::clone(&runs);
    let spec = PluginSpec::new::<dyn Scripted>(
        Namespace::literal("test"),
        Name::literal("odd"),
        move || Ok(Arc::new(Odd(Arc::clone(&own)))),
    );
    let manager = PluginManager::<dyn Scripted>::builder(()).finder(ListFinder::new([spec]));
    let (a, b) = (Probe::new("a"), Probe::new("b"));
    let kit = Kit::with([&a, &b], |builder| tireless(builder).manager(manager.build()));
    assert!(kit.supervisor.start_all().await.is_ok());
    settle().await;
    assert_eq!((kit.state("odd").as_str(), kit.incarnation("odd")), ("running", 3));
    assert_eq!([kit.incarnation("a"), kit.incarnation("b")], [1, 1]);
    assert_eq!([a.live(), b.live()], [1, 1]);
    assert!(kit.supervisor.shutdown().await.unwrap().is_clean());
}

#[tokio::test(start_paused = true)]
async fn x06_a_stop_answers_though_a_destructor_panics_in_it_and_the_service_starts_again() {
    let a = Probe::new("a").on_stop(OnStop::Ignore).panic_in_destructor("in the destructor");
    let kit = Kit::new([&a, &Probe::new("beside")]);
    assert!(kit.supervisor.start_all().await.is_ok());
    for run in 1..4 {
        let report = kit.supervisor.stop("a").await.unwrap();
        let how = &report.rows[0].how;
        assert!(
            matches!(how, StopHow::Error(Exit::Panicked(panic)) if panic.message == "in the destructor")
        );
        assert_eq!(
            (a.live(), kit.incarnation("a"), kit.state("beside").as_str()),
            (0, run, "running")
        );
        kit.supervisor.start("a").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn d05_s04_a_panic_keeps_its_message_and_stops_those_only_who_require_it() {
    let faulty = Probe::new("faulty");
    let database = Probe::new("database");
    let queue = Probe::new("queue").requires("database").requires("faulty");
    let gateway = Probe::new("gateway").requires("queue");
    let kit = Kit::new([&faulty, &database, &queue, &gateway]);
    assert!(kit.supervisor.start_all().await.is_ok());
    order(&faulty, Do::Panic("disk 7 is full")).await;
    let state = kit.state("faulty");
    assert!(state.starts_with("failed: panicked") && state.contains("disk 7 is full"), "{state}");
    kit.log.before("gateway ended", "queue stopping dependency");
    assert_eq!(
        (kit.state("database").as_str(), kit.log.count("database stopping")),
        ("running", 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn r06_x03_a_member_whose_thread_is_blocked_is_not_run_twice() {
    let (a, blocked) = (Probe::new("a"), Probe::new("blocked").on_stop(OnStop::Block));
    let beside = Probe::new("beside");
    let short = Duration::from_millis(20);
    let kit = Kit::with([&a, &blocked, &beside], |builder| {
        let builder = tireless(builder).group(Group::one_for_all("store", ["a", "blocked"]));
        builder.grace_period(GracePeriod::Bounded(short)).join_timeout(short)
    });
    assert!(kit.supervisor.start_all().await.is_ok());
    a.order(Do::Fail("no"));
    while kit.raw_state("blocked").word() != "failed" {
        sleep(Duration::from_millis(1)).await;
    }
    // The others come back without it; it does not while the old run may still do something.
    while kit.raw_state("a").word() != "running" {
        sleep(Duration::from_millis(1)).await;
    }
    let error = kit.supervisor.start("blocked").await.unwrap_err();
    assert!(error.to_string().contains("has not ended since"), "{error}");
    assert_eq!((blocked.live(), kit.incarnation("blocked")), (1, 1));
    assert_eq!((kit.state("beside").as_str(), kit.incarnation("beside")), ("running", 1));
    blocked.unblock();
    while blocked.live() > 0 {
        sleep(Duration::from_millis(1)).await;
    }
    blocked.clone().on_stop(OnStop::Return);
    // Its end is heard a moment after its destructor.
    while kit.supervisor.start("blocked").await.is_err() {
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!((kit.incarnation("blocked"), blocked.most_live()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn s08_c03_what_is_never_ready_holds_up_those_only_who_require_it() {
    let never = Probe::new("never").begin([]).unlimited_start();
    let dependent = Probe::new("dependent").requires("never");
    let third = Probe::new("third");
    let kit = Kit::new([&never, &dependent, &third]);
    let start = kit.starting("dependent").await;
    // Nobody else waits, whatever is asked.
    kit.supervisor.start("third").await.unwrap();
    let states = ["never", "dependent", "third"].map(|name| kit.state(name));
    assert_eq!(states, ["starting", "waiting", "running"]);
    assert_eq!(kit.supervisor.stop("third").await.unwrap().rows.len(), 1);
    assert!(kit.supervisor.shutdown().await.unwrap().is_clean());
    assert!(matches!(start.await.unwrap().unwrap_err(), StartError::Stopped { .. }));
    assert_eq!(kit.log.count("dependent begins"), 0);
    // Unless nobody asks for it there is a deadline, and the answer says whose it was.
    let never = Probe::new("never").begin([]).start_timeout(SECOND);
    let kit = Kit::new([&never, &dependent]);
    let error = kit.supervisor.start("dependent").await.unwrap_err().to_string();
    assert!(error.contains("`never`") && error.contains("1s"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn d04_d07_layered_diamonds_start_and_stop_each_service_once() {
    // 24 layers of two, each on both of the layer below: sixteen million ways lead through them.
    let name = |layer: usize, side: usize| -> &'static str {
        Box::leak(format!("n{layer:02}-{side}").into_boxed_str())
    };
    let layers = (0..24).flat_map(|layer| [(layer, 0), (layer, 1)]);
    let probes: Vec<_> = layers
        .map(|(layer, side)| match layer {
            0 => Probe::new(name(layer, side)),
            _ => Probe::new(name(layer, side))
                .requires(name(layer - 1, 0))
                .requires(name(layer - 1, 1)),
        })
        .collect();
    let kit = Kit::new(&probes);
    kit.supervisor.start("n23-0").await.unwrap();
    let begun = |kit: &Kit| kit.log.lines().iter().filter(|line| line.ends_with(" begins")).count();
    assert_eq!(begun(&kit), 47);
    let report = kit.supervisor.stop("n00-0").await.unwrap();
    assert_eq!(report.rows.len(), 46);
    kit.log.before("n23-0 ended", "n22-1 stopping dependency");
    assert_eq!(begun(&kit), 47);
}

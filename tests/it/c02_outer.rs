//! Services of a supervisor inside another one that call the one around them.

use std::sync::Arc;

use parking_lot::Mutex;
use plux::{
    BoxError, Group, Intensity, ListFinder, Name, Namespace, Nested, PluginManager, PluginSpec,
    RestartError, StopError, Supervisor, SupervisorBuilder, WeakSupervisor,
};

use crate::c02_callbacks::{asks, of};
use crate::kit::{Do, Log, Probe, SECOND, Scripted, manager, settle};

#[plux::extension_point(namespace = "around", output = Arc<Nested>)]
trait Around {}

struct Cell(Arc<Nested>);

#[plux::async_trait]
impl Around for Cell {
    async fn load(&self, _: &()) -> Result<Arc<Nested>, BoxError> {
        Ok(Arc::clone(&self.0))
    }
}

/// A service `cell` that is a supervisor.
fn cell(build: impl Fn() -> Supervisor + Send + Sync + 'static) -> PluginManager<dyn Around> {
    let cell = Arc::new(Nested::new(move || Ok(build())));
    let make =
        move || -> Result<Arc<dyn Around>, BoxError> { Ok(Arc::new(Cell(Arc::clone(&cell)))) };
    let spec =
        PluginSpec::new::<dyn Around>(Namespace::literal("around"), Name::literal("cell"), make);
    PluginManager::builder(()).finder(ListFinder::new([spec])).build()
}

/// A supervisor over these probes.
fn inner<const N: usize>(probes: [&Probe; N]) -> impl Fn() -> Supervisor + Send + Sync + 'static {
    let probes = probes.map(Clone::clone);
    move || {
        let log = Log::default();
        let specs = probes.each_ref().map(|probe| probe.spec(&log));
        let manager =
            PluginManager::<dyn Scripted>::builder(()).finder(ListFinder::new(specs)).build();
        Supervisor::builder().manager(manager).build().unwrap()
    }
}

/// A supervisor over a cell with `leaf` inside, and over `beside`.
async fn around(
    leaf: &Probe,
    beside: &Probe,
    configure: impl FnOnce(SupervisorBuilder) -> SupervisorBuilder,
) -> Supervisor {
    let builder = Supervisor::builder().manager(cell(inner([leaf])));
    let builder = configure(builder.manager(manager([beside], &Log::default())));
    let outer = builder.intensity(Intensity::new(0, SECOND)).build().unwrap();
    assert!(outer.start_all().await.is_ok());
    outer
}

type Refusals = ([StopError; 3], RestartError);

/// What the stop of the cell, its end, its restart and the shutdown answer to who is inside.
fn asks_for_the_end(outer: &WeakSupervisor) -> (Do, Arc<Mutex<Option<Refusals>>>) {
    let outer = outer.clone();
    asks(move |_| {
        let outer = outer.clone();
        async move {
            let outer = outer.upgrade().expect("the test holds it");
            let stops = [
                outer.stop("cell").await.unwrap_err(),
                outer.wait("cell").await.unwrap_err(),
                outer.shutdown().await.unwrap_err(),
            ];
            (stops, outer.restart("cell").await.unwrap_err())
        }
    })
}

fn all_are_own_ends((stops, restart): Refusals) {
    for error in stops {
        assert!(matches!(&error, StopError::OwnEnd { name, .. } if *name == *"cell"), "{error}");
    }
    assert!(matches!(&restart, RestartError::OwnEnd { name, .. } if *name == *"cell"), "{restart}");
}

#[tokio::test(start_paused = true)]
async fn c02_a04_waiting_for_the_end_of_the_supervisor_around_is_waiting_for_ones_own() {
    let (leaf, beside) = (Probe::new("leaf"), Probe::new("beside"));
    let outer = around(&leaf, &beside, |builder| builder).await;
    // So it is in the next run, in which the supervisor inside is another one.
    for incarnation in [1, 2] {
        let (ask, errors) = asks_for_the_end(&outer.downgrade());
        leaf.order(ask);
        settle().await;
        all_are_own_ends(errors.lock().take().expect("it hangs"));
        assert_eq!(outer.status("cell").unwrap().incarnation, incarnation);
        outer.restart("cell").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn c02_a04_so_it_is_two_supervisors_further_out_and_in_a_task_of_the_service() {
    let leaf = Probe::new("leaf");
    let inner = inner([&leaf]);
    let inner = Arc::new(inner);
    let mid = move || {
        let inner = Arc::clone(&inner);
        Supervisor::builder().manager(cell(move || inner())).build().unwrap()
    };
    let outer = Supervisor::builder().manager(cell(mid)).build().unwrap();
    outer.start("cell").await.unwrap();
    let (weak, answer) = (outer.downgrade(), Arc::new(Mutex::new(None)));
    let told = Arc::clone(&answer);
    leaf.order(Do::call(move |cx| {
        let (weak, told) = (weak.clone(), Arc::clone(&told));
        cx.spawn(async move {
            let outer = weak.upgrade().expect("the test holds it");
            *told.lock() = Some(outer.stop("cell").await.unwrap_err());
        });
        async {}
    }));
    settle().await;
    let error = answer.lock().take().expect("it hangs");
    assert!(matches!(&error, StopError::OwnEnd { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn c02_a04_the_restart_of_a_companion_of_the_supervisor_around_is_ones_own_end() {
    let (leaf, beside) = (Probe::new("leaf"), Probe::new("beside"));
    let outer = around(&leaf, &beside, |builder| {
        builder.group(Group::one_for_all("both", ["cell", "beside"]))
    })
    .await;
    let weak = outer.downgrade();
    let (ask, error) = asks(move |_| {
        let weak = weak.clone();
        async move { weak.upgrade().unwrap().restart("beside").await.unwrap_err() }
    });
    leaf.order(ask);
    settle().await;
    let error = error.lock().take().expect("it hangs");
    assert!(matches!(&error, RestartError::OwnEnd { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn c02_a04_who_is_inside_may_stop_others_outside_and_inside_and_ask_for_its_own_end() {
    let (leaf, beside) = (Probe::new("leaf"), Probe::new("beside"));
    let outer = around(&leaf, &beside, |builder| builder).await;
    let weak = outer.downgrade();
    let (ask, answers) = asks(move |cx| {
        let weak = weak.clone();
        async move {
            let outer = weak.upgrade().unwrap();
            let stopped = outer.stop("beside").await.map(|report| report.rows.len());
            let started = outer.start("cell").await;
            let own = of(&cx).stop("leaf").await.unwrap_err();
            outer.request_stop("cell").unwrap();
            (stopped, started, own)
        }
    });
    leaf.order(ask);
    settle().await;
    let (stopped, started, own) = answers.lock().take().expect("it hangs");
    assert_eq!(stopped.unwrap(), 1);
    started.unwrap();
    assert!(matches!(&own, StopError::OwnEnd { name, .. } if *name == *"leaf"), "{own}");
    assert_eq!(outer.status("cell").unwrap().state.to_string(), "stopped (asked)");
}

#[tokio::test(start_paused = true)]
async fn c02_a04_a_supervisor_that_a_service_only_has_is_not_inside() {
    // Its services do not end with that service: waiting for its stop is waiting for another's.
    let (leaf, host) = (Probe::new("leaf"), Probe::new("host"));
    let other = inner([&leaf])();
    let outer = Supervisor::builder().manager(manager([&host], &Log::default())).build().unwrap();
    outer.start("host").await.unwrap();
    let started = other.clone();
    host.order(Do::call(move |_| {
        let other = started.clone();
        async move { assert!(other.start("leaf").await.is_ok()) }
    }));
    settle().await;
    let weak = outer.downgrade();
    let (ask, stopped) = asks(move |_| {
        let weak = weak.clone();
        async move { weak.upgrade().unwrap().stop("host").await.map(drop) }
    });
    leaf.order(ask);
    settle().await;
    stopped.lock().take().expect("it hangs").unwrap();
    assert!(other.shutdown().await.unwrap().is_clean());
}

//! User code calls back into the supervisor from wherever it is called.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use plux::{
    Event, EventKind, ListFinder, Listener, PluginManager, RestartError, ServiceContext,
    ServiceState, StartError, StartOutcome, StopError, Supervisor, WeakSupervisor,
};
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::kit::{Do, Kit, Log, OnStop, Probe, SECOND, Scripted, settle, spawn};

/// The supervisor of a run.
pub(crate) fn of(cx: &ServiceContext) -> Supervisor {
    cx.supervisor().upgrade().expect("the test holds it")
}

/// A run that asks something, and a place where the answer can be read.
pub(crate) fn asks<T: Send + 'static, F>(
    ask: impl Fn(ServiceContext) -> F + Send + Sync + 'static,
) -> (Do, Arc<Mutex<Option<T>>>)
where
    F: Future<Output = T> + Send + 'static,
{
    let answer = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&answer);
    let order = Do::call(move |cx| {
        let (slot, question) = (Arc::clone(&slot), ask(cx));
        async move {
            let answer = question.await;
            *slot.lock() = Some(answer);
        }
    });
    (order, answer)
}

#[tokio::test(start_paused = true)]
async fn c02_waiting_for_ones_own_stop_is_an_error() {
    let (ask, errors) = asks(|cx| async move {
        let supervisor = of(&cx);
        [
            supervisor.stop("a").await.unwrap_err(),
            supervisor.wait("a").await.unwrap_err(),
            supervisor.shutdown().await.unwrap_err(),
        ]
    });
    let kit = Kit::new([&Probe::new("a").begin([Do::Ready, ask])]);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    for error in errors.lock().take().expect("it hangs") {
        assert!(
            matches!(&error, StopError::OwnEnd { name, origin } if name == origin.file && *name == *"a"),
            "{error}"
        );
        assert!(error.to_string().contains("request_"), "{error}");
    }
    assert_eq!(kit.events.states("a"), ["starting", "running"]);
}

#[tokio::test(start_paused = true)]
async fn c02_waiting_for_the_stop_of_what_one_requires_is_waiting_for_ones_own() {
    let (ask, errors) = asks(|cx| async move {
        let supervisor = of(&cx);
        (supervisor.stop("base").await.unwrap_err(), supervisor.restart("base").await.unwrap_err())
    });
    let (base, a) = (Probe::new("base"), Probe::new("a").requires("mid").begin([Do::Ready, ask]));
    let kit = Kit::new([&base, &Probe::new("mid").requires("base"), &a]);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    let (stop, restart) = errors.lock().take().expect("it hangs");
    assert!(matches!(&stop, StopError::OwnEnd { .. }), "{stop}");
    assert!(matches!(&restart, RestartError::OwnEnd { .. }), "{restart}");
    assert_eq!((kit.state("base"), kit.incarnation("base")), ("running".into(), 1));
}

#[tokio::test(start_paused = true)]
async fn c02_waiting_while_one_stops_for_what_ends_afterwards_is_an_error() {
    for shut_down in [false, true] {
        let (ask, errors) = asks(|cx| async move {
            let supervisor = of(&cx);
            let stops = [supervisor.stop("after").await, supervisor.stop("wanted").await];
            let restart = supervisor.restart("wanted").await.unwrap_err();
            (stops.map(Result::unwrap_err), supervisor.wait("wanted").await.unwrap_err(), restart)
        });
        let a = Probe::new("a").after("after").wants("wanted").on_stop(OnStop::Ignore);
        let kit = Kit::new([&Probe::new("after"), &Probe::new("wanted"), &a]);
        kit.supervisor.start_all().await;
        if shut_down {
            kit.supervisor.request_shutdown();
        } else {
            kit.supervisor.request_stop("a").unwrap();
        }
        settle().await;
        a.order(ask);
        settle().await;
        let (stops, wait, restart) = errors.lock().take().expect("it hangs");
        for error in stops.into_iter().chain([wait]) {
            assert!(matches!(&error, StopError::OwnEnd { .. }), "{error}");
        }
        // Nothing begins any more in a shutdown, so nobody waits for it.
        match restart {
            RestartError::Start(StartError::Shutdown { .. }) if shut_down => {}
            RestartError::OwnEnd { .. } if !shut_down => {}
            other => panic!("{other}"),
        }
        a.order(Do::Complete);
        assert!(kit.supervisor.shutdown().await.unwrap().is_clean());
    }
}

#[tokio::test(start_paused = true)]
async fn c02_a_service_that_goes_on_may_stop_what_it_wants() {
    let (ask, stopped) = asks(|cx| async move { of(&cx).stop("wanted").await.unwrap() });
    let a = Probe::new("a").wants("wanted").begin([Do::Ready, ask]);
    let kit = Kit::new([&Probe::new("wanted"), &a]);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    let report = stopped.lock().take().expect("it hangs");
    assert_eq!(report.stopped().collect::<Vec<_>>(), ["wanted"]);
    assert_eq!(kit.state("a"), "running");
}

#[tokio::test(start_paused = true)]
async fn c02_waiting_for_ones_own_restart_is_an_error() {
    let (ask, error) = asks(|cx| async move { of(&cx).restart("a").await.unwrap_err() });
    let kit = Kit::new([&Probe::new("a").begin([Do::Ready, ask])]);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    let error = error.lock().take().expect("it hangs");
    assert!(
        matches!(&error, RestartError::OwnEnd { name, origin } if name == origin.file && *name == *"a"),
        "{error}"
    );
    assert_eq!(kit.incarnation("a"), 1);
}

#[tokio::test(start_paused = true)]
async fn c02_a_task_of_the_service_waits_for_its_own_stop_too() {
    let (answer, heard) = oneshot::channel();
    let answer = Mutex::new(Some(answer));
    let spawns = Do::call(move |cx: ServiceContext| {
        let (own, answer) = (cx.clone(), answer.lock().take());
        cx.spawn(async move {
            let error = of(&own).stop("a").await.unwrap_err();
            answer.unwrap().send(error).unwrap();
        });
        async {}
    });
    let kit = Kit::new([&Probe::new("a").begin([spawns, Do::Ready])]);
    kit.supervisor.start("a").await.unwrap();
    let error = heard.await.unwrap();
    assert!(
        matches!(&error, StopError::OwnEnd { name, origin } if name == origin.file && *name == *"a"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn c02_a_service_may_ask_for_its_own_stop() {
    let ask = Do::call(|cx| async move { of(&cx).request_stop("a").unwrap() });
    let kit = Kit::new([&Probe::new("a").begin([Do::Ready, ask])]);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    assert_eq!(kit.state("a"), "stopped (asked)");
    assert_eq!(kit.log.of("a")[3..], ["ready", "stopping asked", "ended"]);
}

#[tokio::test(start_paused = true)]
async fn c02_a_service_may_ask_for_its_own_restart() {
    let ask = Do::call(|cx| async move {
        if cx.incarnation() == 1 {
            of(&cx).request_restart("a").unwrap();
        }
    });
    let kit = Kit::new([&Probe::new("a").begin([Do::Ready, ask])]);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    assert_eq!((kit.state("a"), kit.incarnation("a")), ("running".into(), 2));
    assert_eq!(kit.log.of("a")[3..], ["ready", "stopping restart", "ended", "begins", "ready"]);
}

#[tokio::test(start_paused = true)]
async fn c02_a_service_may_ask_for_the_shutdown() {
    let ask = Do::call(|cx| async move { of(&cx).request_shutdown() });
    let kit = Kit::new([&Probe::new("a").begin([Do::Ready, ask])]);
    kit.supervisor.start("a").await.unwrap();
    let report = kit.supervisor.shutdown().await.unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(kit.state("a"), "stopped (shutdown)");
}

#[tokio::test(start_paused = true)]
async fn c02_a_service_may_wait_for_the_start_and_stop_of_others() {
    let (ask, answers) = asks(|cx| async move {
        let supervisor = of(&cx);
        let started = supervisor.start("other").await.unwrap();
        let own = supervisor.start("a").await.unwrap();
        (started, own, supervisor.stop("other").await.unwrap().rows.len())
    });
    let a = Probe::new("a").begin([Do::Ready, ask]);
    let kit = Kit::new([&a, &Probe::new("other")]);
    kit.supervisor.start("a").await.unwrap();
    settle().await;
    let answers = answers.lock().take().expect("it hangs");
    assert_eq!(answers, (StartOutcome::Started, StartOutcome::AlreadyRunning, 1));
}

#[tokio::test(start_paused = true)]
async fn c02_a_service_that_waits_for_its_own_readiness_ends_by_its_deadline() {
    let (ask, answer) = asks(|cx| async move { of(&cx).start("a").await.unwrap_err() });
    let kit = Kit::new([&Probe::new("a").begin([ask, Do::Ready])]);
    kit.supervisor.start("a").await.unwrap_err();
    assert_eq!(
        kit.state("a"),
        "failed: it was not ready within 30s, and still in its `run`; start_timeout sets the time"
    );
    let error = answer.lock().take().expect("it is told when it is to end");
    assert!(matches!(&error, StartError::OwnEnd { .. }), "{error}");
    kit.supervisor.start("a").await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn c02_a_destructor_may_ask_and_look() {
    struct Asks(WeakSupervisor, Log);
    impl Drop for Asks {
        fn drop(&mut self) {
            let supervisor = self.0.upgrade().unwrap();
            self.1.add(format!("{:?}", supervisor.handle::<Asks>("a").unwrap_err()));
            self.1.add(supervisor.list().len().to_string());
            supervisor.request_stop("a").unwrap();
        }
    }
    let log = Log::default();
    let told = log.clone();
    let publish = Do::call(move |cx: ServiceContext| {
        cx.ready(Asks(cx.supervisor(), told.clone()));
        async {}
    });
    let kit = Kit::new([&Probe::new("a").begin([publish])]);
    kit.supervisor.start("a").await.unwrap();
    let report = kit.supervisor.stop("a").await.unwrap();
    assert_eq!(report.rows.len(), 1);
    assert_eq!(log.lines().len(), 2, "{:?}", log.lines());
    assert!(log.lines()[0].contains("is not ready"), "{:?}", log.lines());
}

/// A listener that asks for the stop of whatever runs, and counts what it sees.
#[derive(Default)]
struct Meddler {
    supervisor: OnceLock<WeakSupervisor>,
    seen: Mutex<Vec<String>>,
}

struct Meddles(Arc<Meddler>);

impl Listener for Meddles {
    fn on_event(&self, event: &Event) {
        let Some(supervisor) = self.0.supervisor.get().and_then(WeakSupervisor::upgrade) else {
            return;
        };
        let name = event.id.name.as_str();
        assert_eq!(supervisor.list().len(), 2);
        self.0.seen.lock().push(supervisor.status(name).unwrap().state.to_string());
        if let EventKind::Service { state: ServiceState::Running, .. } = &event.kind {
            supervisor.request_stop(name).unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn c02_a_listener_may_ask_and_look() {
    let meddler = Arc::new(Meddler::default());
    let (a, b) = (Probe::new("a"), Probe::new("b").on_stop(OnStop::Take(SECOND)));
    let kit = Kit::with([&a, &b], |builder| builder.listener(Meddles(Arc::clone(&meddler))));
    meddler.supervisor.set(kit.supervisor.downgrade()).unwrap();
    kit.supervisor.start_all().await;
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!(
        (kit.state("a"), kit.state("b")),
        ("stopped (asked)".into(), "stopped (asked)".into())
    );
    assert_eq!(meddler.seen.lock().len(), 8);
}

/// A listener that blocks its thread.
struct Blocks(Mutex<std::sync::mpsc::Receiver<()>>);

impl Listener for Blocks {
    fn on_event(&self, _: &Event) {
        // An error is the end of the test.
        let _ = self.0.lock().recv();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c02_a_listener_that_blocks_its_thread_holds_up_no_call() {
    let (release, blocked) = std::sync::mpsc::channel();
    let kit =
        Kit::with([&Probe::new("a")], |builder| builder.listener(Blocks(Mutex::new(blocked))));
    for _ in 0..10 {
        kit.supervisor.start("a").await.unwrap();
        kit.supervisor.restart("a").await.unwrap();
        kit.supervisor.stop("a").await.unwrap();
    }
    assert_eq!(kit.incarnation("a"), 20);
    drop(release);
}

/// A listener that holds its thread at each failure until it is let go.
struct Holds(Mutex<std::sync::mpsc::Receiver<()>>);

impl Listener for Holds {
    fn on_event(&self, event: &Event) {
        if matches!(event.kind, EventKind::ResolveFailed(_)) {
            // An error is the end of the test.
            let _ = self.0.lock().recv();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn c02_x03_a_listener_that_blocks_its_thread_holds_up_no_end_of_a_shutdown() {
    let (release, held) = std::sync::mpsc::channel();
    let log = Log::default();
    let probes = [Probe::new("a"), Probe::new("bad").requires("nobody")];
    let manager = PluginManager::<dyn Scripted>::builder(())
        .finder(ListFinder::new(probes.iter().map(|probe| probe.spec(&log))))
        .listener(Holds(Mutex::new(held)))
        .build();
    let builder = Supervisor::builder().manager(manager.clone());
    let supervisor = builder.join_timeout(Duration::from_millis(200)).build().unwrap();
    supervisor.start("a").await.unwrap();
    // The listener is held by one failure, then asked whether it has heard all, and then held by the next: what
    // waits for its word is its worker's to run.
    manager.load("bad").await.unwrap_err();
    let shutdown = spawn({
        let supervisor = supervisor.clone();
        async move { supervisor.shutdown().await.unwrap().is_clean() }
    });
    sleep(Duration::from_millis(60)).await;
    manager.load("bad").await.unwrap_err();
    release.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), shutdown).await;
    drop(release);
    assert!(ended.expect("the shutdown waits for the listener").unwrap());
}

//! What probes do: every step does what it says, at its turn, and nonsense is refused.

use std::time::Duration;

use plux::testing::{Fact, Outcome, Probe, Published, Recorder, Step, When};
use plux::{
    Backoff, Exit, GracePeriod, Intensity, LoadError, RestartPolicy, ServiceFailure,
    ServiceOptions, ServiceState, StartError, StopError, StopHow, StopReport, Supervisor,
};

const SECOND: Duration = Duration::from_secs(1);

struct Scene {
    recorder: Recorder,
    supervisor: Supervisor,
}

impl Scene {
    fn of(probe: Probe) -> Self {
        let recorder = Recorder::new();
        let supervisor = Supervisor::builder()
            .manager(Probe::manager([probe], &recorder))
            .listener(recorder.clone())
            .build()
            .unwrap();
        Self { recorder, supervisor }
    }

    async fn start(&self) -> Result<(), StartError> {
        self.supervisor.start("db").await.map(drop)
    }

    /// Why a start failed.
    async fn failure(&self) -> ServiceFailure {
        match self.start().await {
            Err(StartError::Failed { source, .. }) => (*source).clone(),
            other => panic!("{other:?}\n{}", self.recorder),
        }
    }

    async fn stop(&self) -> StopReport {
        self.supervisor.stop("db").await.unwrap()
    }

    fn state(&self) -> ServiceState {
        self.supervisor.status("db").unwrap().state
    }

    /// How the runs ended, by what they say.
    fn outcomes(&self) -> Vec<Outcome> {
        let outcome = |entry: plux::testing::Entry| match entry.fact {
            Fact::Dropped { outcome, .. } => Some(outcome),
            _ => None,
        };
        self.recorder.entries().into_iter().filter_map(outcome).collect()
    }
}

fn temporary(probe: Probe) -> Probe {
    probe.options(ServiceOptions::NONE.with_restart(RestartPolicy::Temporary))
}

#[tokio::test(start_paused = true)]
async fn each_step_of_a_run_does_what_it_says() {
    let ended = async |step: Step| {
        let scene = Scene::of(temporary(Probe::new("db").run(.., [Step::Ready, step])));
        scene.start().await.unwrap();
        let state = scene.supervisor.wait("db").await.unwrap();
        (state, scene.outcomes())
    };
    let (state, outcomes) = ended(Step::Complete).await;
    assert!(matches!(state, ServiceState::Stopped(plux::Stopped::Completed)), "{state}");
    assert_eq!(outcomes, [Outcome::Ok]);
    let (state, outcomes) = ended(Step::Fail("no disk")).await;
    assert_eq!(
        (state.to_string().as_str(), &*outcomes),
        ("failed: no disk", &[Outcome::Error][..])
    );
    let (state, outcomes) = ended(Step::Fatal("no disk")).await;
    assert_eq!(state.to_string(), "failed: fatal: no disk");
    assert_eq!(outcomes, [Outcome::Fatal]);
    let (state, outcomes) = ended(Step::Panic("no disk")).await;
    assert!(state.to_string().starts_with("failed: panicked"), "{state}");
    assert_eq!(outcomes, [Outcome::Panic]);
    let (state, outcomes) = ended(Step::Spawn(vec![Step::Panic("no disk")])).await;
    assert!(state.to_string().starts_with("failed: panicked"), "{state}");
    assert_eq!(outcomes, [Outcome::Panic]);
}

#[tokio::test(start_paused = true)]
async fn a_run_may_panic_before_there_is_a_future() {
    let scene = Scene::of(Probe::new("db").run(.., [Step::PanicInCall("no disk")]));
    let failure = scene.failure().await;
    assert!(matches!(failure, ServiceFailure::BeforeReady(Exit::Panicked(_))), "{failure}");
    assert_eq!(scene.outcomes(), [Outcome::Panic]);
}

#[tokio::test(start_paused = true)]
async fn a_run_is_slow_on_the_paused_clock_and_then_ready() {
    let scene = Scene::of(Probe::new("db").run(.., [Step::Sleep(20 * SECOND), Step::Ready]));
    let begun = tokio::time::Instant::now();
    scene.start().await.unwrap();
    assert_eq!(begun.elapsed(), 20 * SECOND);
    let published = scene.supervisor.handle::<Published>("db").unwrap().get().unwrap();
    assert_eq!(published.incarnation, 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_hangs_is_never_ready_and_hears_that_it_is_too_late() {
    let scene = Scene::of(Probe::new("db").run(.., [Step::Hang]));
    let failure = scene.failure().await;
    assert!(matches!(failure, ServiceFailure::StartTimeout { .. }), "{failure}");
    scene.recorder.assert_order(["db#1 told to stop (start_deadline)", "db#1 ended (ok)"]);
}

#[tokio::test(start_paused = true)]
async fn each_turn_has_its_steps_and_the_last_rule_counts() {
    let options = ServiceOptions::NONE
        .with_restart(RestartPolicy::Permanent)
        .with_backoff(Backoff::NONE)
        .with_intensity(Intensity::UNLIMITED);
    let probe = Probe::new("db")
        .options(options)
        .run(.., [Step::Ready, Step::Fail("later")])
        .run(4.., [Step::Ready])
        .run(2..=3, [Step::Ready, Step::Panic("second or third")])
        .run(1, [Step::Ready, Step::Complete]);
    let scene = Scene::of(probe);
    scene.start().await.unwrap();
    tokio::time::sleep(SECOND).await;
    assert_eq!(scene.outcomes(), [Outcome::Ok, Outcome::Panic, Outcome::Panic]);
    assert!(matches!(scene.state(), ServiceState::Running));
    scene.recorder.assert_one_live();
}

#[tokio::test(start_paused = true)]
async fn each_step_on_a_stop_does_what_it_says() {
    let stopped = async |probe: Probe| {
        let grace = GracePeriod::Bounded(3 * SECOND);
        let scene = Scene::of(probe.options(ServiceOptions::NONE.with_grace_period(grace)));
        scene.start().await.unwrap();
        let begun = tokio::time::Instant::now();
        let how = scene.stop().await.rows.remove(0).how;
        (how, begun.elapsed(), scene.outcomes()[0])
    };
    let on_stop = |steps: Vec<Step>| stopped(Probe::new("db").on_stop(.., steps));
    let (how, time, outcome) = on_stop(vec![Step::Sleep(2 * SECOND)]).await;
    assert!(matches!(how, StopHow::Clean), "{how}");
    assert_eq!((time, outcome), (2 * SECOND, Outcome::Ok));
    let (how, time, outcome) = on_stop(vec![Step::Fail("can not flush")]).await;
    assert_eq!((how.to_string().as_str(), time), ("error: can not flush", Duration::ZERO));
    assert_eq!(outcome, Outcome::Error);
    let (how, _, outcome) = on_stop(vec![Step::Panic("can not flush")]).await;
    assert!(matches!(how, StopHow::Error(Exit::Panicked(_))), "{how}");
    assert_eq!(outcome, Outcome::Panic);
    let (how, time, outcome) = on_stop(vec![Step::Hang]).await;
    assert!(matches!(how, StopHow::Aborted), "{how}");
    assert_eq!((time, outcome), (3 * SECOND, Outcome::Aborted));
    let deaf = Probe::new("db").run(.., [Step::Ready, Step::IgnoreStop]);
    let (how, time, outcome) = stopped(deaf).await;
    assert!(matches!(how, StopHow::Aborted), "{how}");
    assert_eq!((time, outcome), (3 * SECOND, Outcome::Aborted));
    let deaf = [Step::Ready, Step::IgnoreStop, Step::Sleep(2 * SECOND), Step::Complete];
    let (how, time, outcome) = stopped(Probe::new("db").run(.., deaf)).await;
    assert!(matches!(how, StopHow::Clean), "{how}");
    assert_eq!((time, outcome), (2 * SECOND, Outcome::Ok));
}

#[tokio::test(start_paused = true)]
async fn a_destructor_panics_after_whatever_the_run_did() {
    let with = |probe: Probe| Scene::of(probe.destructor(.., [Step::Panic("no lock file")]));
    let scene = with(Probe::new("db"));
    scene.start().await.unwrap();
    let how = scene.stop().await.rows.remove(0).how;
    assert!(how.to_string().ends_with("no lock file"), "{how}");
    scene.recorder.assert_order(["db#1 ended (ok)", "db#1 dropped (panic)", "db#1 stop failed"]);
    // A panic of the run is under way then, and one is enough.
    let scene = with(temporary(Probe::new("db")).run(.., [Step::Ready, Step::Panic("no disk")]));
    scene.start().await.unwrap();
    let state = scene.supervisor.wait("db").await.unwrap();
    assert!(state.to_string().ends_with("no disk"), "{state}");
}

#[tokio::test(start_paused = true)]
async fn each_step_of_a_plugin_does_what_it_says() {
    let failed = async |probe: Probe| match Scene::of(probe).failure().await {
        ServiceFailure::Load(error) => error.to_string(),
        other => panic!("{other}"),
    };
    let db = || Probe::new("db");
    assert!(failed(db().factory(.., [Step::Fail("no key")])).await.contains("no key"));
    assert!(failed(db().factory(.., [Step::Panic("no key")])).await.contains("panicked"));
    assert!(failed(db().should_load(.., [Step::Fail("no key")])).await.contains("should_load"));
    assert!(failed(db().should_load(.., [Step::Panic("no key")])).await.contains("should_load"));
    assert!(failed(db().load(.., [Step::Fail("no key")])).await.contains("no key"));
    assert!(failed(db().load(.., [Step::Panic("no key")])).await.contains("panicked"));
    for probe in [
        db().should_load(.., [Step::Decline]),
        db().should_load(.., [Step::Disable("not here")]),
        db().load(.., [Step::Disable("not here")]),
    ] {
        let error = Scene::of(probe).start().await.unwrap_err();
        assert!(matches!(error, StartError::Disabled { .. }), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_load_has_turns_of_its_own() {
    let probe = Probe::new("db")
        .factory(1, [Step::Fail("first")])
        .load(1, [Step::Sleep(SECOND), Step::Fail("second")])
        .load(2.., [Step::Sleep(2 * SECOND)]);
    let scene = Scene::of(probe);
    let failure = scene.failure().await;
    let ServiceFailure::Load(LoadError::Failed(failure)) = failure else { panic!("{failure}") };
    assert!(failure.to_string().contains("first"), "{failure}");
    assert!(scene.failure().await.to_string().contains("second"));
    scene.start().await.unwrap();
    scene.supervisor.restart("db").await.unwrap();
    scene.recorder.assert_order(["db factory 1", "db factory 2", "db load 1", "db load 2"]);
    assert!(scene.recorder.order(["db load 3"]).is_err(), "a restart loads nothing");
}

#[tokio::test(start_paused = true)]
async fn a_load_that_hangs_does_so_until_nobody_waits_for_it() {
    for probe in [
        Probe::new("db").load(.., [Step::Hang]),
        Probe::new("db").should_load(.., [Step::Sleep(SECOND), Step::Hang]),
    ] {
        let failure = Scene::of(probe).failure().await;
        assert!(matches!(failure, ServiceFailure::StartTimeout { .. }), "{failure}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_spawned_task_goes_on_until_its_end_or_the_stop() {
    let heeds = Step::Spawn(vec![Step::Sleep(SECOND), Step::Hang]);
    let scene = Scene::of(Probe::new("db").run(.., [heeds, Step::Ready]));
    scene.start().await.unwrap();
    let how = scene.stop().await.rows.remove(0).how;
    assert!(matches!(how, StopHow::Clean), "{how}");
    scene.recorder.assert_order(["db#1 task begun", "db#1 ended (ok)", "db#1 task dropped"]);
    let deaf = Step::Spawn(vec![Step::IgnoreStop, Step::Hang]);
    let scene = Scene::of(Probe::new("db").run(.., [deaf, Step::Ready]));
    scene.start().await.unwrap();
    let how = scene.stop().await.rows.remove(0).how;
    assert!(matches!(how, StopHow::Aborted), "{how}");
    let brief = Step::Spawn(vec![Step::Sleep(SECOND), Step::Complete]);
    let scene = Scene::of(Probe::new("db").run(.., [brief, Step::Ready]));
    scene.start().await.unwrap();
    tokio::time::sleep(2 * SECOND).await;
    scene.recorder.assert_order(["db running", "db#1 task dropped"]);
    assert!(matches!(scene.state(), ServiceState::Running));
}

#[tokio::test(start_paused = true)]
async fn a_call_is_given_the_runs_context() {
    let says = Step::call(async |cx| cx.status("reads the journal"));
    let scene = Scene::of(Probe::new("db").run(.., [says, Step::Ready]));
    scene.start().await.unwrap();
    let text = scene.supervisor.status("db").unwrap().text;
    assert_eq!(text.as_deref(), Some("reads the journal"));
}

/// On threads, because on one thread nothing else would go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_blocked_run_can_not_be_aborted_until_its_time_is_over() {
    // A machine that has too much to do may be late once, but not each time.
    for _ in 0..5 {
        if !ends_before_it_is_given_up().await {
            return;
        }
    }
    panic!("it is aborted");
}

/// Whether one that blocks its thread for a while ends before it is given up, which is sooner.
async fn ends_before_it_is_given_up() -> bool {
    let recorder = Recorder::new();
    let grace = GracePeriod::Bounded(Duration::from_millis(20));
    let probe = Probe::new("db")
        .options(ServiceOptions::NONE.with_grace_period(grace))
        .on_stop(.., [Step::Block(Duration::from_millis(300))]);
    let supervisor = Supervisor::builder()
        .manager(Probe::manager([probe], &recorder))
        .listener(recorder.clone())
        .join_timeout(Duration::from_millis(20))
        .build()
        .unwrap();
    supervisor.start("db").await.unwrap();
    let stopped = supervisor.stop("db").await;
    let has_ended = recorder.order(["db#1 ended"]).is_ok();
    supervisor.shutdown().await.unwrap();
    let Err(error) = stopped else { return true };
    assert!(matches!(error, StopError::Leaked { .. }), "{error}");
    has_ended
}

#[test]
fn an_unknown_turn_is_none() {
    assert_eq!(When::from(..), When::from(1..));
    assert_eq!(When::from(2), When::from(2..=2));
}

/// What is said of a script that makes no sense.
fn refused(build: impl FnOnce() -> Probe) -> String {
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(build));
    let payload = refused.expect_err("it makes sense");
    payload.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn nonsense_is_refused_where_it_is_written() {
    let db = || Probe::new("db");
    let said = refused(|| db().run(0, [Step::Ready]));
    assert_eq!(said, "the script of `db` makes no sense: turns count from 1: 0..=0 is none");
    #[expect(clippy::reversed_empty_ranges, reason = "it is what is refused")]
    let said = refused(|| db().run(3..=2, [Step::Ready]));
    assert!(said.ends_with("3..=2 is none"), "{said}");
    let said = refused(|| db().factory(.., [Step::Ready]));
    assert!(said.ends_with("Ready is nothing for factory"), "{said}");
    let said = refused(|| db().factory(.., [Step::Sleep(SECOND)]));
    assert!(said.ends_with("Sleep(1s) is nothing for factory"), "{said}");
    let said = refused(|| db().load(.., [Step::Decline]));
    assert!(said.ends_with("Decline is nothing for load"), "{said}");
    let said = refused(|| db().destructor(.., [Step::Fail("no disk")]));
    assert!(said.ends_with(r#"Fail("no disk") is nothing for destructor"#), "{said}");
    let said = refused(|| db().run(.., [Step::Ready, Step::Ready]));
    assert!(said.ends_with("a run is ready once"), "{said}");
    let said = refused(|| db().run(.., [Step::Complete, Step::Ready]));
    assert!(said.ends_with("nothing comes after Complete, and Ready does"), "{said}");
    let said = refused(|| db().run(.., [Step::Ready, Step::PanicInCall("no disk")]));
    assert!(said.ends_with("PanicInCall comes first or not at all"), "{said}");
    let said = refused(|| db().run(.., [Step::Spawn(vec![Step::Ready])]));
    assert!(said.ends_with("Ready is nothing for task"), "{said}");
    let said = refused(|| db().on_stop(.., [Step::IgnoreStop]));
    assert!(said.ends_with("IgnoreStop is nothing for on_stop"), "{said}");
    assert!(refused(|| Probe::new("no name")).contains("no name"));
    assert!(refused(|| db().requires("no name")).contains("no name"));
}

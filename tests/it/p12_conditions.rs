//! Plugins that say themselves whether they load: `should_load`, and a `load` that declines.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plux::{
    BoxError, Disabled, EventKind, LoadError, Phase, PluginManager, PluginState, StartError,
};
use tokio::time::{Instant, sleep};

use crate::kit::{Events, Kit, Load, Probe};
use crate::scripted::{Plugin, Script, failure, finder, idle, manager};

/// Why it is disabled.
#[track_caller]
fn reason(error: LoadError) -> Arc<str> {
    match error {
        LoadError::Disabled { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn p12_an_error_of_should_load_is_a_failure_of_that_phase_and_no_disablement() {
    let plugin = Plugin::new("a").should_load(|| async {
        Err(io::Error::new(io::ErrorKind::NotFound, "no licence").into())
    });
    let (runs, origin) = (plugin.runs(), plugin.origin());
    let manager = manager([plugin, Plugin::new("user").requires("a")]);
    let failure = failure(manager.load("a").await.unwrap_err());
    assert_eq!((failure.phase, failure.origin), (Phase::ShouldLoad, origin));
    assert!(failure.to_string().ends_with("failed in should_load: no licence"), "{failure}");
    let source = failure.source().and_then(|cause| cause.downcast_ref::<plux::FailureCause>());
    let Some(plux::FailureCause::Error(error)) = source else { panic!("{source:?}") };
    assert!(error.is::<io::Error>());
    assert_eq!(runs.all(), [1, 1, 0]);
    assert!(matches!(manager.state("a"), Some(PluginState::Failed(_))));

    let report = manager.load_all().await;
    assert_eq!((report.failed().len(), report.skipped().len()), (1, 1), "{report}");
    assert!(report.disabled().is_empty() && !report.is_ok(), "{report}");
    assert_eq!(runs.all(), [1, 2, 0], "a failure is tried again, and the plugin is kept");
}

#[tokio::test]
async fn p12_false_disables_with_a_reason_and_load_never_runs() {
    let plugin = Plugin::new("a").disabled();
    let runs = plugin.runs();
    let manager = manager([plugin]);
    let error = manager.load("a").await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("scripted:a") && text.contains("p12_conditions.rs"), "{text}");
    assert_eq!(&*reason(error), "its should_load answered false");
    assert_eq!(runs.all(), [1, 1, 0]);
    assert!(manager.load_all().await.is_ok());
    assert_eq!(runs.all(), [1, 1, 0]);
}

#[tokio::test]
async fn p12_should_load_may_give_the_reason_itself() {
    let plugin = Plugin::new("a")
        .should_load(|| async { Err(Disabled::because("no licence on Sundays").into()) });
    let runs = plugin.runs();
    let manager = manager([plugin]);
    assert_eq!(&*reason(manager.load("a").await.unwrap_err()), "no licence on Sundays");
    assert_eq!(runs.all(), [1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn p12_should_load_may_take_its_time_and_load_waits_for_its_answer() {
    let answered = Arc::new(AtomicBool::new(false));
    let (answers, asks) = (Arc::clone(&answered), Arc::clone(&answered));
    let plugin = Plugin::new("a")
        .should_load(move || {
            let answered = Arc::clone(&answers);
            async move {
                sleep(Duration::from_secs(3)).await;
                answered.store(true, Ordering::SeqCst);
                Ok(true)
            }
        })
        .yields(move || {
            let before = asks.load(Ordering::SeqCst);
            async move { if before { Ok(()) } else { Err("load came first".into()) } }
        });
    let began = Instant::now();
    assert!(manager([plugin]).load("a").await.is_ok());
    assert_eq!(began.elapsed(), Duration::from_secs(3));
}

#[tokio::test]
async fn p12_load_may_answer_that_it_is_disabled() {
    let plugin = Plugin::new("a")
        .yields(|| async { Err::<(), _>(Disabled::because("port 80 is taken").into()) });
    let runs = plugin.runs();
    let plugins = [plugin, Plugin::new("hard").requires("a"), Plugin::new("soft").wants("a")];
    let manager = manager(plugins);
    for _ in 0..2 {
        assert_eq!(&*reason(manager.load("a").await.unwrap_err()), "port 80 is taken");
    }
    let report = manager.load_all().await;
    assert!(report.is_ok(), "{report}");
    let counts = [report.loaded().len(), report.disabled().len(), report.skipped().len()];
    assert_eq!(counts, [1; 3], "{report}");
    assert_eq!(&*report.disabled()[0].1, "port 80 is taken");
    assert!(manager.try_load_all().await.is_ok(), "nor is it an error of the strict mode");
    assert_eq!(runs.all(), [1, 1, 1], "none of its code runs again");
}

/// Wraps another error.
#[derive(Debug)]
struct Wrapped(BoxError);

impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "while it opened its port: {}", self.0)
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

#[tokio::test]
async fn p12_only_the_error_itself_disables_and_not_a_source_of_another() {
    let wrapped = || Wrapped(Disabled::because("port 80 is taken").into());
    let manager = manager([
        Plugin::new("asks").should_load(move || async move { Err(wrapped().into()) }),
        Plugin::new("loads").yields(move || async move { Err::<(), _>(wrapped().into()) }),
        Plugin::new("made").factory(|| Err(Disabled::because("it has no factory").into())),
    ]);
    let phases = [("asks", Phase::ShouldLoad), ("loads", Phase::Load), ("made", Phase::Init)];
    for (name, phase) in phases {
        assert_eq!(failure(manager.load(name).await.unwrap_err()).phase, phase, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn p12_listeners_hear_disabled_and_failed_apart() {
    let events = Events::default();
    let plugins = [
        Plugin::new("declines").disabled(),
        Plugin::new("fails").should_load(|| async { Err("no licence".into()) }),
        Plugin::new("late").yields(|| async { Err::<(), _>(Disabled::because("late").into()) }),
    ];
    let manager = PluginManager::<dyn Script>::builder(())
        .finder(finder(plugins))
        .listener(events.clone())
        .build();
    assert!(!manager.load_all().await.is_ok());
    idle().await;
    let heard = |name: &str| -> Vec<&'static str> {
        let own = events.all().into_iter().filter(|event| event.id.name == *name);
        own.map(|event| match event.kind {
            EventKind::Resolved(_) => "resolved",
            EventKind::Initialized => "initialized",
            EventKind::LoadStarted => "load started",
            EventKind::LoadFailed(failure) if failure.phase == Phase::ShouldLoad => "failed",
            EventKind::Disabled(_) => "disabled",
            _ => "something else",
        })
        .collect()
    };
    assert_eq!(heard("declines"), ["resolved", "initialized", "disabled"]);
    assert_eq!(heard("fails"), ["resolved", "initialized", "failed"]);
    assert_eq!(heard("late"), ["resolved", "initialized", "load started", "disabled"]);
}

#[tokio::test(start_paused = true)]
async fn p12_a_service_whose_load_declines_is_disabled_and_not_failed() {
    let probe = Probe::new("a").load(Load::Disabled("port 80 is taken"));
    let kit = Kit::new(&[probe]);
    let error = kit.supervisor.start("a").await.unwrap_err();
    assert!(matches!(error, StartError::Disabled { .. }), "{error}");
    assert!(kit.state("a").starts_with("disabled"), "{}", kit.state("a"));
}

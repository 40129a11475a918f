//! Loading all plugins: the report, the order in it, and the strict way.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plux::{FindError, LoadError, Phase, PluginManager, PluginState};
use tokio::time::{Instant, sleep, timeout};

use crate::scripted::{Plugin, Script, idle, manager, spawn, state};

fn names(loaded: &[plux::Loaded<dyn Script>]) -> Vec<&str> {
    loaded.iter().map(|loaded| loaded.name().as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn p18_failures_stop_nothing_and_the_report_names_them() {
    let plugins = [
        Plugin::new("ask-fails").should_load(|| async { Err("no answer".into()) }),
        Plugin::new("disabled").disabled(),
        Plugin::new("init-fails").factory(|| Err("no parts".into())),
        Plugin::new("late").takes(10),
        Plugin::new("load-fails").fails(),
        Plugin::new("needs-disabled").requires("disabled"),
        Plugin::new("needs-failed").requires("load-fails"),
        Plugin::new("needs-late").requires("late"),
        Plugin::new("needs-skipped").requires("needs-failed"),
        Plugin::new("plain"),
        Plugin::new("wants-failed").wants("load-fails").after("disabled"),
    ];
    let origin = plugins[4].origin();
    let manager = manager(plugins);
    let report = manager.load_all().await;

    assert_eq!(names(report.loaded()), ["late", "needs-late", "plain", "wants-failed"]);
    let disabled: Vec<_> =
        report.disabled().iter().map(|(id, reason)| (id.name.as_str(), reason.as_ref())).collect();
    assert_eq!(disabled, [("disabled", "its should_load answered false")]);
    let failed: Vec<_> = report
        .failed()
        .iter()
        .map(|(id, error)| match error {
            LoadError::Failed(failure) => {
                assert_eq!(*id, failure.id);
                (id.name.as_str(), failure.phase, failure.cause.to_string())
            }
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(
        failed,
        [
            ("ask-fails", Phase::ShouldLoad, "no answer".to_owned()),
            ("init-fails", Phase::Init, "no parts".to_owned()),
            ("load-fails", Phase::Load, "no luck".to_owned()),
        ]
    );
    let skipped: Vec<_> = report
        .skipped()
        .iter()
        .map(|(id, because)| (id.name.as_str(), because.name.as_str()))
        .collect();
    assert_eq!(
        skipped,
        [
            ("needs-disabled", "disabled"),
            ("needs-failed", "load-fails"),
            ("needs-skipped", "needs-failed"),
        ]
    );
    assert!(!report.is_ok());
    assert!(report.find_error().is_none());

    let text = report.to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 8, "{text}");
    assert_eq!(lines[0], "4 loaded, 1 disabled, 3 failed, 3 skipped");
    assert_eq!(lines[1], "  disabled scripted:disabled: its should_load answered false");
    assert!(lines[4].starts_with("  failed: scripted:load-fails (registered at "), "{text}");
    assert!(lines[4].contains(&format!("{}:{}", origin.file, origin.line)), "{text}");
    assert_eq!(lines[5], "  skipped scripted:needs-disabled because of scripted:disabled");
}

#[tokio::test]
async fn p18_disabled_plugins_and_those_skipped_for_them_are_no_failure() {
    let manager = manager([Plugin::new("a").requires("b"), Plugin::new("b").disabled()]);
    let report = manager.load_all().await;
    assert!(report.is_ok());
    assert_eq!((report.disabled().len(), report.skipped().len()), (1, 1));
    let empty = crate::scripted::manager([]).load_all().await;
    assert!(empty.is_ok() && empty.loaded().is_empty());
}

#[tokio::test(start_paused = true)]
async fn p18_all_that_depend_on_nothing_are_begun_at_once() {
    let manager = manager((0..100).map(|at| Plugin::new(&format!("p{at}")).takes(10)));
    let begun = Instant::now();
    assert_eq!(manager.load_all().await.loaded().len(), 100);
    assert_eq!(begun.elapsed(), Duration::from_millis(10));
}

#[tokio::test]
async fn p18_loading_all_again_tries_what_failed_and_nothing_else() {
    let plugins = [Plugin::new("a"), Plugin::new("b").fails(), Plugin::new("c").disabled()];
    let runs = plugins.each_ref().map(Plugin::runs);
    let manager = manager(plugins);
    for _ in 0..2 {
        assert_eq!(names(manager.load_all().await.loaded()), ["a"]);
    }
    assert_eq!(runs.map(|runs| runs.all()), [[1, 1, 1], [1, 2, 2], [1, 1, 0]]);
}

#[tokio::test(start_paused = true)]
async fn p19_loaded_plugins_are_listed_by_name_whatever_was_first() {
    for times in [[30, 20, 10], [10, 20, 30], [20, 30, 10], [0, 10, 0]] {
        let plugins = ["a", "b", "c"].into_iter().zip(times).rev();
        let manager = manager(plugins.map(|(name, time)| Plugin::new(name).takes(time)));
        let all = manager.clone();
        let loading = spawn(async move { all.load_all().await });
        sleep(Duration::from_millis(25)).await;
        let half = manager.loaded();
        assert!(names(&half).is_sorted(), "{:?}", names(&half));
        assert_eq!(half.len(), times.iter().filter(|time| **time < 25).count());
        let report = loading.await.unwrap();
        assert_eq!(names(report.loaded()), ["a", "b", "c"], "{times:?}");
        assert_eq!(names(&manager.loaded()), ["a", "b", "c"], "{times:?}");
    }
}

#[tokio::test]
async fn p18_strict_a_manager_without_failures_is_loaded_whole() {
    let manager = manager([
        Plugin::new("a").requires("b"),
        Plugin::new("b"),
        Plugin::new("c").disabled(),
        Plugin::new("d").requires("c"),
    ]);
    let report = manager.try_load_all().await.unwrap();
    assert_eq!(names(report.loaded()), ["a", "b"]);
    assert_eq!((report.disabled().len(), report.skipped().len()), (1, 1));
    assert!(manager.try_load_all().await.is_ok());
}

#[tokio::test]
async fn p18_strict_the_first_error_is_returned_and_nothing_begins_after_it() {
    let plugins = ["a", "b", "c", "d"].map(Plugin::new);
    let [a, b, c, d] = plugins;
    let plugins = [a, b.fails(), c.fails(), d];
    let runs = plugins.each_ref().map(Plugin::runs);
    let manager = manager(plugins);
    let error = manager.try_load_all().await.unwrap_err();
    let LoadError::Failed(failure) = &error else { panic!("{error}") };
    assert_eq!((failure.id.name.as_str(), failure.phase), ("b", Phase::Load));
    assert_eq!(runs.map(|runs| runs.all()), [[1, 1, 1], [1, 1, 1], [0, 0, 0], [0, 0, 0]]);
    let states = ["a", "c", "d"].map(|name| state(&manager, name));
    assert_eq!(states, ["loaded", "resolved", "resolved"]);
    assert!(matches!(manager.state("b"), Some(PluginState::Failed(_))));
    // The table can be used on: what was not begun loads, what failed is tried again.
    assert!(manager.load("d").await.is_ok());
    assert_eq!(manager.load_all().await.failed().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn p18_strict_no_dependent_begins_after_the_error() {
    let plugins = [
        Plugin::new("after-hung").requires("hung"),
        Plugin::new("after-slow").requires("slow"),
        Plugin::new("fails").yields(|| async {
            sleep(Duration::from_millis(10)).await;
            Err::<(), _>("no luck".into())
        }),
        Plugin::new("hung").hangs(),
        Plugin::new("slow").takes(20),
        Plugin::new("user").after("fails"),
    ];
    let runs = plugins.each_ref().map(Plugin::runs);
    let manager = manager(plugins);
    let begun = Instant::now();
    assert!(manager.try_load_all().await.is_err());
    assert_eq!(begun.elapsed(), Duration::from_millis(10), "what hangs does not hold the answer");
    sleep(Duration::from_millis(50)).await;
    let loads = runs.each_ref().map(|runs| runs.loads());
    assert_eq!(loads, [0, 0, 1, 1, 1, 0]);
    // What had begun went on, as it does when a caller gives up.
    let states = ["after-hung", "after-slow", "hung", "slow", "user"];
    let states = states.map(|name| state(&manager, name));
    assert_eq!(states, ["resolved", "resolved", "loading", "loaded", "resolved"]);
    assert!(manager.load("after-slow").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn p18_strict_a_failure_of_an_earlier_call_is_not_the_first_error() {
    let first = AtomicBool::new(true);
    let manager =
        manager([
            Plugin::new("a").yields(move || {
                let first = first.swap(false, Ordering::SeqCst);
                async move {
                    if first { Err::<(), _>("an old failure".into()) } else { pending().await }
                }
            }),
            Plugin::new("b").fails(),
        ]);
    assert!(manager.load("a").await.is_err());
    let error = manager.try_load_all().await.unwrap_err().to_string();
    assert!(error.ends_with("no luck"), "{error}");
}

#[tokio::test]
async fn p18_strict_what_can_never_load_is_told_before_anything_begins() {
    let plugins =
        [Plugin::new("a"), Plugin::new("b").requires("nobody"), Plugin::new("c").requires("c")];
    let runs = plugins.each_ref().map(Plugin::runs);
    let manager = manager(plugins);
    let error = manager.try_load_all().await.unwrap_err();
    assert!(matches!(&error, LoadError::Graph(_)), "{error}");
    assert!(error.to_string().contains("scripted:nobody"), "{error}");
    assert_eq!(runs.map(|runs| runs.all()), [[0; 3]; 3]);
}

#[tokio::test]
async fn p18_strict_a_failed_finder_is_the_first_error() {
    struct Mute;
    impl plux::PluginFinder for Mute {
        fn find(&self, _: &plux::Namespace) -> Result<plux::Found, plux::BoxError> {
            Err("mute".into())
        }
    }
    let manager = PluginManager::<dyn Script>::builder(()).finder(Mute).build();
    let error = manager.try_load_all().await.unwrap_err();
    assert!(matches!(error, LoadError::Find(FindError::Failed { .. })));
}

#[tokio::test(start_paused = true)]
async fn p18_strict_a_failure_of_an_attempt_that_somebody_else_began_counts() {
    let manager = manager([Plugin::new("a").yields(|| async {
        sleep(Duration::from_millis(10)).await;
        Err::<(), _>("no luck".into())
    })]);
    let other = manager.clone();
    let other = spawn(async move { other.load("a").await });
    idle().await;
    let error = manager.try_load_all().await.unwrap_err();
    let (LoadError::Failed(strict), Err(LoadError::Failed(other))) = (error, other.await.unwrap())
    else {
        panic!("not failed");
    };
    assert!(Arc::ptr_eq(&strict, &other));
}

#[tokio::test(start_paused = true)]
async fn p16_a_load_of_all_whose_caller_gave_up_goes_on() {
    let manager = manager([Plugin::new("a").requires("b").takes(10), Plugin::new("b").takes(10)]);
    for strict in [true, false] {
        if strict {
            let call = manager.try_load_all();
            assert!(timeout(Duration::from_millis(5), call).await.is_err());
        } else {
            assert!(timeout(Duration::from_millis(10), manager.load_all()).await.is_err());
        }
    }
    sleep(Duration::from_millis(10)).await;
    assert_eq!(manager.loaded().len(), 2);
}

#[tokio::test]
async fn p08_p18_the_report_of_an_empty_namespace_names_the_trap() {
    let report = manager([]).load_all().await;
    let text = report.to_string();
    assert!(text.starts_with("0 loaded") && text.contains("plux::link!"), "{text}");
    let report = manager([Plugin::new("a").disabled()]).load_all().await;
    assert!(!report.to_string().contains("plux::link!"), "{report}");
}

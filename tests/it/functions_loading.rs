//! How functions that are plugins load: their own `should_load` and `load`, what they depend on, and
//! functions of other types in the same namespace.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use plux::{
    BoxError, Disabled, FailureCause, FnPlugin, LoadError, Namespace, Phase, PluginManager,
    PluginState,
};

use crate::functions::{Aws, loaded, manager};

mod hooks {
    use super::{AtomicU32, BoxError, Disabled, Ordering, io};

    #[plux::plugin(namespace = "it.functions.hooks", should_load = no, load = never)]
    fn unwanted() {}

    #[plux::plugin(namespace = "it.functions.hooks", should_load = unsure, load = never)]
    fn undecided() {}

    #[plux::plugin(namespace = "it.functions.hooks", load = fails_once)]
    async fn late() {}

    #[plux::plugin(namespace = "it.functions.hooks", load = says_no)]
    fn declines() {}

    #[plux::plugin(namespace = "it.functions.hooks", should_load = panics)]
    fn panicking() {}

    #[plux::plugin(namespace = "it.functions.hooks", requires = ["unwanted"])]
    fn stands_on_unwanted() {}

    #[plux::plugin(namespace = "it.functions.hooks", should_load = Yes::wanted, load = yes)]
    fn wanted() {}

    async fn no() -> Result<bool, BoxError> {
        Ok(false)
    }

    async fn never() -> Result<(), BoxError> {
        panic!("loaded without being wanted")
    }

    async fn unsure() -> Result<bool, io::Error> {
        Err(io::ErrorKind::TimedOut.into())
    }

    async fn fails_once() -> io::Result<()> {
        static TRIES: AtomicU32 = AtomicU32::new(0);
        tokio::task::yield_now().await;
        match TRIES.fetch_add(1, Ordering::Relaxed) {
            0 => Err(io::ErrorKind::NotFound.into()),
            _ => Ok(()),
        }
    }

    async fn says_no() -> Result<(), Disabled> {
        Err(Disabled::because("it is not its day"))
    }

    async fn panics() -> Result<bool, BoxError> {
        panic!("cannot say")
    }

    struct Yes;

    impl Yes {
        async fn wanted() -> Result<bool, BoxError> {
            tokio::task::yield_now().await;
            Ok(true)
        }
    }

    async fn yes() -> Result<(), BoxError> {
        Ok(())
    }
}

fn disabled(state: Option<PluginState>) -> String {
    match state {
        Some(PluginState::Disabled(reason)) => reason.to_string(),
        other => panic!("{other:?}"),
    }
}

fn failed(state: Option<PluginState>) -> (Phase, FailureCause) {
    match state {
        Some(PluginState::Failed(failure)) => (failure.phase, failure.cause.clone()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn p27_a_function_with_a_should_load_and_a_load_of_its_own_stands_as_they_say() {
    let manager = manager::<(), ()>("it.functions.hooks");
    let report = manager.load_all().await;
    assert_eq!(loaded(&report), ["wanted"]);
    assert_eq!(disabled(manager.state("unwanted")), "its should_load answered false");
    assert_eq!(disabled(manager.state("declines")), "it is not its day");
    let (phase, cause) = failed(manager.state("undecided"));
    assert_eq!(phase, Phase::ShouldLoad);
    let FailureCause::Error(error) = &cause else { panic!("{cause}") };
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    assert_eq!(kind, Some(io::ErrorKind::TimedOut));
    let (phase, cause) = failed(manager.state("panicking"));
    assert_eq!(phase, Phase::ShouldLoad);
    assert!(matches!(cause, FailureCause::Panic(_)), "{cause}");
    let (phase, cause) = failed(manager.state("late"));
    assert_eq!(phase, Phase::Load);
    let FailureCause::Error(error) = &cause else { panic!("{cause}") };
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    assert_eq!(kind, Some(io::ErrorKind::NotFound));
    let skipped = manager.state("stands-on-unwanted");
    assert!(
        matches!(&skipped, Some(PluginState::Skipped(id)) if id.name == "unwanted"),
        "{skipped:?}"
    );
    // The next try of what failed.
    manager.load("late").await.unwrap().plugin().call(&()).await.unwrap();
}

mod ordered {
    use super::{BoxError, LOG};

    #[plux::plugin(namespace = "it.functions.ordered", requires = ["middle"], load = load_a)]
    fn a_last() {}

    #[plux::plugin(namespace = "it.functions.ordered", wants = ["z-first"], load = load_m)]
    async fn middle() {}

    #[plux::plugin(namespace = "it.functions.ordered", load = load_z)]
    async fn z_first() {}

    async fn load_a() -> Result<(), BoxError> {
        LOG.lock().push("a-last");
        Ok(())
    }

    async fn load_m() -> Result<(), BoxError> {
        LOG.lock().push("middle");
        Ok(())
    }

    async fn load_z() -> Result<(), BoxError> {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        LOG.lock().push("z-first");
        Ok(())
    }
}

static LOG: parking_lot::Mutex<Vec<&str>> = parking_lot::Mutex::new(Vec::new());

#[tokio::test]
async fn p27_functions_load_in_the_order_of_what_they_depend_on() {
    let manager = manager::<(), ()>("it.functions.ordered");
    manager.load("a-last").await.unwrap();
    assert_eq!(*LOG.lock(), ["z-first", "middle", "a-last"]);
    let names: Vec<_> = manager.loaded().iter().map(|plugin| plugin.name().clone()).collect();
    assert_eq!(names, ["a-last", "middle", "z-first"]);
}

mod mixed {
    use super::Aws;

    #[plux::plugin(namespace = "it.functions.mixed")]
    fn fits(_: &Aws) -> u8 {
        1
    }

    #[plux::plugin(namespace = "it.functions.mixed")]
    fn other_argument(_: &str) -> u8 {
        2
    }

    #[plux::plugin(namespace = "it.functions.mixed", load = never)]
    async fn other_result(_: &Aws) -> u16 {
        3
    }

    #[plux::plugin(namespace = "it.functions.mixed", requires = ["other-result"])]
    fn stands_on_another(_: &Aws) -> u8 {
        4
    }

    async fn never() -> Result<(), super::BoxError> {
        panic!("loaded by a manager of another type")
    }
}

#[tokio::test]
async fn p09_a_function_of_other_types_is_refused_with_both_types_and_places() {
    let namespace = Namespace::literal("it.functions.mixed");
    let builder = PluginManager::<dyn FnPlugin<Aws, u8>>::functions(namespace);
    let (manager, line) = (builder.build(), line!());
    let report = manager.load_all().await;
    assert_eq!(loaded(&report), ["fits"]);
    let refused = report.failed();
    let ids: Vec<_> = refused.iter().map(|(id, _)| id.name.as_str()).collect();
    assert_eq!(ids, ["other-argument", "other-result"]);
    for ((_, error), types) in refused.iter().zip(["<str, u8>", "Aws, u16>"]) {
        let LoadError::Failed(failure) = error else { panic!("{error}") };
        assert_eq!(failure.phase, Phase::Resolve);
        let FailureCause::Mismatch { registered, expected, manager } = &failure.cause else {
            panic!("{error}")
        };
        assert!(registered.ends_with(types) && registered.contains("FnPlugin<"), "{registered}");
        assert!(expected.contains("FnPlugin<") && expected.ends_with("Aws, u8>"), "{expected}");
        assert_eq!(manager.line(), line);
        let place = failure.origin;
        let source =
            include_str!("functions_loading.rs").lines().nth(place.line as usize - 1).unwrap();
        assert!(source.trim().starts_with("#[plux::plugin(namespace"), "{source}");
        let text = error.to_string();
        for part in [*registered, *expected, &manager.to_string(), &place.to_string()] {
            assert!(text.contains(part), "{part} is not in: {text}");
        }
    }
    let skipped = manager.state("stands-on-another");
    assert!(matches!(skipped, Some(PluginState::Skipped(_))), "{skipped:?}");
}

#[tokio::test]
async fn p09_each_manager_of_a_namespace_loads_the_functions_of_its_type() {
    let texts = manager::<str, u8>("it.functions.mixed");
    assert_eq!(loaded(&texts.load_all().await), ["other-argument"]);
    let other = texts.load("other-argument").await.unwrap();
    assert_eq!(other.plugin().call("any").await.unwrap(), 2);
    assert_eq!(loaded(&manager::<(), u8>("it.functions.mixed").load_all().await), [""; 0]);
}

//! A binary in which one id is registered twice, and others once.

use plux::{
    BoxError, CheckProblem, FailureCause, FindError, LoadError, Origin, Phase, PluginManager,
    PluginState, RegistryCheck,
};

#[plux::extension_point(namespace = "fixture.duplicate", output = &'static str)]
trait Word {}

/// Yields the word it was made with.
struct Says(&'static str);

#[plux::async_trait]
impl Word for Says {
    async fn load(&self, _: &()) -> Result<&'static str, BoxError> {
        Ok(self.0)
    }
}

#[plux::plugin(extension = dyn Word, name = "twice")]
fn first() -> Says {
    panic!("the factory of a plugin that is registered twice was run")
}

#[plux::plugin(extension = dyn Word, name = "twice")]
fn second() -> Says {
    panic!("the factory of a plugin that is registered twice was run")
}

#[plux::plugin(extension = dyn Word)]
fn before() -> Says {
    Says("before")
}

#[plux::plugin(extension = dyn Word)]
fn upon() -> Says {
    Says("upon")
}

fn manager() -> PluginManager<dyn Word> {
    PluginManager::<dyn Word>::builder(()).build()
}

/// The lines of the two registrations.
fn lines() -> Vec<u32> {
    let source = include_str!("main.rs").lines().zip(1..);
    source.filter(|(line, _)| line.contains("name = \"twice\")]")).map(|(_, at)| at).collect()
}

fn check_origins(error: &FindError) {
    let FindError::Duplicate { id, origins } = error else { panic!("{error}") };
    assert_eq!(id.to_string(), "fixture.duplicate:twice");
    let (one, other): &(Origin, Origin) = origins;
    let mut found = vec![one.line, other.line];
    found.sort_unstable();
    assert_eq!(found, lines());
    let text = error.to_string();
    for origin in [one, other] {
        assert!(origin.file.ends_with("registry_duplicate/main.rs"), "{origin}");
        assert!(text.contains(&origin.to_string()), "{text}");
    }
    assert!(text.contains("fixture.duplicate:twice is registered twice"), "{text}");
}

#[tokio::test]
async fn p04_an_id_registered_twice_is_an_error_with_both_places_and_neither_is_used() {
    let manager = manager();
    for _ in 0..2 {
        match manager.load("twice").await.unwrap_err() {
            LoadError::Find(error) => check_origins(&error),
            other => panic!("{other}"),
        }
    }
    assert!(manager.get("twice").is_none());
    match manager.state("twice") {
        Some(PluginState::Failed(failure)) => {
            assert_eq!(failure.phase, Phase::Resolve);
            match &failure.cause {
                FailureCause::Find(error) => check_origins(error),
                other => panic!("{other}"),
            }
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn p04_every_plugin_beside_a_duplicate_is_usable() {
    let manager = manager();
    assert_eq!(*manager.load("upon").await.unwrap().output(), "upon");
    let report = manager.load_all().await;
    let loaded: Vec<_> = report.loaded().iter().map(|loaded| *loaded.output()).collect();
    assert_eq!(loaded, ["before", "upon"]);
    let [(id, LoadError::Find(error))] = report.failed() else { panic!("{report}") };
    assert_eq!(id.to_string(), "fixture.duplicate:twice");
    check_origins(error);
    assert!(!report.is_ok());
}

#[test]
fn a07_the_check_finds_the_id_that_is_registered_twice() {
    let error = RegistryCheck::new().require("fixture.duplicate:twice").run().unwrap_err();
    let [CheckProblem::Duplicate(error)] = &*error.problems else { panic!("{error}") };
    check_origins(error);
}

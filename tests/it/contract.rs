//! Plugins that do not fit the contract of the namespace they are in. What the compiler refuses
//! stands in `tests/ui/fail`.

use plux::{
    BoxError, FailureCause, ListFinder, LoadError, Name, Namespace, Phase, PluginManager,
    PluginSpec, PluginState,
};

#[plux::extension_point(namespace = "it.contract", output = &'static str)]
trait Bread {}

#[plux::extension_point(namespace = "it.contract.other")]
trait Stone {}

/// Bread, by its own account.
struct Rye;

#[plux::async_trait]
impl Bread for Rye {
    async fn load(&self, _: &()) -> Result<&'static str, BoxError> {
        Ok("rye")
    }
}

#[plux::plugin(extension = dyn Bread)]
fn rye() -> Rye {
    Rye
}

#[plux::plugin(extension = dyn Stone)]
fn pebble() -> Pebble {
    panic!("the factory of a plugin of another contract was run")
}

struct Pebble;

#[plux::async_trait]
impl Stone for Pebble {}

/// What the error for `pebble` says: both contracts, the plugin's place and the manager's.
fn check(error: &LoadError, manager_line: u32) {
    let LoadError::Failed(failure) = error else { panic!("{error}") };
    assert_eq!(failure.phase, Phase::Resolve);
    assert_eq!(failure.id.to_string(), "it.contract.other:pebble");
    let FailureCause::Mismatch { registered, expected, manager } = &failure.cause else {
        panic!("{error}")
    };
    assert!(registered.contains("contract::Stone"), "{registered}");
    assert!(expected.contains("contract::Bread"), "{expected}");
    assert!(manager.file().ends_with("it/contract.rs"), "{manager}");
    assert_eq!(manager.line(), manager_line);
    let place = failure.origin;
    let source = include_str!("contract.rs").lines().nth(place.line as usize - 1).unwrap();
    assert_eq!(source, "#[plux::plugin(extension = dyn Stone)]");
    let text = error.to_string();
    for part in [*registered, *expected, &manager.to_string(), &place.to_string()] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[tokio::test]
async fn p09_a_linked_plugin_of_another_contract_is_refused_with_both_types_and_places() {
    let builder = PluginManager::<dyn Bread>::builder(());
    let builder = builder.namespace(Namespace::literal("it.contract.other"));
    let (manager, line) = (builder.build(), line!());
    check(&manager.load("pebble").await.unwrap_err(), line);
    assert!(matches!(manager.state("pebble"), Some(PluginState::Failed(_))));
    let report = manager.load_all().await;
    assert!(report.loaded().is_empty());
    let [(_, error)] = report.failed() else { panic!("{report}") };
    check(error, line);
}

#[tokio::test]
async fn p09_a_spec_of_another_contract_leaves_the_others_usable() {
    let namespace = Namespace::literal("it.contract");
    let stone = PluginSpec::new::<dyn Stone>(namespace.clone(), Name::literal("stone"), || {
        panic!("the factory of a plugin of another contract was run")
    });
    let bread = PluginSpec::new::<dyn Bread>(namespace, Name::literal("bread"), || {
        Ok(std::sync::Arc::new(Rye))
    });
    let finder = ListFinder::new([stone, bread]);
    let manager = PluginManager::<dyn Bread>::builder(()).finder(finder).build();
    let report = manager.load_all().await;
    let loaded: Vec<_> =
        report.loaded().iter().map(|it| (it.name().as_str(), *it.output())).collect();
    assert_eq!(loaded, [("bread", "rye")]);
    let [(id, LoadError::Failed(failure))] = report.failed() else { panic!("{report}") };
    assert_eq!(id.to_string(), "it.contract:stone");
    assert!(matches!(failure.cause, FailureCause::Mismatch { .. }), "{failure}");
    assert!(failure.origin.file.ends_with("it/contract.rs"), "{failure}");
}

//! A binary that lists plugin crates in its Cargo.toml and names none: nothing is registered in it.
//!
//! Trap: naming a plugin crate here, be it in an import, would link it and make the test pointless.

use fixture_api::{ServicePlugin, Shop};
use plux::{
    CheckProblem, FnService, LoadError, Namespace, PluginManager, RegistryCheck, StartError,
    Supervisor,
};

fn shop() -> PluginManager<dyn ServicePlugin> {
    PluginManager::<dyn ServicePlugin>::builder(Shop { city: "Turin".to_owned() }).build()
}

#[test]
fn nothing_is_registered_and_everything_answers() {
    assert_eq!(shop().names().unwrap(), Vec::<plux::Name>::new());
    assert!(!shop().contains("queue").unwrap());
    let functions = PluginManager::<dyn FnService>::builder(()).build();
    assert_eq!(functions.names().unwrap(), Vec::<plux::Name>::new());
    assert_eq!(plux::silent_crates(), []);
}

#[tokio::test]
async fn p08_an_unknown_name_in_an_empty_namespace_explains_the_linking_trap() {
    let error = shop().load("queue").await.unwrap_err();
    match &error {
        LoadError::Unknown { namespace, name, near, empty } => {
            assert_eq!(*namespace, Namespace::literal("fixture.services"));
            assert_eq!(name, "queue");
            assert!(near.0.is_empty(), "{near:?}");
            assert!(*empty);
        }
        other => panic!("{other}"),
    }
    let text = error.to_string();
    assert!(text.contains("no plugin `queue` in namespace `fixture.services`"), "{text}");
    assert!(text.contains("a crate that nothing names is not linked"), "{text}");
    assert!(text.contains("plux::link!"), "{text}");
    assert!(shop().load_all().await.loaded().is_empty());
}

#[tokio::test]
async fn p08_starting_an_unknown_service_explains_the_linking_trap() {
    let supervisor = Supervisor::builder().manager(shop()).build().unwrap();
    let error = supervisor.start("queue").await.unwrap_err();
    match &error {
        StartError::Unknown { name, near } => {
            assert_eq!(name, "queue");
            assert!(near.0.is_empty(), "{near:?}");
        }
        other => panic!("{other}"),
    }
    let text = error.to_string();
    assert!(text.contains("no service `queue`") && text.contains("plux::link!"), "{text}");
}

#[test]
fn a07_nothing_is_wrong_with_an_empty_registry_unless_something_is_required() {
    RegistryCheck::new().run().unwrap();
    let check = RegistryCheck::new().require("fixture.services:queue").require("queue");
    let line = line!() - 1;
    let error = check.require("fixture.services:queue").run().unwrap_err();
    let [CheckProblem::Required { id: one, near, place }, CheckProblem::Required { id: other, .. }] =
        &*error.problems
    else {
        panic!("{error}");
    };
    assert_eq!((one.as_str(), other.as_str()), ("fixture.services:queue", "queue"));
    assert!(near.0.is_empty(), "{near:?}");
    assert_eq!((place.file(), place.line()), (file!(), line));
    let text = error.to_string();
    assert!(text.contains("`fixture.services:queue` is required (at "), "{text}");
    assert!(text.contains("plux::link!") && text.contains("an id is `namespace:name`"), "{text}");
}

#[tokio::test]
async fn p08_a_manager_that_requires_what_is_not_linked_explains_the_linking_trap() {
    let manager = PluginManager::<dyn FnService>::builder(()).require(["heartbeat"]).build();
    let report = manager.load_all().await;
    assert!(matches!(report.missing(), [LoadError::Required { .. }]), "{report}");
    assert!(report.to_string().contains("plux::link!"), "{report}");
}

//! What is found and loaded of crates that are linked: every form of registration.

use elsewhere::Greeting;
use fixture_api::Shop;
use plux::{
    Dependency, DependencyKind, GracePeriod, Handle, LoadError, PluginManager, ServiceOptions,
    SpecRef, StartTimeout, Supervisor,
};
use std::time::Duration;

use crate::{functions, services, shop};

fn spec(name: &str) -> SpecRef {
    let mut specs = shop().specs().unwrap();
    specs.extend(services().specs().unwrap());
    specs.extend(functions().specs().unwrap());
    specs.into_iter().find(|spec| *spec.name() == *name).unwrap()
}

fn names<T: AsRef<str>>(names: &[T]) -> Vec<&str> {
    names.iter().map(AsRef::as_ref).collect()
}

#[test]
fn p01_types_factories_and_functions_of_linked_crates_are_in_one_registry() {
    let found = shop().names().unwrap();
    let shop = ["cash-desk", "doorman", "long.queue", "queue", "reexported-in-shop", "renamed"];
    assert_eq!(names(&found), shop);
    let found = services().names().unwrap();
    assert_eq!(names(&found), ["heartbeat", "reexported"]);
    let found = functions().names().unwrap();
    assert_eq!(names(&found), ["counts", "describes", "greets", "reexported-function"]);
    let greetings = PluginManager::<dyn Greeting>::builder(()).build();
    assert_eq!(names(&greetings.names().unwrap()), ["hello"]);
}

#[tokio::test]
async fn p01_types_factories_and_functions_are_loaded_the_same_way() {
    let manager = shop();
    let report = manager.load_all().await;
    assert!(report.is_ok(), "{report}");
    let ports: Vec<_> =
        report.loaded().iter().map(|it| (it.name().as_str(), it.plugin().port())).collect();
    let expected = [
        ("cash-desk", 4566),
        ("doorman", 0),
        ("long.queue", 1000),
        ("queue", 1),
        ("reexported-in-shop", 0),
        ("renamed", 0),
    ];
    assert_eq!(ports, expected);
    let greetings = PluginManager::<dyn Greeting>::builder(()).build();
    assert_eq!(*greetings.load("hello").await.unwrap().output(), "hello");
}

#[tokio::test]
async fn p09_p27_functions_of_linked_crates_are_called_and_those_of_other_types_are_not_loaded() {
    let report = functions().load_all().await;
    let shop = Shop { city: "Turin".to_owned() };
    let mut said = Vec::new();
    for function in report.loaded() {
        said.push(function.plugin().call(&shop).await.unwrap());
    }
    assert_eq!(said, ["a shop in Turin", "welcome to Turin", "TURIN"]);
    let [(id, error)] = report.failed() else { panic!("{report}") };
    assert_eq!(id.to_string(), "fixture.functions:counts");
    let text = error.to_string();
    let (theirs, ours) = (
        "FnPlugin<[fixture_api::Shop], usize>",
        "FnPlugin<fixture_api::Shop, alloc::string::String>",
    );
    for part in [theirs, ours, "fixtures/plugins/src/lib.rs", "registry_linked/main.rs"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn p01_what_was_registered_in_any_form_runs_as_a_service() {
    let supervisor = Supervisor::builder().manager(shop()).manager(services()).build().unwrap();
    supervisor.start("doorman").await.unwrap();
    supervisor.start("heartbeat").await.unwrap();
    supervisor.start("reexported").await.unwrap();
    supervisor.start("reexported-in-shop").await.unwrap();
    supervisor.start("long.queue").await.unwrap();
    let text = |name: &str| {
        let handle: Handle<String> = supervisor.handle(name).unwrap();
        handle.get().unwrap().as_str().to_owned()
    };
    assert_eq!(text("cash-desk"), "cash in Turin");
    assert_eq!(text("queue"), "queue of 1 in Turin");
    assert_eq!(text("long.queue"), "queue of 1000 in Turin");
    assert_eq!(text("doorman"), "doorman in Turin, who knows of cash in Turin");
    let incarnation: Handle<u32> = supervisor.handle("heartbeat").unwrap();
    assert_eq!(*incarnation.get().unwrap(), 1);
    // The function is called anew, with the context that it has kept.
    supervisor.restart("heartbeat").await.unwrap();
    let incarnation: Handle<u32> = supervisor.handle("heartbeat").unwrap();
    assert_eq!(*incarnation.get().unwrap(), 2);
    supervisor.restart("doorman").await.unwrap();
    assert_eq!(text("doorman"), "doorman in Turin, who knows of cash in Turin");
    supervisor.shutdown().await.unwrap();
}

#[test]
fn p03_a_spec_says_what_its_attribute_says_and_where_that_stands() {
    let doorman = spec("doorman");
    assert_eq!(doorman.id().to_string(), "fixture.services:doorman");
    let requires = |name| Dependency::literal(DependencyKind::Requires, None, name);
    assert_eq!(doorman.dependencies(), [requires("queue"), requires("cash-desk")]);
    let two_seconds = GracePeriod::Bounded(Duration::from_secs(2));
    let half_a_second = StartTimeout::Bounded(Duration::from_millis(500));
    let options =
        ServiceOptions::NONE.with_grace_period(two_seconds).with_start_timeout(half_a_second);
    assert_eq!(doorman.service(), options);
    let cash_desk = spec("cash-desk");
    let expected = [
        Dependency::literal(DependencyKind::Wants, None, "queue"),
        Dependency::literal(DependencyKind::Wants, Some("plux.services"), "heartbeat"),
        Dependency::literal(DependencyKind::After, Some("other.place"), "anything"),
    ];
    assert_eq!(cash_desk.dependencies(), expected);
    assert_eq!(cash_desk.service(), ServiceOptions::NONE);

    let source: Vec<_> = include_str!("../fixtures/plugins/src/lib.rs").lines().collect();
    for (name, item) in [
        ("cash-desk", "impl ServicePlugin for CashDesk {"),
        ("queue", "fn queue() -> Queue {"),
        ("long.queue", "fn another_queue() -> Result<Queue, ParseIntError> {"),
        ("greets", "fn greets(shop: &Shop) -> String {"),
        ("heartbeat", "async fn heartbeat(cx: ServiceContext) -> Result<(), BoxError> {"),
    ] {
        let origin = spec(name).origin();
        assert_eq!(origin.package, "fixture-plugins");
        assert_eq!(origin.version, env!("CARGO_PKG_VERSION"));
        assert_eq!(origin.module, "fixture_plugins");
        assert!(origin.file.ends_with("fixtures/plugins/src/lib.rs"), "{origin}");
        assert!(source[origin.line as usize - 1].starts_with("#[plux::"), "{origin}");
        assert_eq!(source[origin.line as usize], item, "{origin}");
    }
}

#[tokio::test]
async fn p08_an_unknown_name_gets_its_nearest_names_and_no_lecture_on_linking() {
    let error = shop().load("cash-dsek").await.err().unwrap();
    match &error {
        LoadError::Unknown { near, empty, .. } => {
            assert_eq!(names(&near.0), ["cash-desk"]);
            assert!(!empty);
        }
        other => panic!("{other}"),
    }
    let text = "no plugin `cash-dsek` in namespace `fixture.services`; did you mean `cash-desk`";
    assert_eq!(error.to_string(), text);
    let supervisor = Supervisor::builder().manager(shop()).build().unwrap();
    let text = supervisor.start("dorman").await.unwrap_err().to_string();
    assert!(text.contains("no service `dorman`; did you mean `doorman`"), "{text}");
}

//! What can not start whatever it does: cycles, unknown names, itself; and who is refused for it.

use std::sync::Arc;

use plux::{GraphError, StartError, StartOutcome};

use crate::kit::{Kit, Probe};

async fn refusal(kit: &Kit, name: &str) -> Arc<GraphError> {
    match kit.supervisor.start(name).await.unwrap_err() {
        StartError::Graph(problem) => problem,
        other => panic!("{other}"),
    }
}

/// The members of a cycle; each has the place where it was registered.
fn path(problem: &GraphError) -> Vec<&str> {
    let GraphError::Cycle { path } = problem else { panic!("{problem}") };
    assert!(path.iter().all(|(id, origin)| id.name == origin.file && origin.line == 7));
    path.iter().map(|(id, _)| id.name.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn d02_a_cycle_is_refused_with_its_path_and_nothing_begins() {
    let (a, b) = (Probe::new("a").requires("c"), Probe::new("b").requires("a"));
    let (c, base) = (Probe::new("c").requires("b").requires("base"), Probe::new("base"));
    let kit = Kit::new([&a, &b, &c, &base]);
    for name in ["a", "b", "c"] {
        let problem = refusal(&kit, name).await;
        // Whoever is asked for, it is the same cycle, in the order of its edges.
        assert_eq!(path(&problem), ["a", "c", "b"]);
        let text = problem.to_string();
        let first = text.find("test:a (").expect("the first member with its place");
        let third = text.find("test:b (").expect("the third member with its place");
        assert!(first < third && text.ends_with("→ test:a"), "{text}");
    }
    assert_eq!(kit.log.lines(), [""; 0]);
    assert_eq!(kit.events.all().len(), 0);
    assert_eq!(kit.supervisor.start("base").await.unwrap(), StartOutcome::Started);
}

#[tokio::test(start_paused = true)]
async fn d02_a_cycle_counts_all_three_kinds() {
    let (a, b) = (Probe::new("a").wants("c"), Probe::new("b").requires("a"));
    let c = Probe::new("c").after("b");
    let kit = Kit::new([&a, &b, &c]);
    assert_eq!(path(&*refusal(&kit, "b").await), ["a", "c", "b"]);
    assert_eq!(kit.log.lines(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn d02_a_service_that_depends_on_itself_is_refused() {
    let (a, b) = (Probe::new("a").requires("a"), Probe::new("b").after("b"));
    let kit = Kit::new([&a, &b]);
    assert_eq!(path(&*refusal(&kit, "a").await), ["a"]);
    assert_eq!(path(&*refusal(&kit, "b").await), ["b"]);
    assert_eq!(kit.log.lines(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn d02_an_unknown_requirement_is_refused_with_who_requires_it() {
    let (a, store) = (Probe::new("a").requires("stone"), Probe::new("store"));
    let kit = Kit::new([&a, &store]);
    let problem = refusal(&kit, "a").await;
    let GraphError::Unknown { id, origin, requirement, near } = &*problem else {
        panic!("{problem}")
    };
    assert_eq!([id.to_string(), requirement.to_string()], ["test:a", "test:stone"]);
    assert_eq!(*origin, a.origin());
    assert_eq!(near.0, ["store"]);
    assert_eq!(kit.log.lines(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn d02_an_unknown_name_that_is_wanted_or_ordered_refuses_nobody() {
    let a = Probe::new("a").wants("nobody").after("no_one");
    let kit = Kit::new([&a]);
    kit.supervisor.start("a").await.unwrap();
    assert_eq!(kit.state("a"), "running");
}

#[tokio::test(start_paused = true)]
async fn d02_only_what_requires_it_is_refused() {
    let bad = Probe::new("bad").requires("missing");
    let (near, far) = (Probe::new("near").requires("bad"), Probe::new("far").requires("near"));
    let (soft, ordered) = (Probe::new("soft").wants("far"), Probe::new("ordered").after("near"));
    let other = Probe::new("other");
    let kit = Kit::new([&bad, &near, &far, &soft, &ordered, &other]);
    for (name, on) in [("near", "bad"), ("far", "near")] {
        let problem = refusal(&kit, name).await;
        let GraphError::Dependency { id, on: by, source } = &*problem else { panic!("{problem}") };
        assert_eq!((id.name.as_str(), by.name.as_str()), (name, on));
        assert!(matches!(&**source, GraphError::Unknown { .. }), "{source}");
    }
    let report = kit.supervisor.start_all().await;
    let failed: Vec<_> = report.failed().map(|(name, _)| name.as_str()).collect();
    assert_eq!(failed, ["bad", "far", "near"]);
    for name in ["soft", "ordered", "other"] {
        assert_eq!(kit.state(name), "running");
    }
    assert_eq!(kit.supervisor.list().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn d02_what_is_refused_can_be_stopped_and_not_restarted() {
    let a = Probe::new("a").requires("a");
    let kit = Kit::new([&a]);
    assert_eq!(kit.supervisor.stop("a").await.unwrap().rows.len(), 0);
    let error = kit.supervisor.restart("a").await.unwrap_err();
    assert!(error.to_string().contains("dependency cycle"), "{error}");
    assert!(kit.supervisor.shutdown().await.unwrap().is_clean());
}

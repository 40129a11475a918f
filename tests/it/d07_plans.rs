//! Plans: what a start or a stop would do, without doing it.

use plux::{PlanReason, StartError, StopError};

use crate::kit::{Do, Kit, Probe, order, tireless};

fn names(steps: &[plux::PlanStep]) -> Vec<&str> {
    steps.iter().map(|step| step.name.as_str()).collect()
}

fn kit() -> Kit {
    Kit::with(
        [
            &Probe::new("disk"),
            &Probe::new("cache").begin([Do::Fail("no")]),
            &Probe::new("store").requires("disk"),
            &Probe::new("api").requires("store").wants("cache").after("log"),
            &Probe::new("log"),
            &Probe::new("web").requires("api"),
        ],
        |builder| builder,
    )
}

#[tokio::test(start_paused = true)]
async fn d07_a_start_is_planned_in_order_with_a_reason_for_each_and_nothing_runs() {
    let kit = kit();
    let plan = kit.supervisor.plan_start("web").unwrap();
    assert_eq!(
        plan.to_string(),
        "1. cache (wanted by api): stopped\n\
         2. disk (required by store): stopped\n\
         3. store (required by api; requires disk): stopped\n\
         4. api (required by web; wants cache; requires store): stopped\n\
         5. web (named; requires api): stopped\n"
    );
    assert_eq!(plan.critical_path, ["disk", "store", "api", "web"]);
    assert!(kit.log.lines().is_empty());
    assert_eq!(kit.state("web"), "stopped (never started)");
}

#[tokio::test(start_paused = true)]
async fn d07_what_runs_is_nothing_to_do_and_not_on_the_longest_chain() {
    let kit = kit();
    kit.supervisor.start("store").await.unwrap();
    let plan = kit.supervisor.plan_start("web").unwrap();
    let needed: Vec<_> = plan.steps.iter().filter(|step| step.is_needed).collect();
    assert_eq!(needed.len(), 3);
    assert_eq!(plan.critical_path.len(), 3, "{:?}", plan.critical_path);
    assert!(plan.to_string().contains("store (required by api; requires disk): running, nothing"));
    kit.supervisor.start("web").await.unwrap();
    let plan = kit.supervisor.plan_start("web").unwrap();
    // What it wants has failed, and would be tried again.
    assert_eq!(plan.critical_path, ["cache"]);
}

#[tokio::test(start_paused = true)]
async fn d07_the_plan_of_a_start_is_the_order_in_which_it_begins() {
    let kit = kit();
    let plan = kit.supervisor.plan_start("web").unwrap();
    kit.supervisor.start("web").await.unwrap();
    let begins = kit.log.lines();
    let begins: Vec<_> = begins.iter().filter_map(|line| line.strip_suffix(" begins")).collect();
    for step in &plan.steps {
        let own = begins.iter().position(|name| *name == step.name.as_str());
        for (on, _) in &step.waits_for {
            let other = begins.iter().position(|name| *name == on.as_str());
            assert!(other < own, "{on} before {}: {begins:?}", step.name);
        }
    }
    assert_eq!(begins.len(), plan.steps.len());
}

#[tokio::test(start_paused = true)]
async fn d07_a_stop_is_planned_dependents_first() {
    let kit = kit();
    kit.supervisor.start("web").await.unwrap();
    let plan = kit.supervisor.plan_stop("store").unwrap();
    assert_eq!(names(&plan.steps), ["web", "api", "store"]);
    assert_eq!(plan.steps[0].reason, PlanReason::Requires(plux::Name::literal("api")));
    assert_eq!(plan.critical_path, ["web", "api", "store"]);
    let report = kit.supervisor.stop("store").await.unwrap();
    let stopped: Vec<_> = report.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(stopped, names(&plan.steps));
    assert!(kit.supervisor.plan_stop("store").unwrap().critical_path.is_empty());
}

#[tokio::test(start_paused = true)]
async fn d07_what_completed_is_not_run_again_by_who_pulls_it_and_backoff_is_something_to_stop() {
    let (base, on) = (Probe::new("base"), Probe::new("on").requires("base"));
    let kit = Kit::with([&base, &on], |builder| {
        tireless(builder).backoff(plux::Backoff::constant(crate::kit::SECOND))
    });
    kit.supervisor.start("on").await.unwrap();
    order(&base, Do::Complete).await;
    order(&on, Do::Fail("no")).await;
    let plan = kit.supervisor.plan_start("on").unwrap();
    assert_eq!(plan.critical_path, ["on"]);
    assert_eq!(kit.supervisor.plan_start("base").unwrap().critical_path, ["base"]);
    assert_eq!(kit.supervisor.plan_stop("on").unwrap().critical_path, ["on"]);
}

#[tokio::test(start_paused = true)]
async fn d07_a_plan_is_exported_as_dot_and_json() {
    let kit =
        Kit::new([&Probe::new("a"), &Probe::new("b").requires("a").after("c"), &Probe::new("c")]);
    kit.supervisor.start("a").await.unwrap();
    let plan = kit.supervisor.plan_start("b").unwrap();
    assert_eq!(
        plan.to_dot(),
        "digraph \"start b\" {\n  \"a\" [color=grey];\n  \"b\" [style=bold];\n  \
         \"a\" -> \"b\" [style=solid];\n}\n"
    );
    let json: serde_json::Value = serde_json::from_str(&plan.to_json()).unwrap();
    assert_eq!(json["target"], "b");
    assert_eq!(json["critical_path"], serde_json::json!(["b"]));
    assert_eq!(json["steps"][0]["state"], "running");
    assert_eq!(json["steps"][1]["waits_for"][0]["kind"], "requires");
    assert_eq!(json["steps"][1]["origin"], "b:7 (probes 1.0.0)");
}

#[tokio::test(start_paused = true)]
async fn d07_who_is_unknown_or_unusable_has_no_plan() {
    let kit = Kit::new([&Probe::new("a").requires("gone")]);
    assert!(matches!(kit.supervisor.plan_start("b"), Err(StartError::Unknown { .. })));
    assert!(matches!(kit.supervisor.plan_start("a"), Err(StartError::Graph(_))));
    assert!(matches!(kit.supervisor.plan_stop("b"), Err(StopError::Unknown { .. })));
}

#[test]
fn d07_layered_diamonds_are_planned_without_walking_every_way() {
    // 24 layers of two, each on both of the layer below: sixteen million ways lead through them.
    let layers: Vec<_> = (0..24).flat_map(|layer| [(layer, 0), (layer, 1)]).collect();
    let name = |layer: usize, side: usize| -> &'static str {
        Box::leak(format!("n{layer:02}-{side}").into_boxed_str())
    };
    let probes: Vec<_> = layers
        .iter()
        .map(|&(layer, side)| {
            let probe = Probe::new(name(layer, side));
            match layer {
                0 => probe,
                _ => probe.requires(name(layer - 1, 0)).requires(name(layer - 1, 1)),
            }
        })
        .collect();
    let kit = Kit::new(&probes);
    let plan = kit.supervisor.plan_start("n23-0").unwrap();
    assert_eq!((plan.steps.len(), plan.critical_path.len()), (47, 24));
    assert_eq!(kit.supervisor.plan_stop("n00-0").unwrap().steps.len(), 47);
}

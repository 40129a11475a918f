//! Configurations that can not work are refused: times of no length, groups of no effect, and two
//! things said of one edge.

use std::time::Duration;

use plux::{
    AddError, BuildProblem, Dependency, DependencyKind, GiveUp, Group, Intensity, ListFinder,
    PluginManager, Reaction, Supervisor, SupervisorBuilder,
};

use crate::kit::{Kit, Log, Probe, SECOND, Scripted};

fn refused<'a>(
    probes: impl IntoIterator<Item = &'a Probe>,
    configure: impl FnOnce(SupervisorBuilder) -> SupervisorBuilder,
) -> String {
    let log = Log::default();
    let specs: Vec<_> = probes.into_iter().map(|probe| probe.spec(&log)).collect();
    let manager = PluginManager::<dyn Scripted>::builder(()).finder(ListFinder::new(specs)).build();
    match configure(Supervisor::builder().manager(manager)).build() {
        Ok(_) => "it was built".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a03_a_cool_down_of_no_length_is_refused_for_a_group_too() {
    let group = Group::one_for_one("pool", ["a"])
        .with_intensity(Intensity::new(1, SECOND), GiveUp::CoolDown(Duration::ZERO));
    let text = refused([&Probe::new("a")], |builder| builder.group(group));
    assert!(text.contains("group `pool`") && text.contains("cool-down of zero"), "{text}");
}

#[test]
fn a03_a_join_timeout_of_no_length_is_refused() {
    let text = refused([&Probe::new("a")], |builder| builder.join_timeout(Duration::ZERO));
    assert!(text.contains("join_timeout of zero"), "{text}");
}

#[test]
fn a03_a_group_that_does_nothing_is_refused() {
    let group = Group::one_for_one("pool", ["a"]);
    let text = refused([&Probe::new("a")], |builder| builder.group(group));
    assert!(text.contains("the group `pool` does nothing"), "{text}");
}

#[test]
fn a03_two_things_said_of_the_end_of_one_requirement_are_refused() {
    let edge = |namespace, reaction: Option<Reaction>| {
        let edge = Dependency::literal(DependencyKind::Requires, namespace, "b");
        reaction.map_or(edge.clone(), |reaction| edge.with_reaction(reaction))
    };
    let (keep, stop) = (Some(Reaction::Keep), Some(Reaction::Stop));
    let own = Some("test");
    for (edges, said) in [
        ([edge(None, keep), edge(own, None)], Some("twice, with `keep` and without a reaction")),
        ([edge(None, None), edge(None, keep)], Some("twice, without a reaction and with `keep`")),
        ([edge(own, stop), edge(None, keep)], Some("twice, with `stop` and with `keep`")),
        ([edge(None, keep), edge(own, keep)], None),
        ([edge(Some("other"), keep), edge(None, stop)], None),
    ] {
        let a = edges.into_iter().fold(Probe::new("a"), Probe::edge);
        let text = refused([&a, &Probe::new("b")], |builder| builder);
        let Some(said) = said else {
            assert_eq!(text, "it was built");
            continue;
        };
        for part in
            ["`a` (registered at a:7 (probes 1.0.0)) requires test:b", said, "require it once"]
        {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}

#[tokio::test]
async fn a02_a03_two_things_said_of_the_end_of_one_requirement_are_not_added() {
    let kit = Kit::new([&Probe::new("b")]);
    let a = Probe::new("a").requires("b").requires_to(Reaction::Keep, "b");
    let Err(AddError::Refused { problems }) = kit.add([&a]).await else { panic!("it was added") };
    let [BuildProblem::TwoReactions { name, reactions, .. }] = &problems[..] else {
        panic!("{problems:?}")
    };
    assert_eq!((name.as_str(), *reactions), ("a", (None, Some(Reaction::Keep))));
}

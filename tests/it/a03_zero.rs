//! Configurations that can not work are refused: times of no length, and groups of no effect.

use std::time::Duration;

use plux::{GiveUp, Group, Intensity, ListFinder, PluginManager, Supervisor, SupervisorBuilder};

use crate::kit::{Log, Probe, SECOND, Scripted};

fn refused(
    probe: &Probe,
    configure: impl FnOnce(SupervisorBuilder) -> SupervisorBuilder,
) -> String {
    let specs = [probe.spec(&Log::default())];
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
    let text = refused(&Probe::new("a"), |builder| builder.group(group));
    assert!(text.contains("group `pool`") && text.contains("cool-down of zero"), "{text}");
}

#[test]
fn a03_a_join_timeout_of_no_length_is_refused() {
    let text = refused(&Probe::new("a"), |builder| builder.join_timeout(Duration::ZERO));
    assert!(text.contains("join_timeout of zero"), "{text}");
}

#[test]
fn a03_a_group_that_does_nothing_is_refused() {
    let group = Group::one_for_one("pool", ["a"]);
    let text = refused(&Probe::new("a"), |builder| builder.group(group));
    assert!(text.contains("the group `pool` does nothing"), "{text}");
}

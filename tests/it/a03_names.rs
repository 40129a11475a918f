//! Names that two managers have, and everything else that is wrong beside that, in one answer.

use std::time::Duration;

use plux::{
    BoxError, BuildProblem, Found, Group, ListFinder, Namespace, PluginFinder, PluginManager,
    ServiceOptions, Supervisor,
};

use crate::kit::{Log, Probe, SECOND, Scripted};

fn manager(probes: &[Probe], log: &Log) -> PluginManager<dyn Scripted> {
    let specs: Vec<_> = probes.iter().map(|probe| probe.spec(log)).collect();
    PluginManager::<dyn Scripted>::builder(()).finder(ListFinder::new(specs)).build()
}

/// Finds nothing, and says why.
struct Gone;

impl PluginFinder for Gone {
    fn find(&self, _: &Namespace) -> Result<Found, BoxError> {
        Err("the index is gone".into())
    }
}

#[test]
fn a03_a_name_of_two_managers_is_refused_with_both_places_and_with_all_else_that_is_wrong() {
    let log = Log::default();
    let store = |timeout| Probe::new("store").start_timeout(timeout);
    let one = manager(&[Probe::new("alone"), store(SECOND)], &log);
    let other = manager(&[store(Duration::ZERO)], &log);
    let broken = PluginManager::<dyn Scripted>::builder(()).finder(Gone).build();
    let error = Supervisor::builder()
        .manager(one)
        .manager(other)
        .manager(broken)
        .service("stor", ServiceOptions::NONE)
        .group(Group::one_for_all("all", ["nobody"]))
        .build()
        .unwrap_err();
    let [find, twice, unknown, zero, member] = &error.problems[..] else { panic!("{error}") };
    assert!(matches!(find, BuildProblem::Find(_)), "{find}");
    let BuildProblem::DuplicateName { name, origins } = twice else { panic!("{twice}") };
    assert_eq!(name, "store");
    assert_eq!([origins.0.file, origins.1.file], ["store"; 2]);
    assert!(matches!(unknown, BuildProblem::UnknownService { name, .. } if name == "stor"));
    assert!(matches!(zero, BuildProblem::ZeroTime { name, .. } if name == "store"), "{zero}");
    assert!(matches!(member, BuildProblem::UnknownMember { .. }), "{member}");
    let text = error.to_string();
    for part in ["the index is gone", "store:7", "rename one", "did you mean `store`", "`nobody`"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert_eq!(log.lines(), [""; 0], "nothing of theirs has run");
}

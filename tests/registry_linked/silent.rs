//! Which linked crates register nothing.

#[test]
fn a_linked_crate_without_plugins_is_reported_once_for_each_place_that_names_it() {
    let silent = plux::silent_crates();
    let places: Vec<_> = silent.iter().map(|linked| (linked.name, linked.origin.module)).collect();
    let expected = ["fixture_renamed", "registry_linked"].map(|place| ("fixture_silent", place));
    assert_eq!(places, expected);
    let here = silent[1];
    let source = include_str!("main.rs").lines().nth(here.origin.line as usize - 1).unwrap();
    assert_eq!(source, "plux::link!(quiet = fixture_silent);");
    let text = here.to_string();
    assert!(text.contains("`fixture_silent`"), "{text}");
    assert!(text.contains(&here.origin.to_string()), "{text}");
}

#[test]
fn a07_the_check_finds_the_crates_that_register_nothing_and_no_other_problem() {
    let check = plux::RegistryCheck::new()
        .require("fixture.services:long.queue")
        .require("plux.services:heartbeat");
    let error = check.clone().run().unwrap_err();
    let silent = plux::silent_crates();
    assert_eq!(error.problems.len(), silent.len(), "{error}");
    for (problem, linked) in error.problems.iter().zip(silent) {
        let plux::CheckProblem::Silent { name, origin } = problem else { panic!("{problem}") };
        assert_eq!((*name, *origin), (linked.name, linked.origin));
        let text = problem.to_string();
        assert!(text.contains(&linked.origin.to_string()) && text.contains("link!"), "{text}");
    }

    let error = check.require("fixture.services:longqueue").run().unwrap_err();
    let Some(plux::CheckProblem::Required { near, .. }) = error.problems.first() else {
        panic!("{error}");
    };
    assert_eq!(near.0[0], "long.queue");
}

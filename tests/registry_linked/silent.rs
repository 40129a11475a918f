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

//! A binary whose registry has every fault at once, across namespaces.

#![cfg(test)]

use plux::{CheckError, CheckProblem, GraphError, Reaction, RegistryCheck};

plux::link!(quiet = fixture_silent);

#[plux::extension_point(namespace = "broken.one")]
trait One {}

#[plux::extension_point(namespace = "broken.other")]
trait Other {}

struct Plain;

impl One for Plain {}
impl Other for Plain {}

/// Registers plugins whose code must not run.
macro_rules! registers {
    ($($point:ident $name:ident { $($key:ident = $list:tt),* })*) => {$(
        #[plux::plugin(extension = dyn $point, $($key = $list),*)]
        fn $name() -> Plain {
            panic!("a check ran a factory")
        }
    )*};
}

registers! {
    // A cycle through both namespaces, of all kinds of dependencies, and one that requires it.
    One chicken { wants = ["broken.other:egg"] }
    Other egg { after = ["nest"] }
    Other nest { requires = ["broken.one:chicken"] }
    One farmer { requires = ["chicken", "broken.other:milk", "broken.nowhere:land"] }
    // A cycle of one.
    Other narcissus { after = ["narcissus"] }
    // What is not there, and is not missed.
    One poet { wants = ["broken.other:muse"], after = ["broken.nowhere:land"] }
    // A name of the other namespace is not one of the own.
    One mason { requires = ["nest"] }
}

mod again {
    use super::{Other, Plain};

    #[plux::plugin(extension = dyn Other)]
    fn nest() -> Plain {
        panic!("a check ran a factory")
    }

    // Nothing is wrong with one name in two namespaces.
    #[plux::plugin(extension = dyn Other, requires = ["broken.one:poet"])]
    fn mason() -> Plain {
        panic!("a check ran a factory")
    }
}

mod said_twice {
    use std::sync::Arc;

    use plux::{BoxError, Service, ServiceContext};

    #[plux::extension_point(namespace = "broken.services", output = Arc<dyn Service>)]
    pub(crate) trait Serves {}

    #[plux::service(extension = dyn Serves)]
    async fn ground(_cx: ServiceContext) -> Result<(), BoxError> {
        panic!("a check ran a service")
    }

    // It is one service, whether its namespace is named or not.
    #[plux::service(extension = dyn Serves, requires = [keep("ground"), stop("broken.services:ground")])]
    async fn tower(_cx: ServiceContext) -> Result<(), BoxError> {
        panic!("a check ran a service")
    }
}

fn problems() -> Vec<CheckProblem> {
    let check = RegistryCheck::new().require("broken.one:poet").require("broken.one:farmhand");
    let CheckError { problems, .. } = check.run().unwrap_err();
    problems
}

#[test]
fn a07_one_check_finds_every_problem_of_the_registry_at_once() {
    let kinds: Vec<_> = problems()
        .iter()
        .map(|problem| match problem {
            CheckProblem::Duplicate(_) => "duplicate",
            CheckProblem::Graph(error) => match &**error {
                GraphError::Cycle { .. } => "cycle",
                GraphError::Unknown { .. } => "unknown",
                other => panic!("what only follows is no problem of its own: {other}"),
            },
            CheckProblem::TwoReactions { .. } => "two reactions",
            CheckProblem::Required { .. } => "required",
            CheckProblem::Silent { .. } => "silent",
            other => panic!("{other}"),
        })
        .collect();
    let expected = [
        "duplicate",
        "cycle",
        "cycle",
        "unknown",
        "unknown",
        "unknown",
        "two reactions",
        "required",
        "silent",
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn a07_a_cycle_through_namespaces_is_spelled_with_its_places() {
    let cycles: Vec<_> = problems()
        .into_iter()
        .filter_map(|problem| match problem {
            CheckProblem::Graph(error) => match &*error {
                GraphError::Cycle { path } => {
                    assert!(path.iter().all(|(_, place)| error.to_string().contains(place.file)));
                    Some(path.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>())
                }
                _ => None,
            },
            _ => None,
        })
        .collect();
    assert_eq!(cycles[0], ["broken.one:chicken", "broken.other:egg", "broken.other:nest"]);
    assert_eq!(cycles[1], ["broken.other:narcissus"]);
}

#[test]
fn a07_every_requirement_that_is_not_there_is_told_with_who_requires_it() {
    let unknown: Vec<_> = problems()
        .into_iter()
        .filter_map(|problem| match problem {
            CheckProblem::Graph(error) => match &*error {
                GraphError::Unknown { id, requirement, .. } => {
                    Some(format!("{id} requires {requirement}"))
                }
                _ => None,
            },
            _ => None,
        })
        .collect();
    let expected = [
        "broken.one:farmer requires broken.other:milk",
        "broken.one:farmer requires broken.nowhere:land",
        "broken.one:mason requires broken.one:nest",
    ];
    assert_eq!(unknown, expected);
}

#[test]
fn a07_every_problem_says_whom_it_is_about_where_and_what_to_do() {
    let problems = problems();
    let text = CheckError::clone(&RegistryCheck::new().run().unwrap_err()).to_string();
    assert_eq!(
        text.lines().count(),
        problems.len(),
        "the heading, and no line for what was required"
    );
    for problem in problems {
        let line = problem.to_string();
        assert!(line.contains("registry_broken/main.rs:"), "{line}");
        let way_out = match &problem {
            CheckProblem::Duplicate(_) => "rename one",
            CheckProblem::Graph(error) => match &**error {
                GraphError::Cycle { .. } => "→",
                _ => "plux::link!",
            },
            CheckProblem::TwoReactions { .. } => "require it once",
            CheckProblem::Required { .. } => "did you mean `farmer`",
            _ => "take it out of link!",
        };
        assert!(line.contains(way_out), "{line}");
    }
}

#[test]
fn a03_a07_two_things_said_of_the_end_of_one_requirement_are_told() {
    let said: Vec<_> = problems()
        .into_iter()
        .filter_map(|problem| match problem {
            CheckProblem::TwoReactions { id, requirement, reactions, .. } => {
                Some((id.to_string(), requirement.to_string(), reactions))
            }
            _ => None,
        })
        .collect();
    let reactions = (Some(Reaction::Keep), Some(Reaction::Stop));
    assert_eq!(
        said,
        [("broken.services:tower".into(), "broken.services:ground".into(), reactions)]
    );
}

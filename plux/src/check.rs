//! Checking the whole registry of the binary, for a test of the application's.
//!
//! Trap: the graph marks what depends on a broken plugin too, and keeps one problem for each. Here
//! every requirement that is not there is told of, and nothing that only follows from it.

use std::ops::Range;
use std::panic::Location;
use std::sync::Arc;

use crate::error::{CheckError, CheckProblem, FindError, GraphError};
use crate::graph::GraphBuilder;
use crate::name::{Name, Namespace, PluginId};
use crate::near::{Looks, near};
use crate::registry;
use crate::spec::{DependencyKind, PluginSpec};

/// Checks all that is registered in the binary, in every namespace, without running any of it.
///
/// ```
/// # fn the_registry_is_sound() -> Result<(), plux::CheckError> {
/// // As the body of a test:
/// plux::RegistryCheck::new().require("aws.services:s3").run()
/// # }
/// # let error = the_registry_is_sound().unwrap_err();
/// # assert!(matches!(error.problems[..], [plux::CheckProblem::Required { .. }]));
/// ```
///
/// It finds ids that are registered twice, cycles, requirements that are not there (those of other
/// namespaces too), two things said of the end of one requirement, required plugins that are not there,
/// and [crates that are linked](crate::link) and register nothing. Names need no check: one that is not valid does not
/// compile.
///
/// What a [finder](crate::PluginFinder) of the application's finds is not in the registry; a plugin
/// that requires such a one is reported.
#[derive(Debug, Clone, Default)]
#[must_use = "a check does nothing until run() is called"]
pub struct RegistryCheck {
    required: Vec<(String, &'static Location<'static>)>,
}

impl RegistryCheck {
    /// A check that requires no plugin.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requires that a plugin of this id, `namespace:name`, is registered.
    #[track_caller]
    pub fn require(mut self, id: impl Into<String>) -> Self {
        self.required.push((id.into(), Location::caller()));
        self
    }

    /// Checks.
    ///
    /// # Errors
    /// [`CheckError`] with every problem found.
    pub fn run(self) -> Result<(), CheckError> {
        let mut specs: Vec<&PluginSpec> = registry::specs().collect();
        let key = |spec: &PluginSpec| (spec.id(), spec.origin().file, spec.origin().line);
        specs.sort_by_cached_key(|spec| key(spec));
        let mut problems = duplicates(&specs);
        problems.extend(graph(&specs));
        problems.extend(specs.iter().flat_map(|spec| two_reactions(spec)));
        problems.extend(self.missing(&specs));
        let silent = registry::silent_crates().into_iter();
        problems.extend(
            silent.map(|linked| CheckProblem::Silent { name: linked.name, origin: linked.origin }),
        );
        if problems.is_empty() { Ok(()) } else { Err(CheckError { problems }) }
    }

    fn missing(self, specs: &[&PluginSpec]) -> Vec<CheckProblem> {
        let mut required = self.required;
        required.sort_by(|(one, _), (other, _)| one.cmp(other));
        required.dedup_by(|(one, _), (other, _)| one == other);
        let problem = |(id, place): (String, _)| {
            let (namespace, name) = id.split_once(':').unwrap_or(("", &id));
            if names(specs, namespace).any(|there| *there == *name) {
                return None;
            }
            let near = near(name, names(specs, namespace));
            Some(CheckProblem::Required { id, near, place })
        };
        required.into_iter().filter_map(problem).collect()
    }
}

/// Where the plugins of one id stand among the sorted specs: one, unless it is registered twice.
fn places(specs: &[&PluginSpec], namespace: &Namespace, name: &Name) -> Range<u32> {
    let before = |spec: &&PluginSpec| (spec.namespace(), spec.name()) < (namespace, name);
    let up_to = |spec: &&PluginSpec| (spec.namespace(), spec.name()) <= (namespace, name);
    specs.partition_point(before) as u32..specs.partition_point(up_to) as u32
}

/// The names of one namespace.
fn names<'a>(specs: &[&'a PluginSpec], namespace: &str) -> impl Iterator<Item = &'a Name> {
    specs.iter().filter(move |spec| *spec.namespace() == *namespace).map(|spec| spec.name())
}

fn duplicates(specs: &[&PluginSpec]) -> Vec<CheckProblem> {
    let twice = specs.windows(2).filter(|pair| pair[0].id() == pair[1].id());
    let problem = |pair: &[&PluginSpec]| {
        let origins = Box::new((pair[0].origin(), pair[1].origin()));
        CheckProblem::Duplicate(FindError::Duplicate { id: pair[0].id(), origins })
    };
    twice.map(problem).collect()
}

fn two_reactions(spec: &PluginSpec) -> impl Iterator<Item = CheckProblem> {
    spec.two_reactions().into_iter().map(|(requirement, reactions)| {
        let (id, origin) = (spec.id(), spec.origin());
        CheckProblem::TwoReactions { id, origin, requirement, reactions }
    })
}

/// What is wrong with the dependencies: of each knot of cycles the shortest through its first member,
/// and every requirement that is not there.
fn graph(specs: &[&PluginSpec]) -> Vec<CheckProblem> {
    let mut builder = GraphBuilder::new(specs.len());
    let (mut looks, mut problems) = (Looks::new(), Vec::new());
    for (spec, from) in specs.iter().zip(0..) {
        for dependency in spec.dependencies() {
            let namespace = dependency.namespace.as_ref().unwrap_or(spec.namespace());
            let on = places(specs, namespace, &dependency.name);
            if on.is_empty() && dependency.kind == DependencyKind::Requires {
                let (namespace, name) = (namespace.clone(), dependency.name.clone());
                let near = looks.near(name.as_str(), names(specs, namespace.as_str()));
                let (id, origin) = (spec.id(), spec.origin());
                let requirement = PluginId { namespace, name };
                problems.push(Arc::new(GraphError::Unknown { id, origin, requirement, near }));
            }
            on.for_each(|to| builder.edge(from, dependency.kind, to));
        }
    }
    let graph = builder.build(|node| (specs[node as usize].id(), specs[node as usize].origin()));
    let mut cycles: Vec<(u32, &Arc<GraphError>)> = graph
        .problems()
        .filter(|(_, problem)| matches!(***problem, GraphError::Cycle { .. }))
        .collect();
    cycles.sort_by_key(|(node, _)| *node);
    // All members of a cycle share its error.
    let mut told: Vec<&Arc<GraphError>> = Vec::new();
    for (_, cycle) in cycles {
        if !told.iter().any(|before| Arc::ptr_eq(before, cycle)) {
            told.push(cycle);
        }
    }
    told.into_iter().cloned().chain(problems).map(CheckProblem::Graph).collect()
}

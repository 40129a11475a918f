//! What managers have of services: found, with what is set for them, and tied to each other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::error::BuildProblem;
use crate::graph::{Graph, GraphBuilder};
use crate::name::PluginId;
use crate::near::Looks;
use crate::options::ServiceOptions;
use crate::spec::{DependencyKind, PluginSpec, SpecRef};

use super::bound::index;
use super::core::{Index, Limits, Reactions};
use super::source::ServiceSource;

/// A service before it has its place.
pub(crate) struct Found {
    pub(crate) spec: SpecRef,
    pub(crate) source: Arc<dyn ServiceSource>,
}

impl Found {
    /// Everything a manager has. Its finder may run: user code.
    pub(crate) fn of(
        source: &Arc<dyn ServiceSource>,
        problems: &mut Vec<BuildProblem>,
    ) -> Vec<Self> {
        match source.specs().and_then(|specs| Ok((specs, source.missing()?))) {
            Ok((specs, missing)) => {
                problems.extend(missing.into_iter().map(BuildProblem::Required));
                let owned = |spec| Self { spec, source: Arc::clone(source) };
                specs.into_iter().map(owned).collect()
            }
            Err(error) => {
                problems.push(error.into());
                Vec::new()
            }
        }
    }
}

/// What the host has set, for the services that are there and for those that come.
pub(crate) struct Settings {
    /// By name.
    pub(crate) services: BTreeMap<String, ServiceOptions>,
    /// For all.
    pub(crate) defaults: ServiceOptions,
    /// The place of each one's group, by name.
    pub(crate) groups: FxHashMap<String, usize>,
    pub(crate) join_timeout: Duration,
    pub(crate) shutdown_timeout: Option<Duration>,
}

impl Settings {
    /// What is set for it by name, or else by its attribute, or else for all.
    pub(crate) fn limits(&self, spec: &PluginSpec) -> Limits {
        let named = self.services.get(spec.name().as_str()).copied().unwrap_or_default();
        Limits::of(named.or(spec.service()).or(self.defaults))
    }
}

/// The same limits, with one copy of those that are alike: they nearly all are.
pub(crate) fn shared(limits: Vec<Limits>) -> impl Iterator<Item = Arc<Limits>> {
    let mut known: FxHashMap<Limits, Arc<Limits>> = FxHashMap::default();
    limits
        .into_iter()
        .map(move |limits| Arc::clone(known.entry(limits).or_insert_with(|| Arc::new(limits))))
}

/// Who depends on whom across all managers, and what their edges say: a bare name means the own
/// namespace. Services stand at their places; a place may be free.
pub(crate) fn tie(specs: &[Option<&SpecRef>]) -> (Graph, Reactions) {
    let there = || {
        let there = specs.iter().enumerate();
        there.filter_map(|(place, spec)| spec.map(|spec| (index(place), spec)))
    };
    let names: FxHashMap<&str, (Index, &SpecRef)> =
        there().map(|(place, spec)| (spec.name().as_str(), (place, spec))).collect();
    let mut graph = GraphBuilder::new(specs.len());
    let mut reactions = Reactions::default();
    let mut looks = Looks::new();
    for (place, spec) in there() {
        for dependency in spec.dependencies() {
            let namespace = dependency.namespace.as_ref().unwrap_or(spec.namespace());
            let on = names.get(dependency.name.as_str());
            match on.filter(|(_, on)| on.namespace() == namespace) {
                Some(&(on, _)) => {
                    graph.edge(place, dependency.kind, on);
                    if dependency.kind == DependencyKind::Requires {
                        reactions
                            .extend(dependency.reaction.map(|reaction| ((place, on), reaction)));
                    }
                }
                None if dependency.kind == DependencyKind::Requires => {
                    let id =
                        PluginId { namespace: namespace.clone(), name: dependency.name.clone() };
                    let near = looks.near(id.name.as_str(), there().map(|(_, spec)| spec.name()));
                    graph.unknown(place, id, near);
                }
                None => {}
            }
        }
    }
    let graph = graph.build(|place| match specs[place as usize] {
        Some(spec) => (spec.id(), spec.origin()),
        None => unreachable!("nobody depends on a place that is free"),
    });
    (graph, reactions)
}

//! The table itself: rows by name and in the order of names, and the graph between them.
//!
//! Trap: a table is dropped with its manager, and with it goes what the plugins acquired: user code,
//! which may panic. Each plugin goes on its own, dependants first, and a panic costs a log line.

use std::sync::Arc;

use dashmap::DashMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::entry::Entry;
use crate::error::{EntryError, FailureCause, FindError, LoadError, LoadFailure, Near};
use crate::extension::ExtensionPoint;
use crate::finder::Found;
use crate::given::let_go;
use crate::graph::{Graph, GraphBuilder};
use crate::name::{Name, Namespace, PluginId};
use crate::near::{Looks, near};
use crate::reason::Phase;
use crate::spec::{DependencyKind, PluginSpec, SpecRef};
use crate::state::PluginState;

/// What a manager knows of the plugins of its namespace.
pub(crate) struct Table<P: ExtensionPoint + ?Sized + 'static> {
    by_name: DashMap<Name, Arc<Entry<P>>, FxBuildHasher>,
    /// In the order of names; an entry's index is its place here and its node in the graph.
    rows: Vec<Arc<Entry<P>>>,
    graph: Graph,
    /// Why some rows can not be used, whatever their code does.
    unusable: FxHashMap<u32, LoadError>,
    /// The entries of the finder that no row stands for.
    unresolved: Vec<EntryError>,
}

impl<P: ExtensionPoint + ?Sized + 'static> Table<P> {
    /// Builds the table from what a finder found for `namespace`.
    pub(crate) fn new(namespace: &Namespace, found: Found) -> Self {
        let Found { mut specs, errors } = found;
        specs.retain(|spec| spec.namespace() == namespace);
        specs.extend(errors.iter().filter_map(|error| stand_in::<P>(namespace, error)));
        // By place as well, so that link order does not decide how two of one name are reported.
        let place = |spec: &SpecRef| (spec.origin().file, spec.origin().line);
        specs.sort_by(|a, b| a.name().cmp(b.name()).then_with(|| place(a).cmp(&place(b))));
        let mut unusable = FxHashMap::default();
        let mut rows: Vec<Arc<Entry<P>>> = Vec::with_capacity(specs.len());
        for spec in specs {
            match rows.last() {
                Some(row) if row.spec().name() == spec.name() => {
                    let origins = Box::new((row.spec().origin(), spec.origin()));
                    let error = FindError::Duplicate { id: spec.id(), origins };
                    unusable.entry(row.index()).or_insert(LoadError::Find(error));
                }
                _ => rows.push(Arc::new(Entry::new(spec, rows.len() as u32))),
            }
        }
        let by_name = DashMap::with_capacity_and_hasher(rows.len(), FxBuildHasher);
        for row in &rows {
            by_name.insert(row.spec().name().clone(), Arc::clone(row));
        }
        let mut unresolved = Vec::new();
        for error in errors {
            match by_name.get(error.entry.as_str()).map(|row| row.index()) {
                Some(row) if !unusable.contains_key(&row) => {
                    unusable.insert(row, LoadError::Find(error.into()));
                }
                _ => unresolved.push(error),
            }
        }
        unresolved.sort_by(|a, b| a.entry.cmp(&b.entry));
        let graph = graph_of(namespace, &rows, &by_name);
        for (node, problem) in graph.problems() {
            unusable.entry(node).or_insert_with(|| LoadError::Graph(Arc::clone(problem)));
        }
        Self { by_name, rows, graph, unusable, unresolved }
    }

    /// The row of that name. It is the one in the list: a clone of the map's would count up and down.
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Entry<P>>> {
        let index = self.by_name.get(name)?.index();
        Some(self.row(index))
    }

    /// All rows in the order of names.
    pub(crate) fn rows(&self) -> &[Arc<Entry<P>>] {
        &self.rows
    }

    /// The indices of all rows.
    pub(crate) fn all(&self) -> Vec<u32> {
        (0..self.rows.len() as u32).collect()
    }

    pub(crate) fn row(&self, index: u32) -> &Arc<Entry<P>> {
        &self.rows[index as usize]
    }

    pub(crate) fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Why the plugin of `entry` can not be used, whatever its code does.
    pub(crate) fn unusable(&self, entry: &Entry<P>) -> Option<&LoadError> {
        self.unusable.get(&entry.index())
    }

    /// The first plugin that can not be used, in the order of names, and why.
    pub(crate) fn first_unusable(&self) -> Option<(&Entry<P>, &LoadError)> {
        let (index, problem) = self.unusable.iter().min_by_key(|(index, _)| **index)?;
        Some((self.row(*index), problem))
    }

    /// The entries of the finder that could not be resolved and that no row stands for.
    pub(crate) fn unresolved(&self) -> &[EntryError] {
        &self.unresolved
    }

    /// Where the plugin of `entry` stands.
    pub(crate) fn state(&self, entry: &Entry<P>) -> PluginState {
        let cause = match self.unusable(entry) {
            // A supervisor has found elsewhere what is missing here.
            _ if entry.value().is_some() => return entry.state(),
            Some(LoadError::Graph(problem)) => FailureCause::Graph(Arc::clone(problem)),
            Some(LoadError::Find(problem)) => FailureCause::Find(problem.clone()),
            _ => return entry.state(),
        };
        let (id, origin) = (entry.spec().id(), entry.spec().origin());
        PluginState::Failed(Arc::new(LoadFailure { id, origin, phase: Phase::Resolve, cause }))
    }

    /// The names most like `name`.
    pub(crate) fn near(&self, name: &str) -> Near {
        near(name, self.rows.iter().map(|row| row.spec().name()))
    }
}

/// What stands in the table for an entry that could not be resolved, when that has a name: so its
/// error is found by the name, and whatever requires it is told of it.
fn stand_in<P: ?Sized + 'static>(namespace: &Namespace, error: &EntryError) -> Option<SpecRef> {
    let name = Name::new(&error.entry).ok()?;
    let (origin, error) = (error.origin, error.clone());
    let spec = PluginSpec::new::<P>(namespace.clone(), name, move || Err(error.clone().into()));
    Some(spec.with_origin(origin).into())
}

/// The graph of the own namespace. A dependency on another namespace is not this table's to judge.
fn graph_of<P: ExtensionPoint + ?Sized + 'static>(
    namespace: &Namespace,
    rows: &[Arc<Entry<P>>],
    by_name: &DashMap<Name, Arc<Entry<P>>, FxBuildHasher>,
) -> Graph {
    let mut builder = GraphBuilder::new(rows.len());
    let mut looks = Looks::new();
    for row in rows {
        for dependency in row.spec().dependencies() {
            if dependency.namespace.as_ref().is_some_and(|other| other != namespace) {
                continue;
            }
            match by_name.get(&dependency.name) {
                Some(to) => builder.edge(row.index(), dependency.kind, to.index()),
                None if dependency.kind == DependencyKind::Requires => {
                    let names = rows.iter().map(|row| row.spec().name());
                    let (namespace, name) = (namespace.clone(), dependency.name.clone());
                    let near = looks.near(name.as_str(), names);
                    builder.unknown(row.index(), PluginId { namespace, name }, near);
                }
                None => {}
            }
        }
    }
    builder.build(|node| {
        let spec = rows[node as usize].spec();
        (spec.id(), spec.origin())
    })
}

impl<P: ExtensionPoint + ?Sized + 'static> Drop for Table<P> {
    fn drop(&mut self) {
        let order = self.graph.order();
        self.by_name.clear();
        let mut rows: Vec<_> = self.rows.drain(..).map(Some).collect();
        let usable =
            order.into_iter().rev().map(|node| rows[node as usize].take()).collect::<Vec<_>>();
        for row in usable.into_iter().chain(rows).flatten() {
            // A row that somebody still has a handle on goes with that handle.
            if let Some(entry) = Arc::into_inner(row) {
                entry.dismantle();
            }
        }
        for error in self.unusable.drain() {
            let_go("an error", error);
        }
        for error in self.unresolved.drain(..) {
            let_go("an error", error);
        }
    }
}

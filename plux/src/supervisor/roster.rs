//! Who is there: services by place and by name, who depends on whom, and their managers.
//!
//! Trap: services come and go, and a place is given to another then. Whoever keeps a place for later
//! keeps with it whom it meant.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::error::Near;
use crate::graph::Graph;
use crate::name::Name;
use crate::near::near;

use super::bound::index;
use super::core::Index;
use super::source::ServiceSource;

/// The services of a supervisor. They go before the managers.
#[derive(Clone)]
pub(crate) struct Roster<T> {
    /// By place; nothing where one was removed.
    children: Vec<Option<T>>,
    by_name: FxHashMap<Name, Index>,
    graph: Arc<Graph>,
    sources: Vec<Arc<dyn ServiceSource>>,
    is_in_name_order: bool,
}

impl<T> Roster<T> {
    pub(crate) fn new(
        children: impl ExactSizeIterator<Item = (Name, T)>,
        graph: Arc<Graph>,
        sources: Vec<Arc<dyn ServiceSource>>,
    ) -> Self {
        let mut by_name = FxHashMap::default();
        by_name.reserve(children.len());
        let (mut is_in_name_order, mut last) = (true, None);
        let placed = children.enumerate().map(|(place, (name, child))| {
            is_in_name_order &= last.as_ref() <= Some(&name);
            last = Some(name.clone());
            by_name.insert(name, index(place));
            Some(child)
        });
        let children = placed.collect();
        Self { children, by_name, graph, sources, is_in_name_order }
    }

    /// The one at that place, if there is one.
    pub(crate) fn get(&self, place: Index) -> Option<&T> {
        self.children.get(place as usize)?.as_ref()
    }

    /// The one of that name, and its place.
    pub(crate) fn find(&self, name: &str) -> Option<(Index, &T)> {
        let place = *self.by_name.get(name)?;
        Some((place, self.get(place)?))
    }

    /// All that are there, by place.
    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        self.children.iter().flatten()
    }

    /// All places, also those where nobody is.
    pub(crate) fn places(&self) -> &[Option<T>] {
        &self.children
    }

    /// Whether the order of the places is that of the names.
    pub(crate) fn is_in_name_order(&self) -> bool {
        self.is_in_name_order
    }

    pub(crate) fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    /// The managers, in the order in which they are let go of.
    pub(crate) fn sources(&self) -> &[Arc<dyn ServiceSource>] {
        &self.sources
    }

    /// The names most like `name`.
    pub(crate) fn near(&self, name: &str) -> Near {
        near(name, self.by_name.keys())
    }

    /// Takes in services, at places where nobody is, with their manager.
    pub(crate) fn add(
        &mut self,
        children: impl IntoIterator<Item = (Index, Name, T)>,
        graph: Arc<Graph>,
        source: Arc<dyn ServiceSource>,
    ) {
        self.children.resize_with(self.children.len().max(graph.len()), || None);
        for (place, name, child) in children {
            self.by_name.insert(name, place);
            self.children[place as usize] = Some(child);
        }
        self.is_in_name_order = false;
        self.graph = graph;
        self.sources.push(source);
    }

    /// Lets a service go.
    pub(crate) fn remove(&mut self, place: Index, name: &Name, graph: Arc<Graph>) -> Option<T> {
        self.by_name.remove(name);
        self.graph = graph;
        self.children.get_mut(place as usize)?.take()
    }

    /// Lets a manager go.
    pub(crate) fn remove_source(
        &mut self,
        is_it: impl Fn(&Arc<dyn ServiceSource>) -> bool,
    ) -> Option<Arc<dyn ServiceSource>> {
        let place = self.sources.iter().position(is_it)?;
        Some(self.sources.remove(place))
    }
}

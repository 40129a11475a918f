//! The dependency graph: who depends on whom, in which order, and who can not be used.
//!
//! Pure and linear: nodes are numbers, and a name is asked for only to say what is wrong. A graph
//! without edges allocates nothing.
//!
//! Trap: nothing here may recurse, not even the errors. A chain of 100,000 plugins would exhaust
//! the stack, so what depends on a broken node carries the root of the trouble, not its neighbour's
//! error.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::cycle::{cycle_through, knots};
use super::edges::{Adjacency, Edge};
use crate::error::{GraphError, Near};
use crate::name::PluginId;
use crate::origin::Origin;
use crate::spec::DependencyKind;

/// Collects the dependencies of a fixed number of nodes.
pub(crate) struct GraphBuilder {
    nodes: usize,
    /// From, to, kind.
    edges: Vec<(u32, u32, DependencyKind)>,
    unknown: Vec<(u32, PluginId, Near)>,
}

impl GraphBuilder {
    pub(crate) fn new(nodes: usize) -> Self {
        Self { nodes, edges: Vec::new(), unknown: Vec::new() }
    }

    /// `from` depends on `to`.
    pub(crate) fn edge(&mut self, from: u32, kind: DependencyKind, to: u32) {
        self.edges.push((from, to, kind));
    }

    /// `from` requires what is not there.
    pub(crate) fn unknown(&mut self, from: u32, requirement: PluginId, near: Near) {
        self.unknown.push((from, requirement, near));
    }

    /// Builds the graph; `describe` is called for the nodes that are named in errors.
    pub(crate) fn build(mut self, describe: impl Fn(u32) -> (PluginId, Origin)) -> Graph {
        // Of two edges between the same nodes the stronger kind stays; it sorts first.
        self.edges.sort_unstable();
        self.edges.dedup_by_key(|(from, to, _)| (*from, *to));
        let mut graph = Graph::of(self.nodes, &self.edges, FxHashMap::default());
        let mut broken = graph.mark_cycles(&describe);
        for (node, requirement, near) in self.unknown {
            graph.problems.entry(node).or_insert_with(|| {
                broken.push(node);
                let (id, origin) = describe(node);
                Arc::new(GraphError::Unknown { id, origin, requirement, near })
            });
        }
        graph.mark_dependents(broken, &describe);
        graph
    }
}

/// Who depends on whom. Nodes are numbered from 0.
pub(crate) struct Graph {
    nodes: usize,
    dependencies: Adjacency,
    dependents: Adjacency,
    problems: FxHashMap<u32, Arc<GraphError>>,
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries((0..self.nodes as u32).map(|node| self.dependencies(node))).finish()
    }
}

impl Graph {
    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes
    }

    /// Whether no node depends on another.
    pub(crate) fn has_no_edges(&self) -> bool {
        self.dependencies.is_empty()
    }

    /// On whom `node` depends.
    #[inline]
    pub(crate) fn dependencies(&self, node: u32) -> &[Edge] {
        self.dependencies.of(node)
    }

    /// Who depends on `node`.
    pub(crate) fn dependents(&self, node: u32) -> &[Edge] {
        self.dependents.of(node)
    }

    /// Why `node` can not be used: it is on a cycle (of any kinds), it requires what is not there,
    /// or it requires, directly or through others, such a node.
    pub(crate) fn problem(&self, node: u32) -> Option<&Arc<GraphError>> {
        self.problems.get(&node)
    }

    /// All nodes that can not be used, in no order.
    pub(crate) fn problems(&self) -> impl Iterator<Item = (u32, &Arc<GraphError>)> {
        self.problems.iter().map(|(node, problem)| (*node, problem))
    }

    /// The dependencies of `node` that take part in its order: those that can be used.
    pub(crate) fn usable(&self, node: u32) -> impl Iterator<Item = Edge> + '_ {
        self.dependencies(node).iter().copied().filter(|(to, _)| self.problem(*to).is_none())
    }

    /// The usable nodes, dependencies before those that depend on them.
    pub(crate) fn order(&self) -> Vec<u32> {
        let nodes = 0..self.nodes as u32;
        if self.has_no_edges() {
            return nodes.filter(|node| self.problem(*node).is_none()).collect();
        }
        let mut missing: Vec<u32> =
            nodes.clone().map(|node| self.usable(node).count() as u32).collect();
        let mut order: Vec<u32> = nodes
            .filter(|node| missing[*node as usize] == 0 && self.problem(*node).is_none())
            .collect();
        let mut next = 0;
        while let Some(&node) = order.get(next) {
            next += 1;
            for &(dependent, _) in self.dependents(node) {
                missing[dependent as usize] -= 1;
                if missing[dependent as usize] == 0 && self.problem(dependent).is_none() {
                    order.push(dependent);
                }
            }
        }
        order
    }

    /// `node` and all that loading or starting it pulls in: what it requires and wants, through any
    /// number of steps, as far as it can be used.
    pub(crate) fn closure(&self, node: u32) -> Vec<u32> {
        self.reach(node, |_, kind| kind != DependencyKind::After)
    }

    /// `node` and what it depends on by edges that are followed, through any number of steps, as far
    /// as it can be used. Linear in what is reached.
    pub(crate) fn reach(
        &self,
        node: u32,
        follows: impl Fn(u32, DependencyKind) -> bool,
    ) -> Vec<u32> {
        let (start, mut next) = (node, 0);
        let mut reached = vec![start];
        let mut seen = FxHashSet::default();
        while let Some(&node) = reached.get(next) {
            next += 1;
            for (to, kind) in self.usable(node) {
                if to != start && follows(to, kind) && seen.insert(to) {
                    reached.push(to);
                }
            }
        }
        reached
    }

    /// The same graph without the dependencies of `node`, on which nothing but itself depends.
    pub(crate) fn without(&self, node: u32) -> Self {
        let others = (0..self.nodes as u32).filter(|from| *from != node);
        let of = |from| self.dependencies(from).iter().map(move |&(to, kind)| (from, to, kind));
        let edges: Vec<_> = others.flat_map(of).collect();
        let mut problems = self.problems.clone();
        problems.remove(&node);
        Self::of(self.nodes, &edges, problems)
    }

    fn of(
        nodes: usize,
        edges: &[(u32, u32, DependencyKind)],
        problems: FxHashMap<u32, Arc<GraphError>>,
    ) -> Self {
        let reversed = edges.iter().map(|&(from, to, kind)| (to, from, kind));
        Self {
            nodes,
            dependencies: Adjacency::new(nodes, edges.iter().copied()),
            dependents: Adjacency::new(nodes, reversed),
            problems,
        }
    }

    /// Marks the members of every cycle and returns them.
    fn mark_cycles(&mut self, describe: &impl Fn(u32) -> (PluginId, Origin)) -> Vec<u32> {
        // Nothing is marked yet, so an order that holds every node is the proof of no cycle.
        if self.has_no_edges() || self.order().len() == self.nodes {
            return Vec::new();
        }
        let mut members = Vec::new();
        for knot in knots(&self.dependencies, self.nodes) {
            self.mark_knot(&knot, describe);
            members.extend(knot);
        }
        members
    }

    /// Marks the members of `knot`, which all reach each other. Those on the shortest cycle through
    /// its first member share the error that spells it; the others point there.
    fn mark_knot(&mut self, knot: &[u32], describe: &impl Fn(u32) -> (PluginId, Origin)) {
        let inside: FxHashSet<u32> = knot.iter().copied().collect();
        let path = cycle_through(&self.dependencies, knot[0], &inside);
        let cycle =
            Arc::new(GraphError::Cycle { path: path.iter().map(|node| describe(*node)).collect() });
        let mut marked: VecDeque<u32> = path.into();
        for node in &marked {
            self.problems.insert(*node, Arc::clone(&cycle));
        }
        while let Some(node) = marked.pop_front() {
            for &(dependent, _) in self.dependents.of(node) {
                if inside.contains(&dependent) && !self.problems.contains_key(&dependent) {
                    let problem = depends(describe(dependent).0, describe(node).0, &cycle);
                    self.problems.insert(dependent, problem);
                    marked.push_back(dependent);
                }
            }
        }
    }

    /// Marks who requires one of `broken`, through any number of steps.
    fn mark_dependents(
        &mut self,
        mut broken: Vec<u32>,
        describe: &impl Fn(u32) -> (PluginId, Origin),
    ) {
        while let Some(node) = broken.pop() {
            let root = match self.problems.get(&node).map(Arc::as_ref) {
                Some(GraphError::Dependency { source, .. }) => Arc::clone(source),
                Some(_) => Arc::clone(&self.problems[&node]),
                None => continue,
            };
            for &(dependent, kind) in self.dependents.of(node) {
                if kind == DependencyKind::Requires && !self.problems.contains_key(&dependent) {
                    let problem = depends(describe(dependent).0, describe(node).0, &root);
                    self.problems.insert(dependent, problem);
                    broken.push(dependent);
                }
            }
        }
    }
}

fn depends(id: PluginId, on: PluginId, root: &Arc<GraphError>) -> Arc<GraphError> {
    Arc::new(GraphError::Dependency { id, on, source: Arc::clone(root) })
}

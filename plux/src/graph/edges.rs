//! The edges of a graph, packed.

use crate::spec::DependencyKind;

/// The other end of a dependency, and its kind.
pub(crate) type Edge = (u32, DependencyKind);

/// The edges of every node in one piece of memory; none at all without edges.
pub(super) struct Adjacency {
    /// Where the edges of a node begin; one more than there are nodes.
    starts: Box<[u32]>,
    edges: Box<[Edge]>,
}

impl Adjacency {
    /// Takes edges as (from, to, kind).
    pub(super) fn new(
        nodes: usize,
        edges: impl ExactSizeIterator<Item = (u32, u32, DependencyKind)> + Clone,
    ) -> Self {
        if edges.len() == 0 {
            return Self { starts: Box::default(), edges: Box::default() };
        }
        let mut starts = vec![0_u32; nodes + 1];
        for (from, ..) in edges.clone() {
            starts[from as usize + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut free = starts.clone();
        let mut placed = vec![(0, DependencyKind::After); edges.len()];
        for (from, to, kind) in edges {
            let place = &mut free[from as usize];
            placed[*place as usize] = (to, kind);
            *place += 1;
        }
        Self { starts: starts.into(), edges: placed.into() }
    }

    /// The edges of `node`.
    #[inline]
    pub(super) fn of(&self, node: u32) -> &[Edge] {
        if self.starts.is_empty() {
            return &[];
        }
        let node = node as usize;
        &self.edges[self.starts[node] as usize..self.starts[node + 1] as usize]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }
}

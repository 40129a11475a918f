//! Who takes part in a batch, and how many of the others each waits for.

use std::sync::atomic::AtomicU32;

use rustc_hash::FxHashMap;

use crate::extension::ExtensionPoint;
use crate::table::Table;

/// Stands for the count of a member that was ready from the start; such a one is never counted down.
pub(super) const READY: u32 = u32::MAX;

/// Which plugins take part. A member's position is its place among them.
pub(super) enum Members {
    /// All of the table; position and node are the same.
    All,
    /// Some of it.
    Some { nodes: Vec<u32>, positions: FxHashMap<u32, u32> },
}

impl Members {
    pub(super) fn of(nodes: Vec<u32>) -> Self {
        let positions = nodes.iter().zip(0..).map(|(node, position)| (*node, position)).collect();
        Self::Some { nodes, positions }
    }

    pub(super) fn len<P: ExtensionPoint + ?Sized + 'static>(&self, table: &Table<P>) -> usize {
        match self {
            Self::All => table.rows().len(),
            Self::Some { nodes, .. } => nodes.len(),
        }
    }

    pub(super) fn node(&self, position: u32) -> u32 {
        match self {
            Self::All => position,
            Self::Some { nodes, .. } => nodes[position as usize],
        }
    }

    pub(super) fn position(&self, node: u32) -> Option<u32> {
        match self {
            Self::All => Some(node),
            Self::Some { positions, .. } => positions.get(&node).copied(),
        }
    }

    /// For each position how many members it waits for; nothing at all without edges. What can not
    /// be used is waited for by nobody, and waits for nobody; nor does what has loaded, which would
    /// hold up who waits for it. What is disabled takes its turn: it may be reconsidered before that.
    pub(super) fn missing<P: ExtensionPoint + ?Sized + 'static>(
        &self,
        table: &Table<P>,
    ) -> Box<[AtomicU32]> {
        let graph = table.graph();
        if graph.has_no_edges() {
            return Box::default();
        }
        let count = |position: u32| {
            let node = self.node(position);
            let waits = match graph.problem(node) {
                Some(_) => 0,
                None if table.row(node).value().is_some() => 0,
                None => graph.usable(node).filter(|(to, _)| self.position(*to).is_some()).count(),
            };
            AtomicU32::new(if waits == 0 { READY } else { waits as u32 })
        };
        (0..self.len(table) as u32).map(count).collect()
    }
}

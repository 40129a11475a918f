//! The graph against the plainest way to say the same: reachability by a matrix.

#![expect(clippy::needless_range_loop, reason = "nodes are numbers, and index two tables")]

use super::{Graph, GraphBuilder};
use crate::error::{GraphError, Near};
use crate::name::{Name, Namespace, PluginId};
use crate::origin::Origin;
use crate::spec::DependencyKind::{self, After, Requires, Wants};

fn id(node: u32) -> PluginId {
    let name = Name::new(&format!("n{node}")).unwrap();
    PluginId { namespace: Namespace::literal("test"), name }
}

fn build(nodes: usize, edges: &[(u32, DependencyKind, u32)], unknown: &[u32]) -> Graph {
    let mut builder = GraphBuilder::new(nodes);
    for &(from, kind, to) in edges {
        builder.edge(from, kind, to);
    }
    for &node in unknown {
        builder.unknown(node, id(99), Near::default());
    }
    builder.build(|node| (id(node), Origin::new("p", "1", "m", "f.rs", node + 1)))
}

/// A small generator, so that a failing case can be had again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u32) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(end)) as u32
    }
}

/// `reach[a][b]`: some way of edges that `follow` leads from a to b.
fn reach(
    nodes: usize,
    edges: &[(u32, DependencyKind, u32)],
    follow: impl Fn(DependencyKind) -> bool,
) -> Vec<Vec<bool>> {
    let mut reach = vec![vec![false; nodes]; nodes];
    for &(from, kind, to) in edges {
        reach[from as usize][to as usize] |= follow(kind);
    }
    for via in 0..nodes {
        for from in 0..nodes {
            for to in 0..nodes {
                reach[from][to] |= reach[from][via] && reach[via][to];
            }
        }
    }
    reach
}

#[test]
fn p21_random_graphs_agree_with_plain_reachability() {
    let mut numbers = Numbers(7);
    for round in 0..2_000 {
        let nodes = 1 + numbers.below(8) as usize;
        let edges: Vec<_> = (0..numbers.below(14))
            .map(|_| {
                let kind = [Requires, Wants, After][numbers.below(3) as usize];
                (numbers.below(nodes as u32), kind, numbers.below(nodes as u32))
            })
            .collect();
        let unknown: Vec<u32> = (0..nodes as u32).filter(|_| numbers.below(10) == 0).collect();
        let graph = build(nodes, &edges, &unknown);

        let any = reach(nodes, &edges, |_| true);
        let hard = reach(nodes, &edges, |kind| kind == Requires);
        let rotten = |node: usize| any[node][node] || unknown.contains(&(node as u32));
        for node in 0..nodes {
            let broken = rotten(node) || (0..nodes).any(|to| hard[node][to] && rotten(to));
            let problem = graph.problem(node as u32);
            assert_eq!(problem.is_some(), broken, "round {round}, node {node} of {edges:?}");
            if let Some(GraphError::Cycle { path }) = problem.map(AsRef::as_ref) {
                assert!(path.contains(&(
                    id(node as u32),
                    Origin::new("p", "1", "m", "f.rs", node as u32 + 1)
                )));
                for (at, (from, _)) in path.iter().enumerate() {
                    let to = &path[(at + 1) % path.len()].0;
                    assert!(edges.iter().any(|(a, _, b)| id(*a) == *from && id(*b) == *to));
                }
            }
        }

        let order = graph.order();
        let place = |node: u32| order.iter().position(|at| *at == node);
        for node in 0..nodes as u32 {
            assert_eq!(place(node).is_some(), graph.problem(node).is_none());
        }
        for &(from, _, to) in &edges {
            if let (Some(from), Some(to)) = (place(from), place(to)) {
                assert!(to < from, "round {round}: {order:?} of {edges:?}");
            }
        }
    }
}

#[test]
fn p21_a_long_chain_and_a_long_cycle_need_no_deep_stack() {
    const LONG: u32 = 100_000;
    let chain: Vec<_> = (1..LONG).map(|node| (node, Requires, node - 1)).collect();
    let graph = build(LONG as usize, &chain, &[]);
    assert_eq!(graph.order().len(), LONG as usize);
    assert_eq!(graph.closure(LONG - 1).len(), LONG as usize);
    assert_eq!(graph.closure(0), [0]);

    let broken = build(LONG as usize, &chain, &[0]);
    assert!(broken.problem(LONG - 1).unwrap().to_string().contains("test:n99"));
    assert!(broken.order().is_empty());

    let ring: Vec<_> = chain.into_iter().chain([(0, After, LONG - 1)]).collect();
    let graph = build(LONG as usize, &ring, &[]);
    match graph.problem(5).unwrap().as_ref() {
        GraphError::Cycle { path } => assert_eq!(path.len(), LONG as usize),
        other => panic!("{other}"),
    }
}

#[test]
fn of_two_edges_between_the_same_nodes_the_stronger_kind_stays() {
    let graph = build(2, &[(1, After, 0), (1, Requires, 0), (1, Wants, 0)], &[]);
    assert_eq!(graph.dependencies(1), [(0, Requires)]);
    assert_eq!(graph.dependents(0), [(1, Requires)]);
}

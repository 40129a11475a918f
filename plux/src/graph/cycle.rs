//! Finding cycles, in linear time and without recursion.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::edges::Adjacency;

/// The shortest cycle through `start`, along dependencies and within `inside`.
pub(super) fn cycle_through(edges: &Adjacency, start: u32, inside: &FxHashSet<u32>) -> Vec<u32> {
    let mut came_from: FxHashMap<u32, u32> = FxHashMap::default();
    let mut open = VecDeque::from([start]);
    while let Some(node) = open.pop_front() {
        for &(to, _) in edges.of(node) {
            if to == start {
                let mut path = vec![node];
                while let Some(before) = came_from.get(&path[path.len() - 1]) {
                    path.push(*before);
                }
                path.reverse();
                return path;
            }
            if inside.contains(&to) && !came_from.contains_key(&to) {
                came_from.insert(to, node);
                open.push_back(to);
            }
        }
    }
    vec![start]
}

/// The groups of nodes that all reach each other (Tarjan's strongly connected components, those
/// with a cycle), each sorted, with a stack of its own instead of recursion.
pub(super) fn knots(edges: &Adjacency, nodes: usize) -> Vec<Vec<u32>> {
    const UNSEEN: u32 = u32::MAX;
    let mut number = vec![UNSEEN; nodes];
    let mut lowest = vec![UNSEEN; nodes];
    let mut on_path = vec![false; nodes];
    let mut path: Vec<u32> = Vec::new();
    let mut count = 0;
    let mut knots = Vec::new();
    for root in 0..nodes as u32 {
        if number[root as usize] != UNSEEN {
            continue;
        }
        // Each frame is a node and how many of its dependencies have been followed.
        let mut frames = vec![(root, 0_usize)];
        while let Some((node, followed)) = frames.last_mut() {
            let (node, at) = (*node, *node as usize);
            if *followed == 0 {
                number[at] = count;
                lowest[at] = count;
                count += 1;
                path.push(node);
                on_path[at] = true;
            }
            if let Some(&(to, _)) = edges.of(node).get(*followed) {
                *followed += 1;
                if number[to as usize] == UNSEEN {
                    frames.push((to, 0));
                } else if on_path[to as usize] {
                    lowest[at] = lowest[at].min(number[to as usize]);
                }
                continue;
            }
            frames.pop();
            if let Some((parent, _)) = frames.last() {
                let parent = *parent as usize;
                lowest[parent] = lowest[parent].min(lowest[at]);
            }
            if lowest[at] == number[at] {
                let from = path.iter().rposition(|member| *member == node).unwrap_or(0);
                let mut knot = path.split_off(from);
                for member in &knot {
                    on_path[*member as usize] = false;
                }
                if knot.len() > 1 || edges.of(node).iter().any(|(to, _)| *to == node) {
                    knot.sort_unstable();
                    knots.push(knot);
                }
            }
        }
    }
    knots
}

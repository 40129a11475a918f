//! How long a shutdown can take at most. Pure.

use std::time::Duration;

use crate::graph::Graph;
use crate::options::GracePeriod;

use super::core::Index;

/// The longest chain of grace periods and join timeouts, dependents first; `None` when a service may
/// take for ever and nothing bounds the whole. Where there is no grace period, nobody is.
pub(crate) fn shutdown_bound(
    graph: &Graph,
    grace_period: impl Fn(Index) -> Option<GracePeriod>,
    join: Duration,
    whole: Option<Duration>,
) -> Option<Duration> {
    let mut ends: Vec<Option<Duration>> = vec![Some(Duration::ZERO); graph.len()];
    let mut longest = Some(Duration::ZERO);
    for index in graph.order().iter().rev().copied() {
        let dependents = graph.dependents(index).iter();
        let before = dependents
            .map(|&(dependent, _)| ends[dependent as usize])
            .fold(Some(Duration::ZERO), later);
        let own = match grace_period(index) {
            Some(GracePeriod::Bounded(grace)) => Some(grace.saturating_add(join)),
            Some(GracePeriod::Unlimited) => None,
            None => Some(Duration::ZERO),
        };
        let end = before.zip(own).map(|(before, own)| before.saturating_add(own));
        ends[index as usize] = end;
        longest = later(longest, end);
    }
    let whole = whole.map(|whole| whole.saturating_add(join));
    let bound = match (longest, whole) {
        (Some(longest), Some(whole)) => Some(longest.min(whole)),
        (one, other) => one.or(other),
    };
    bound.map(|bound| bound.saturating_add(closing_bound(join)))
}

/// The same for a shutdown that aborts everything.
pub(crate) fn abort_bound(join: Duration) -> Duration {
    join.saturating_add(closing_bound(join))
}

/// When the last service is over, what still loads is given a join timeout, and so are the listeners.
fn closing_bound(join: Duration) -> Duration {
    join.saturating_mul(2)
}

fn later(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    one.zip(other).map(|(one, other)| one.max(other))
}

/// An index as the core has it.
pub(crate) fn index(place: usize) -> Index {
    Index::try_from(place).unwrap_or(Index::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::GraphBuilder;
    use crate::spec::DependencyKind::{After, Requires};

    const SECOND: Duration = Duration::from_secs(1);

    /// Three in a row and one beside them, with these grace periods; a join timeout of a second.
    fn bound(grace: [Option<u32>; 4], whole: Option<u32>) -> Option<Duration> {
        let mut graph = GraphBuilder::new(4);
        graph.edge(1, Requires, 0);
        graph.edge(2, After, 1);
        let graph = graph.build(|_| unreachable!("no edge is wrong"));
        let grace = |place: Index| {
            let grace = grace[place as usize];
            Some(grace.map_or(GracePeriod::Unlimited, |grace| GracePeriod::Bounded(grace * SECOND)))
        };
        shutdown_bound(&graph, grace, SECOND, whole.map(|whole| whole * SECOND))
    }

    #[test]
    fn x08_the_last_deadline_is_that_of_the_longest_chain() {
        // Each has its grace period and a join timeout; loads and listeners have one more each.
        assert_eq!(bound([Some(1), Some(2), Some(3), Some(4)], None), Some(11 * SECOND));
        assert_eq!(bound([Some(0), Some(0), Some(0), Some(20)], None), Some(23 * SECOND));
    }

    #[test]
    fn x08_what_nothing_else_bounds_is_bounded_by_the_whole() {
        let unlimited = [Some(1), None, Some(3), Some(4)];
        assert_eq!(bound(unlimited, None), None);
        assert_eq!(bound(unlimited, Some(30)), Some(33 * SECOND));
        assert_eq!(bound([Some(1), Some(2), Some(3), Some(4)], Some(5)), Some(8 * SECOND));
        assert_eq!(bound([Some(1), Some(2), Some(3), Some(4)], Some(99)), Some(11 * SECOND));
        assert_eq!(abort_bound(SECOND), 3 * SECOND);
    }
}

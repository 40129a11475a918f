//! How long a shutdown can take at most. Pure.

use std::time::Duration;

use crate::graph::Graph;
use crate::spec::GracePeriod;

use super::core::{Index, Limits};

/// The longest chain of grace periods and join timeouts, dependents first; `None` when a service may
/// take for ever and nothing bounds the whole.
pub(crate) fn shutdown_bound(
    graph: &Graph,
    limits: &[Limits],
    join: Duration,
    whole: Option<Duration>,
) -> Option<Duration> {
    let mut ends: Vec<Option<Duration>> = vec![Some(Duration::ZERO); limits.len()];
    let mut longest = Some(Duration::ZERO);
    for index in graph.order().iter().rev().copied() {
        let dependents = graph.dependents(index).iter();
        let before = dependents
            .map(|&(dependent, _)| ends[dependent as usize])
            .fold(Some(Duration::ZERO), later);
        let own = match limits[index as usize].grace_period {
            GracePeriod::Bounded(grace) => Some(grace.saturating_add(join)),
            GracePeriod::Unlimited => None,
        };
        let end = before.zip(own).map(|(before, own)| before.saturating_add(own));
        ends[index as usize] = end;
        longest = later(longest, end);
    }
    let whole = whole.map(|whole| whole.saturating_add(join));
    // What still loads is given one more join timeout.
    let bound = match (longest, whole) {
        (Some(longest), Some(whole)) => Some(longest.min(whole)),
        (one, other) => one.or(other),
    };
    bound.map(|bound| bound.saturating_add(join))
}

fn later(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    one.zip(other).map(|(one, other)| one.max(other))
}

/// An index as the core has it.
pub(crate) fn index(place: usize) -> Index {
    Index::try_from(place).unwrap_or(Index::MAX)
}

//! Plugins that are pending once: side by side, and in a chain. A timing: it fails nothing.

use std::sync::OnceLock;

use futures::FutureExt;
use plux::BoxError;
use plux_benches::{Goal, Group, Row, Specs, Yielding, compare, custom, manager, work};
use tokio::task::yield_now;

const JOIN_SET: Row = Row::new("`JoinSet`, tasks that yield once", |size| {
    work::join_set(size, |_| yield_now()).boxed()
});

const GROUPS: &[Group] = &[
    Group {
        sizes: &[10, 100, 1_000, 10_000, 100_000],
        rows: &[
            JOIN_SET,
            Row::new("`load_all`, each yields once", |size| {
                work::load_all(size, manager(side_by_side(size))).boxed()
            })
            .with_goal(|_| Goal::Ratio(1.25)),
        ],
        rounds: |size| (1_000_000 / size).clamp(21, 2_001),
    },
    Group {
        sizes: &[100, 1_000, 10_000],
        rows: &[
            JOIN_SET,
            Row::new("`load_all` of a chain, each yields once", |size| {
                work::load_all(size, manager(chain(size))).boxed()
            })
            .with_goal(|size| if size == 10_000 { Goal::Ratio(0.6) } else { Goal::None }),
        ],
        rounds: |size| (1_000_000 / size).clamp(101, 2_001),
    },
];

fn main() -> Result<(), BoxError> {
    compare("pending", "plugins", "G2", GROUPS)
}

fn side_by_side(count: usize) -> Specs {
    static SPECS: OnceLock<Specs> = OnceLock::new();
    &SPECS.get_or_init(|| custom(100_000, |_| Yielding, |_| Vec::new()))[..count]
}

/// Each requires the one before.
fn chain(count: usize) -> Specs {
    static SPECS: OnceLock<Specs> = OnceLock::new();
    let before = |place: usize| place.checked_sub(1).into_iter().collect();
    &SPECS.get_or_init(|| custom(10_000, |_| Yielding, before))[..count]
}

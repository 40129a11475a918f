//! Plugins that compute for about a tenth of a millisecond each, on a runtime with two workers. A
//! timing: it fails nothing.

use std::sync::OnceLock;

use futures::FutureExt;
use plux::BoxError;
use plux_benches::{Computing, Goal, Group, Row, Specs, compare, custom, manager, work};
use tokio::time::Instant;

const GROUPS: &[Group] = &[Group {
    sizes: &[10, 100, 1_000],
    rows: &[
        Row::new("one after another, on one thread", |size| {
            async move {
                let start = Instant::now();
                (0..size).for_each(|_| work::compute());
                Ok(start.elapsed())
            }
            .boxed()
        }),
        Row::new("`load_all`", |size| work::load_all(size, manager(specs(size))).boxed())
            .with_goal(|_| Goal::Ratio(0.55)),
        Row::new("`JoinSet`", |size| work::join_set(size, |_| async { work::compute() }).boxed()),
    ],
    rounds: |size| (10_000 / size).clamp(21, 201),
}];

fn main() -> Result<(), BoxError> {
    compare("computing", "plugins", "G7", GROUPS)
}

fn specs(count: usize) -> Specs {
    static SPECS: OnceLock<Specs> = OnceLock::new();
    &SPECS.get_or_init(|| custom(1_000, |_| Computing, |_| Vec::new()))[..count]
}

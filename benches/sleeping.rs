//! Plugins that each take ten milliseconds and no thread. A timing: it fails nothing.

use std::sync::OnceLock;
use std::time::Duration;

use futures::FutureExt;
use plux::BoxError;
use plux_benches::{Goal, Group, Row, Sleeping, Specs, compare, custom, manager, work};
use tokio::time::{Instant, sleep};

const TIME: Duration = Duration::from_millis(10);

const ONE: Row = Row::new("one sleep", |_| {
    async {
        let start = Instant::now();
        sleep(TIME).await;
        Ok(start.elapsed())
    }
    .boxed()
});

const JOIN_SET: Row =
    Row::new("`JoinSet`, tasks that sleep", |size| work::join_set(size, |_| sleep(TIME)).boxed());

const LOAD_ALL: Row =
    Row::new("`load_all`, each sleeps", |size| work::load_all(size, manager(specs(size))).boxed())
        .with_goal(goal);

const GROUPS: &[Group] = &[
    Group { sizes: &[100, 1_000], rows: &[ONE, LOAD_ALL, JOIN_SET], rounds: |_| 101 },
    Group { sizes: &[10_000, 100_000], rows: &[JOIN_SET, LOAD_ALL, ONE], rounds: |_| 21 },
];

fn main() -> Result<(), BoxError> {
    compare("sleeping", "plugins", "G6", GROUPS)
}

fn goal(size: usize) -> Goal {
    Goal::Ratio(match size {
        100 => 1.05,
        1_000 => 1.2,
        10_000 => 1.25,
        _ => 1.5,
    })
}

fn specs(count: usize) -> Specs {
    static SPECS: OnceLock<Specs> = OnceLock::new();
    &SPECS.get_or_init(|| custom(100_000, |_| Sleeping(TIME), |_| Vec::new()))[..count]
}

//! One start and one stop by name, both awaited, of one among many. A timing: it fails nothing.

use futures::FutureExt;
use plux::BoxError;
use plux_benches::{Goal, Group, RawOne, Row, Supervised, by_name, compare_one};

const GROUPS: &[Group] = &[Group {
    sizes: &[1, 1_000, 10_000],
    rows: &[
        Row::new("`tokio::spawn`, a `Notify`, a wait for the task", |size| {
            by_name::<RawOne>(size).boxed()
        }),
        Row::new("`start` and `stop`", |size| by_name::<Supervised>(size).boxed())
            .with_goal(|_| Goal::Ratio(1.5)),
    ],
    rounds: |_| 51,
}];

fn main() -> Result<(), BoxError> {
    compare_one("service_by_name", "services", "one start and stop", "G11", GROUPS)
}

//! The stop of many services at once, until the last one has ended. A timing: it fails nothing.

use futures::FutureExt;
use plux::BoxError;
use plux_benches::{Goal, Group, Raw, Row, Supervised, compare, stop};

const GROUPS: &[Group] = &[Group {
    sizes: &[1, 100, 1_000, 10_000],
    rows: &[
        Row::new("`Notify` and a wait for the task", |size| stop::<Raw>(size).boxed()),
        Row::new("`shutdown`", |size| stop::<Supervised>(size).boxed())
            .with_goal(|size| if size < 100 { Goal::None } else { Goal::Ratio(1.0) }),
    ],
    rounds: |size| (100_000 / size).clamp(21, 201),
}];

fn main() -> Result<(), BoxError> {
    compare("service_stop", "services", "G10", GROUPS)
}

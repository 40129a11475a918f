//! The start of many services at once, until the last one runs. A timing: it fails nothing.

use futures::FutureExt;
use plux::BoxError;
use plux_benches::{Goal, Group, Loaded, Raw, Row, Supervised, compare, start};

const GROUPS: &[Group] = &[Group {
    sizes: &[1, 100, 1_000, 10_000],
    rows: &[
        Row::new("`tokio::spawn` and a `Notify`", |size| start::<Raw>(size).boxed()),
        Row::new("`start_all`", |size| start::<Supervised>(size).boxed())
            .with_goal(|size| if size < 100 { Goal::None } else { Goal::Ratio(2.0) }),
        Row::new("`start_all`, loaded before", |size| start::<Loaded>(size).boxed()),
    ],
    rounds: |size| (100_000 / size).clamp(21, 201),
}];

fn main() -> Result<(), BoxError> {
    compare("service_start", "services", "G9", GROUPS)
}

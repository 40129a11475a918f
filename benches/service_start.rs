//! The start of many services at once, until the last one runs. A timing: it fails nothing.

use futures::FutureExt;
use plux::BoxError;
#[cfg(feature = "peers")]
use plux_benches::peers::{self, Ractor, TaskSupervisor, Taskvisor, TokioGracefulShutdown};
use plux_benches::{Goal, Group, Loaded, Raw, Row, Supervised, compare, start};

const GROUPS: &[Group] = &[Group {
    sizes: &[1, 100, 1_000, 10_000],
    rows: &[
        Row::new("`tokio::spawn` and a `Notify`", |size| start::<Raw>(size).boxed()),
        Row::new("`start_all`", |size| start::<Supervised>(size).boxed())
            .with_goal(|size| if size < 100 { Goal::None } else { Goal::Ratio(2.0) }),
        Row::new("`start_all`, loaded before", |size| start::<Loaded>(size).boxed()),
        #[cfg(feature = "peers")]
        Row::new("task-supervisor", |size| start::<TaskSupervisor>(size).boxed())
            .with_goal(|_| Goal::Over(1, 1.5)),
        #[cfg(feature = "peers")]
        Row::new("taskvisor", |size| start::<Taskvisor>(size).boxed())
            .with_goal(|_| Goal::Over(1, 1.0)),
        #[cfg(feature = "peers")]
        Row::new("tokio-graceful-shutdown", |size| start::<TokioGracefulShutdown>(size).boxed())
            .with_goal(|_| Goal::Over(1, 3.0)),
        #[cfg(feature = "peers")]
        Row::new("ractor", |size| start::<Ractor>(size).boxed()).with_goal(|_| Goal::Over(1, 3.0)),
        #[cfg(feature = "peers")]
        Row::new("Erlang/OTP", |size| peers::time("start", size))
            .with_goal(|_| Goal::Over(1, 5.0))
            .only_if(peers::installed),
    ],
    rounds: |size| (100_000 / size).clamp(21, 101),
}];

fn main() -> Result<(), BoxError> {
    compare("service_start", "services", "G9", GROUPS)
}

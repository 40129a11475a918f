//! The stop of many services at once, until the last one has ended. A timing: it fails nothing.

use futures::FutureExt;
use plux::BoxError;
#[cfg(feature = "peers")]
use plux_benches::peers::{self, Ractor, TaskSupervisor, Taskvisor, TokioGracefulShutdown};
use plux_benches::{Goal, Group, Raw, Row, Supervised, compare, stop};

const GROUPS: &[Group] = &[Group {
    sizes: &[1, 100, 1_000, 10_000],
    rows: &[
        Row::new("`Notify` and a wait for the task", |size| stop::<Raw>(size).boxed()),
        Row::new("`shutdown`", |size| stop::<Supervised>(size).boxed())
            .with_goal(|size| if size < 100 { Goal::None } else { Goal::Ratio(1.0) }),
        #[cfg(feature = "peers")]
        Row::new("task-supervisor", |size| stop::<TaskSupervisor>(size).boxed())
            .with_goal(|_| Goal::Over(1, 6.0)),
        #[cfg(feature = "peers")]
        Row::new("taskvisor", |size| stop::<Taskvisor>(size).boxed()),
        #[cfg(feature = "peers")]
        Row::new("tokio-graceful-shutdown", |size| stop::<TokioGracefulShutdown>(size).boxed()),
        #[cfg(feature = "peers")]
        Row::new("ractor", |size| stop::<Ractor>(size).boxed()).with_goal(|_| Goal::Over(1, 10.0)),
        #[cfg(feature = "peers")]
        Row::new("Erlang/OTP", |size| peers::time("stop", size))
            .with_goal(|_| Goal::Over(1, 10.0))
            .only_if(peers::installed),
    ],
    rounds: |size| (100_000 / size).clamp(21, 101),
}];

fn main() -> Result<(), BoxError> {
    compare("service_stop", "services", "G10", GROUPS)
}

//! One start and one stop by name, both awaited, of one among many. A timing: it fails nothing.

use futures::FutureExt;
use plux::BoxError;
#[cfg(feature = "peers")]
use plux_benches::peers::{self, Ractor, TaskSupervisor, TaskvisorEmpty};
use plux_benches::{Goal, Group, RawOne, Row, Supervised, by_name, compare_one};

const GROUPS: &[Group] = &[Group {
    sizes: &[1, 1_000, 10_000],
    rows: &[
        Row::new("`tokio::spawn`, a `Notify`, a wait for the task", |size| {
            by_name::<RawOne>(size).boxed()
        }),
        Row::new("`start` and `stop`", |size| by_name::<Supervised>(size).boxed())
            .with_goal(|_| Goal::Ratio(1.5)),
        #[cfg(feature = "peers")]
        Row::new("task-supervisor", |size| by_name::<TaskSupervisor>(size).boxed())
            .with_goal(|_| Goal::Over(1, 3.0)),
        #[cfg(feature = "peers")]
        Row::new("taskvisor", |size| by_name::<TaskvisorEmpty>(size).boxed())
            .with_goal(|_| Goal::Over(1, 3.0)),
        #[cfg(feature = "peers")]
        Row::new("tokio-graceful-shutdown", |size| peers::by_name(size).boxed())
            .with_goal(|_| Goal::Over(1, 3.0)),
        #[cfg(feature = "peers")]
        Row::new("ractor", |size| by_name::<Ractor>(size).boxed())
            .with_goal(|_| Goal::Over(1, 3.0)),
        #[cfg(feature = "peers")]
        Row::new("Erlang/OTP", |size| peers::time("by_name", size)).only_if(peers::installed),
    ],
    rounds: |_| 51,
}];

fn main() -> Result<(), BoxError> {
    compare_one("service_by_name", "services", "one start and stop", "G11", GROUPS)
}

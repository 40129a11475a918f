//! The restart of one service without a delay, beside others that go on. A timing: it fails nothing.

use futures::FutureExt;
use plux::BoxError;
#[cfg(feature = "peers")]
use plux_benches::Goal;
#[cfg(feature = "peers")]
use plux_benches::peers::{self, Ractor, TaskSupervisor, Taskvisor};
use plux_benches::{Group, How, RawLoop, Row, Supervised, compare_one, restart};

const SIZES: &[usize] = &[1, 1_000, 10_000];

const GROUPS: &[Group] = &[
    Group {
        sizes: SIZES,
        rows: &[
            Row::new("after an error: a task that spawns it again", |size| {
                restart::<RawLoop>(size, How::Error).boxed()
            }),
            Row::new("after an error: supervised", |size| {
                restart::<Supervised>(size, How::Error).boxed()
            }),
            #[cfg(feature = "peers")]
            Row::new("after an error: task-supervisor", |size| {
                restart::<TaskSupervisor>(size, How::Error).boxed()
            })
            .with_goal(|_| Goal::Over(1, 1.0)),
            #[cfg(feature = "peers")]
            Row::new("after an error: taskvisor", |size| {
                restart::<Taskvisor>(size, How::Error).boxed()
            })
            .with_goal(|_| Goal::Over(1, 1.0)),
            #[cfg(feature = "peers")]
            Row::new("after an error: ractor", |size| restart::<Ractor>(size, How::Error).boxed())
                .with_goal(|_| Goal::Over(1, 1.0)),
            #[cfg(feature = "peers")]
            Row::new("after an error: Erlang/OTP", |size| peers::time("error", size))
                .with_goal(|_| Goal::Over(1, 1.0))
                .only_if(peers::installed),
        ],
        rounds: |_| 51,
    },
    Group {
        sizes: SIZES,
        rows: &[
            Row::new("after a panic: a task that spawns it again", |size| {
                restart::<RawLoop>(size, How::Panic).boxed()
            }),
            Row::new("after a panic: supervised", |size| {
                restart::<Supervised>(size, How::Panic).boxed()
            }),
            #[cfg(feature = "peers")]
            Row::new("after a panic: task-supervisor", |size| {
                restart::<TaskSupervisor>(size, How::Panic).boxed()
            })
            .with_goal(|_| Goal::Over(1, 1.0)),
            #[cfg(feature = "peers")]
            Row::new("after a panic: taskvisor", |size| {
                restart::<Taskvisor>(size, How::Panic).boxed()
            })
            .with_goal(|_| Goal::Over(1, 1.0)),
            #[cfg(feature = "peers")]
            Row::new("after a panic: ractor", |size| restart::<Ractor>(size, How::Panic).boxed())
                .with_goal(|_| Goal::Over(1, 1.0)),
            #[cfg(feature = "peers")]
            Row::new("after a panic: Erlang/OTP", |size| peers::time("panic", size))
                .with_goal(|_| Goal::Over(1, 1.0))
                .only_if(peers::installed),
        ],
        rounds: |_| 51,
    },
];

fn main() -> Result<(), BoxError> {
    // To print a panic costs more than any of what is compared.
    std::panic::set_hook(Box::new(|_| {}));
    compare_one("restart", "services beside it", "one restart", "G12", GROUPS)
}

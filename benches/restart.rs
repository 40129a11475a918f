//! The restart of one service without a delay, beside others that go on. A timing: it fails nothing.

use futures::FutureExt;
use plux::BoxError;
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
        ],
        rounds: |_| 51,
    },
];

fn main() -> Result<(), BoxError> {
    // To print a panic costs more than any of what is compared.
    std::panic::set_hook(Box::new(|_| {}));
    compare_one("restart", "services beside it", "one restart", "G12", GROUPS)
}

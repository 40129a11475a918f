//! What a manager costs that has something configured. A timing: it fails nothing.

use futures::FutureExt;
use plux::BoxError;
use plux_benches::Configured::{Filter, Listener, Nothing, Places, Subscriber, Timeout};
use plux_benches::{Group, Row, compare, specs};

const GROUPS: &[Group] = &[Group {
    sizes: &[100, 1_000, 10_000, 100_000],
    rows: &[
        Row::new(Nothing.name(), |size| Nothing.load_all(specs(size)).boxed()),
        Row::new(Timeout.name(), |size| Timeout.load_all(specs(size)).boxed()),
        Row::new(Places.name(), |size| Places.load_all(specs(size)).boxed()),
        Row::new(Filter.name(), |size| Filter.load_all(specs(size)).boxed()),
        Row::new(Listener.name(), |size| Listener.load_all(specs(size)).boxed()),
        Row::new(Subscriber.name(), |size| Subscriber.load_all(specs(size)).boxed()),
    ],
    rounds: |size| (1_000_000 / size).clamp(21, 1_001),
}];

fn main() -> Result<(), BoxError> {
    compare("options", "plugins", "G16", GROUPS)
}

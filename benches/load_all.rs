//! How long it takes to load any number of plugins that do nothing. A timing: it fails nothing.

use futures::FutureExt;
use plux::BoxError;
use plux_benches::{Goal, Group, Row, Timed, all, bare, compare, manager, specs, work};
use tokio::time::Instant;

const GROUPS: &[Group] = &[Group {
    sizes: &[10, 100, 1_000, 10_000, 100_000],
    rows: &[
        Row::new("`JoinSet`, tasks that do nothing", |size| {
            work::join_set(size, |_| async {}).boxed()
        }),
        Row::new("`load_all`", |size| work::load_all(size, manager(specs(size))).boxed())
            .with_goal(goal),
        Row::new("`load_all`, finding included", |size| {
            work::find_and_load_all(size, manager(specs(size))).boxed()
        }),
        Row::new("`load` of each by name, one after another", load_each),
        Row::new("factory and `load`, one after another, no manager", sequential),
    ],
    rounds: |size| (1_000_000 / size).clamp(21, 2_001),
}];

fn main() -> Result<(), BoxError> {
    compare("load_all", "plugins", "G1", GROUPS)
}

fn goal(size: usize) -> Goal {
    match size {
        10 => Goal::Ratio(0.5),
        100 => Goal::None,
        _ => Goal::Ratio(0.25),
    }
}

fn load_each(size: usize) -> Timed {
    async move {
        let manager = manager(specs(size));
        let names = manager.names()?;
        let start = Instant::now();
        for name in &names {
            manager.load(name.as_str()).await?;
        }
        let time = start.elapsed();
        all(size, manager.loaded().len())?;
        Ok(time)
    }
    .boxed()
}

fn sequential(size: usize) -> Timed {
    async move {
        let start = Instant::now();
        let plugins = bare(size).await?;
        let time = start.elapsed();
        all(size, plugins.len())?;
        Ok(time)
    }
    .boxed()
}

//! How long it takes to load any number of plugins that do nothing. A timing: it fails nothing.

use std::error::Error;
use std::time::Duration;

use fastrand::Rng;
use futures::FutureExt;
use plux_benches::{
    Options, Row, Table, Timed, bare, count, manager, medians, on_worker, specs, time,
};
use tokio::task::JoinSet;
use tokio::time::Instant;

const SIZES: &[usize] = &[10, 100, 1_000, 10_000, 100_000];

const ROWS: &[Row] = &[
    Row { name: "`JoinSet`, tasks that do nothing", run: join_set },
    Row { name: "`load_all`", run: load_all },
    Row { name: "`load_all`, finding included", run: find_and_load_all },
    Row { name: "`load` of each by name, one after another", run: load_each },
    Row { name: "factory and `load`, one after another, no manager", run: sequential },
];

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let options = Options::read()?;
    let command = "cargo bench -p plux-benches --bench load_all";
    let columns = ["plugins", "way", "median", "for each", "ratio", "goal (G1)"];
    let mut table = Table::new("load_all", command, &columns);
    let mut measured = 0;
    for &size in options.sizes(SIZES) {
        let (short, seed) = (options.short, options.seed);
        let rounds = if short { 5 } else { (1_000_000 / size).clamp(21, 2_001) };
        let times = on_worker(async move {
            let mut rng = Rng::with_seed(seed);
            medians(ROWS, size, rounds, &mut rng).await
        })?;
        for (row, median) in ROWS.iter().zip(&times) {
            let ratio = median.as_secs_f64() / times[0].as_secs_f64();
            let each = *median / u32::try_from(size)?;
            let goal = if row.name == ROWS[1].name { goal(size, ratio) } else { String::new() };
            let ratio = format!("{ratio:.2}");
            table.row([&count(size), row.name, &time(*median), &time(each), &ratio, &goal]);
            measured += 1;
        }
    }
    table.end(!options.short)?;
    println!("{measured} passed, 0 failed");
    Ok(())
}

fn goal(size: usize, ratio: f64) -> String {
    let limit = match size {
        10 => 0.5,
        100 => return String::new(),
        _ => 0.25,
    };
    let how = if ratio <= limit { "met" } else { "**missed**" };
    format!("≤ {limit}: {how}")
}

fn join_set(size: usize) -> Timed {
    async move {
        let start = Instant::now();
        let mut set = JoinSet::new();
        for _ in 0..size {
            set.spawn(async {});
        }
        while let Some(joined) = set.join_next().await {
            joined?;
        }
        Ok(start.elapsed())
    }
    .boxed()
}

fn load_all(size: usize) -> Timed {
    async move {
        let manager = manager(specs(size));
        all(size, manager.names()?.len())?;
        let start = Instant::now();
        let report = manager.load_all().await;
        let time = start.elapsed();
        all(size, report.loaded().len())?;
        Ok(time)
    }
    .boxed()
}

fn find_and_load_all(size: usize) -> Timed {
    async move {
        let manager = manager(specs(size));
        let start = Instant::now();
        let report = manager.load_all().await;
        let time = start.elapsed();
        all(size, report.loaded().len())?;
        Ok(time)
    }
    .boxed()
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
        let time: Duration = start.elapsed();
        all(size, plugins.len())?;
        Ok(time)
    }
    .boxed()
}

/// A way that does less than the others is no way to do the same.
fn all(expected: usize, got: usize) -> Result<(), Box<dyn Error + Send + Sync>> {
    if got == expected { Ok(()) } else { Err(format!("{got} of {expected} plugins").into()) }
}

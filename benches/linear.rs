//! Whether a plugin costs more when there are many, each time in a fresh process. A timing: it fails
//! nothing.

use std::process::Command;
use std::time::Duration;

use fastrand::Rng;
use plux::BoxError;
use plux_benches::{Options, Table, count, manager, median, on_worker, ratio, specs, time, work};
use tokio::time::Instant;

const SIZES: &[usize] = &[1_000, 10_000, 100_000];

fn main() -> Result<(), BoxError> {
    let options = Options::read()?;
    if let Some((_, size)) = options.run {
        return on_worker(run(size));
    }
    let sizes = options.sizes(SIZES);
    let mut times = vec![Vec::new(); sizes.len()];
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    let mut rng = Rng::with_seed(options.seed);
    for _ in 0..if options.short { 3 } else { 21 } {
        rng.shuffle(&mut order);
        for &at in &order {
            times[at].push(fresh(sizes[at])?);
        }
    }
    let columns = ["plugins", "step", "median", "for each", "to 1,000", "goal (G15)"];
    let mut table = Table::new("linear", &columns);
    let mut first = [Duration::ZERO; 2];
    for (&size, times) in sizes.iter().zip(times) {
        for (step, name) in ["`load_all`", "finding"].into_iter().enumerate() {
            let median = median(times.iter().map(|steps| steps[step]).collect());
            let each = median / u32::try_from(size)?;
            if size == sizes[0] {
                first[step] = each;
            }
            let to_first = each.as_secs_f64() / first[step].as_secs_f64();
            let goal = match (size, step) {
                (100_000, 0) if to_first <= 2.0 => "≤ 2: met",
                (100_000, 0) => "≤ 2: **missed**",
                _ => "",
            };
            let (median, each, to_first) = (time(median), time(each), ratio(to_first));
            table.row([&count(size), name, &median, &each, &to_first, goal]);
        }
    }
    table.end(!options.short)?;
    println!("{} passed, 0 failed", 2 * sizes.len());
    Ok(())
}

/// What a fresh process takes for the steps.
fn fresh(size: usize) -> Result<[Duration; 2], BoxError> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--run", "load_all", &size.to_string()])
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let nanos: Vec<u64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    match nanos[..] {
        [loaded, found] => Ok([loaded, found].map(Duration::from_nanos)),
        _ => Err(format!("a process that loads {size} has said {text:?}").into()),
    }
}

async fn run(size: usize) -> Result<(), BoxError> {
    let manager = manager(specs(size));
    let start = Instant::now();
    manager.contains("nobody")?;
    let found = start.elapsed();
    let loaded = work::load_all(size, manager).await?;
    println!("{} {}", loaded.as_nanos(), found.as_nanos());
    Ok(())
}

//! How many instructions a plugin costs, counted by callgrind.
//!
//! Trap: the tool counts a whole process. So each figure is a difference of runs: between two sizes,
//! which takes out what the process costs, and between two steps, which takes out what was done
//! before the step. Nothing is dropped at the end of a run, so dropping is in none of them.

use std::error::Error;
use std::mem::forget;
use std::process::{Command, ExitCode};

use plux_benches::{Gates, Options, Table, bare, count, manager, on_worker, specs};
use tokio::task::JoinSet;

type Failure = Box<dyn Error + Send + Sync>;

/// From the first size to the second.
const SIZES: [usize; 2] = [2_000, 12_000];

fn main() -> Result<ExitCode, Failure> {
    let options = Options::read()?;
    if let Some((step, size)) = options.run {
        on_worker(async move { run(&step, size).await })?;
        return Ok(ExitCode::SUCCESS);
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        if options.check {
            return Err("valgrind is not installed".into());
        }
        println!("valgrind is not installed\n0 passed, 0 failed, 2 skipped");
        return Ok(ExitCode::SUCCESS);
    }
    let nothing = each("specs")?;
    let join_set = each("join-set")? - nothing;
    let found = each("found")?;
    let loaded = each("loaded")? - found;
    let found = found - nothing;
    let sequential = each("sequential")? - nothing;

    let mut gates = Gates::new(options.check);
    let columns = ["for each plugin", "instructions", "ratio", "gate (G3)"];
    let mut table = Table::new("instructions", &columns);
    let limit = format!(
        "≤ 1,000: {}; ≤ 0.4: {}",
        gates.at_most(loaded, 1_000.0),
        gates.at_most(loaded / join_set, 0.4)
    );
    for (name, value, gate) in [
        ("`JoinSet`, tasks that do nothing", join_set, ""),
        ("`load_all`", loaded, limit.as_str()),
        ("finding", found, ""),
        ("factory and `load`, one after another, no manager", sequential, ""),
    ] {
        let ratio = format!("{:.2}", value / join_set);
        table.row([name, &count(value.round() as i64), &ratio, gate]);
    }
    table.end(!options.short)?;
    Ok(gates.end())
}

/// Instructions for each plugin of everything up to `step`.
fn each(step: &str) -> Result<f64, Failure> {
    let [few, many] = SIZES;
    let difference = collected(step, many)? - collected(step, few)?;
    Ok(difference / (many - few) as f64)
}

/// Instructions of a process that does `step` with so many.
fn collected(step: &str, size: usize) -> Result<f64, Failure> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["--run", step, &size.to_string()])
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{step} with {size} under callgrind: {text}").into());
    }
    let number = text.lines().find_map(|line| line.split_once("Collected : "));
    let (_, number) = number.ok_or_else(|| format!("callgrind has counted nothing: {text}"))?;
    Ok(number.trim().parse()?)
}

async fn run(step: &str, size: usize) -> Result<(), Failure> {
    let manager = manager(specs(size));
    match step {
        "specs" => {}
        "join-set" => {
            let mut set = JoinSet::new();
            for _ in 0..size {
                set.spawn(async {});
            }
            while let Some(joined) = set.join_next().await {
                joined?;
            }
        }
        "found" => assert!(manager.contains("plugin-000000").is_ok()),
        "loaded" => {
            let report = manager.load_all().await;
            assert_eq!(report.loaded().len(), size);
            forget(report);
        }
        "sequential" => forget(bare(size).await?),
        _ => return Err(format!("there is no step {step}").into()),
    }
    forget(manager);
    Ok(())
}

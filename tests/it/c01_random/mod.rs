//! Random schedules through the public API, each judged by the promises alone.

mod by_calls;
mod by_comes;
mod by_holds;
mod by_leaks;
mod by_moves;
mod by_nested;
mod by_restarts;
mod by_times;
mod look;
mod mutate;

use std::sync::atomic::{AtomicU64, Ordering};

use schedules::{Case, Line, Sizes, check, play, smallest};

/// Unless `PLUX_SCHEDULES` says otherwise: a few seconds in a debug build.
const SCHEDULES: u64 = 300;

const SIZES: Sizes = Sizes { services: 30, commands: 60, faults: 30 };

/// What is wrong with the run of a case.
fn wrong(case: &Case) -> Option<String> {
    match play(case) {
        Err(error) => Some(format!("it can not be played: {error}")),
        Ok(run) => check(&run).err().map(|illegal| illegal.to_string()),
    }
}

/// What is left of a case that fails, and its run.
fn report(seed: u64) -> String {
    let small = smallest(Case::new(seed, SIZES), |case| wrong(case).is_some());
    let what = wrong(&small).unwrap_or_default();
    let lines = play(&small).map(|run| run.lines).unwrap_or_default();
    let line = |(number, line): (usize, &Line)| format!("{number} {} {:?}", line.at, line.what);
    let lines: Vec<_> = lines.iter().enumerate().map(line).collect();
    format!("seed {seed}: {what}\n{small}\n{}", lines.join("\n"))
}

/// `PLUX_SCHEDULES=1000000 cargo test --release -p plux-tests --test it -- random_schedules` tries more,
/// and `PLUX_SEED` says from which seed on.
#[test]
fn a02_a04_c01_c02_c05_c06_d01_d02_d03_d04_d05_d06_r01_r02_r03_r04_r05_r06_r08_r09_s01_s02_s03_s04_s05_s06_s07_s08_s09_s10_s11_s12_x01_x02_x03_x04_x05_x06_random_schedules_keep_every_promise()
 {
    let number = |name| std::env::var(name).ok().and_then(|it: String| it.parse().ok());
    let first = number("PLUX_SEED").unwrap_or(0);
    let last = first + number("PLUX_SCHEDULES").unwrap_or(SCHEDULES);
    let (next, failed) = (AtomicU64::new(first), AtomicU64::new(u64::MAX));
    let workers = std::thread::available_parallelism().map_or(1, |workers| workers.get());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while failed.load(Ordering::SeqCst) == u64::MAX {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= last {
                        break;
                    }
                    if wrong(&Case::new(seed, SIZES)).is_some() {
                        failed.fetch_min(seed, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let seed = failed.into_inner();
    assert!(seed == u64::MAX, "{}", report(seed));
}

#[test]
fn c01_a_schedule_is_the_same_run_each_time() {
    for seed in 0..20 {
        let case = Case::new(seed, SIZES);
        let [one, other] = [play(&case), play(&case)].map(Result::unwrap);
        assert_eq!(one.lines, other.lines, "seed {seed}");
    }
}

//! A bench that compares times: some ways to do the same, at some sizes, in one table.

use std::time::Duration;

use fastrand::Rng;
use plux::BoxError;

use crate::machine::on_worker;
use crate::options::Options;
use crate::rounds::{Goal, Row, medians};
use crate::table::{Table, count, ratio, time};

/// Ways that are compared with the first of them.
pub struct Group {
    /// How many there are each time.
    pub sizes: &'static [usize],
    /// The ways.
    pub rows: &'static [Row],
    /// How often each is run, with so many.
    pub rounds: fn(usize) -> usize,
}

/// Measures all groups and writes the table of this name; `what` is what there are so many of.
///
/// # Errors
/// The first of a way, or the table can not be written.
pub fn compare(
    name: &'static str,
    what: &str,
    goals: &str,
    groups: &[Group],
) -> Result<(), BoxError> {
    let options = Options::read()?;
    let goals = format!("goal ({goals})");
    let mut table = Table::new(name, &[what, "way", "median", "for each", "ratio", &goals]);
    let mut measured = 0;
    for group in groups {
        for &size in options.sizes(group.sizes) {
            let (rows, seed) = (group.rows, options.seed);
            let rounds = if options.short { 3 } else { (group.rounds)(size) };
            let times = on_worker(async move {
                let mut rng = Rng::with_seed(seed);
                medians(rows, size, rounds, &mut rng).await
            })?;
            for (row, &median) in rows.iter().zip(&times) {
                let to_first = median.as_secs_f64() / times[0].as_secs_f64();
                let each = time(median / u32::try_from(size)?);
                let goal = verdict((row.goal)(size), to_first, median);
                let to_first = ratio(to_first);
                table.row([&count(size), row.name, &time(median), &each, &to_first, &goal]);
                measured += 1;
            }
        }
    }
    table.end(!options.short)?;
    println!("{measured} passed, 0 failed");
    Ok(())
}

fn verdict(goal: Goal, to_first: f64, median: Duration) -> String {
    let (limit, met) = match goal {
        Goal::None => return String::new(),
        Goal::Ratio(limit) => (ratio(limit), to_first <= limit),
        Goal::Time(limit) => (time(limit), median <= limit),
    };
    format!("≤ {limit}: {}", if met { "met" } else { "**missed**" })
}

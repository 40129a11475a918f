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
    write(name, &[what, "way", "median", "for each", "ratio"], goals, groups)
}

/// The same for ways that take the time of one among so many.
///
/// # Errors
/// As [`compare`].
pub fn compare_one(
    name: &'static str,
    what: &str,
    one: &str,
    goals: &str,
    groups: &[Group],
) -> Result<(), BoxError> {
    write(name, &[what, "way", one, "ratio"], goals, groups)
}

fn write(
    name: &'static str,
    columns: &[&str],
    goals: &str,
    groups: &[Group],
) -> Result<(), BoxError> {
    let options = Options::read()?;
    let goals = format!("goal ({goals})");
    let mut table = Table::new(name, &[columns, &[goals.as_str()]].concat());
    let mut measured = 0;
    for group in groups {
        let rows: Vec<Row> = group.rows.iter().copied().filter(|row| (row.there)()).collect();
        for &size in options.sizes(group.sizes) {
            let (ways, seed) = (rows.clone(), options.seed);
            let rounds = if options.short { 3 } else { (group.rounds)(size) };
            let times = on_worker(async move {
                let mut rng = Rng::with_seed(seed);
                medians(&ways, size, rounds, &mut rng).await
            })?;
            for (row, &median) in rows.iter().zip(&times) {
                let to_first = median.as_secs_f64() / times[0].as_secs_f64();
                let mut cells = vec![count(size), row.name.to_owned(), time(median)];
                if columns.contains(&"for each") {
                    cells.push(time(median / u32::try_from(size)?));
                }
                cells.extend([ratio(to_first), verdict((row.goal)(size), median, &rows, &times)]);
                table.row(cells);
                measured += 1;
            }
        }
    }
    table.end(!options.short)?;
    println!("{measured} passed, 0 failed");
    Ok(())
}

fn verdict(goal: Goal, median: Duration, rows: &[Row], times: &[Duration]) -> String {
    let over = |row: usize| median.as_secs_f64() / times[row].as_secs_f64();
    let (limit, met) = match goal {
        Goal::None => return String::new(),
        Goal::Ratio(limit) => (format!("≤ {}", ratio(limit)), over(0) <= limit),
        Goal::Time(limit) => (format!("≤ {}", time(limit)), median <= limit),
        Goal::Over(row, limit) => (format!("≥ {limit} × {}", rows[row].name), over(row) >= limit),
    };
    format!("{limit}: {}", if met { "met" } else { "**missed**" })
}

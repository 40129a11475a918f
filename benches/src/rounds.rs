//! Rounds: each runs every row once, in a fresh order, so that whatever else the machine does meets
//! all rows alike.

use std::time::Duration;

use fastrand::Rng;
use futures::future::BoxFuture;
use plux::BoxError;

/// What a row of one round took; what is not to be measured is done outside of it.
pub type Timed = BoxFuture<'static, Result<Duration, BoxError>>;

/// What a row is to reach with so many.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// Nothing was said.
    None,
    /// At most so many times what the first row takes.
    Ratio(f64),
    /// At most so long.
    Time(Duration),
    /// At least so many times what this row takes, counted from 0: the goal is that row's.
    Over(usize, f64),
}

/// One way to do the same.
#[derive(Clone, Copy)]
pub struct Row {
    /// What the table calls it.
    pub name: &'static str,
    /// Does it once, with so many.
    pub run: fn(usize) -> Timed,
    /// What it is to reach with so many.
    pub goal: fn(usize) -> Goal,
    /// Whether it can be run here. Those that can not stand behind those that can.
    pub there: fn() -> bool,
}

impl Row {
    /// A way without a goal.
    pub const fn new(name: &'static str, run: fn(usize) -> Timed) -> Self {
        Self { name, run, goal: |_| Goal::None, there: || true }
    }

    /// The same with one.
    #[must_use]
    pub const fn with_goal(self, goal: fn(usize) -> Goal) -> Self {
        Self { goal, ..self }
    }

    /// The same where that is so.
    #[must_use]
    pub const fn only_if(self, there: fn() -> bool) -> Self {
        Self { there, ..self }
    }
}

/// The median of each row over `rounds` rounds with `size`.
///
/// # Errors
/// The first of a row.
pub async fn medians(
    rows: &[Row],
    size: usize,
    rounds: usize,
    rng: &mut Rng,
) -> Result<Vec<Duration>, BoxError> {
    let mut times = vec![Vec::with_capacity(rounds); rows.len()];
    let mut order: Vec<usize> = (0..rows.len()).collect();
    for row in rows {
        // Memory that was never touched, and code that never ran, is nobody's cost.
        (row.run)(size).await?;
    }
    for _ in 0..rounds {
        rng.shuffle(&mut order);
        for &row in &order {
            times[row].push((rows[row].run)(size).await?);
        }
    }
    Ok(times.into_iter().map(median).collect())
}

/// The middle one; zero of none.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlier_does_not_move_the_median() {
        let times = [5, 1, 900, 3, 2].map(Duration::from_micros);
        assert_eq!(median(times.to_vec()), Duration::from_micros(3));
        assert_eq!(median(Vec::new()), Duration::ZERO);
    }
}

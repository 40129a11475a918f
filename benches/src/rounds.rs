//! Rounds: each runs every row once, in a fresh order, so that whatever else the machine does meets
//! all rows alike.

use std::time::Duration;

use fastrand::Rng;
use futures::future::BoxFuture;
use plux::BoxError;

/// What a row of one round took; what is not to be measured is done outside of it.
pub type Timed = BoxFuture<'static, Result<Duration, BoxError>>;

/// One way to do the same.
#[derive(Clone, Copy)]
pub struct Row {
    /// What the table calls it.
    pub name: &'static str,
    /// Does it once, with so many.
    pub run: fn(usize) -> Timed,
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

fn median(mut times: Vec<Duration>) -> Duration {
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

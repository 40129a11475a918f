//! How a service is restarted: when, how soon, how often, and what then. Pure data.

use std::fmt;
use std::time::Duration;

/// After which ends a service is started again without being asked.
///
/// The words are those of Erlang's supervisors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RestartPolicy {
    /// After every end that nobody asked for, completion included.
    Permanent,
    /// After a failure, a panic, an abort, or a missed heartbeat; not after completion.
    Transient,
    /// Never, neither by itself nor because of a service that it requires.
    Temporary,
}

/// How long a restart waits: longer from failure to failure, up to a longest time.
///
/// The count of failures begins anew after a run that was [stable](crate::ServiceOptions::stable_after),
/// and when the service is started by hand.
///
/// ```
/// use std::time::Duration;
/// use plux::Backoff;
///
/// const PATIENT: Backoff =
///     Backoff::exponential(Duration::from_millis(200), Duration::from_secs(60)).with_jitter(50);
/// assert_eq!(PATIENT.longest(0), Duration::from_millis(200));
/// assert_eq!(PATIENT.longest(3), Duration::from_millis(1600));
/// assert_eq!(PATIENT.longest(u32::MAX), Duration::from_secs(60));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Backoff {
    first: Duration,
    factor: u32,
    most: Duration,
    jitter: u8,
}

impl Backoff {
    /// No delay at all: a restart follows its failure at once, and touches no timer.
    pub const NONE: Self = Self::constant(Duration::ZERO);

    /// The same delay each time, without jitter.
    pub const fn constant(delay: Duration) -> Self {
        Self { first: delay, factor: 1, most: delay, jitter: 0 }
    }

    /// A delay that doubles from `first` to at most `most`, with a jitter of 20 percent.
    pub const fn exponential(first: Duration, most: Duration) -> Self {
        Self { first, factor: 2, most, jitter: 20 }
    }

    /// Multiplies the delay by this from failure to failure, and not by two.
    #[must_use]
    pub const fn with_factor(mut self, factor: u32) -> Self {
        self.factor = factor;
        self
    }

    /// Shortens each delay by up to so many percent, at random, so that services which fail together
    /// do not come back together. More than 100 counts as 100.
    #[must_use]
    pub const fn with_jitter(mut self, percent: u8) -> Self {
        self.jitter = if percent > 100 { 100 } else { percent };
        self
    }

    /// The delay after so many failures before this one, without jitter.
    pub fn longest(self, failures: u32) -> Duration {
        // A zero stays one, so the power can not matter then.
        let power = self.factor.saturating_pow(failures);
        self.first.saturating_mul(power).min(self.most)
    }

    /// The delay with its jitter, of which `random` says how much.
    pub(crate) fn delay(self, failures: u32, random: u64) -> Duration {
        let longest = self.longest(failures);
        let whole = u128::from(longest.as_nanos() as u64);
        let most = whole * u128::from(self.jitter) / 100;
        let less = (most * u128::from(random >> 32)) >> 32;
        longest.saturating_sub(Duration::from_nanos(less as u64))
    }
}

impl fmt::Display for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, factor, most, jitter } = self;
        write!(f, "{first:?} times {factor} up to {most:?} less {jitter} %")
    }
}

/// How many automatic restarts a service may need within a time; one more, and the supervisor
/// [gives up](GiveUp). Restarts by hand, and those because of another service, do not count.
///
/// ```
/// use std::time::Duration;
/// use plux::Intensity;
///
/// const SELDOM: Intensity = Intensity::new(3, Duration::from_secs(3600));
/// assert_ne!(SELDOM, Intensity::UNLIMITED);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Intensity {
    pub(crate) restarts: u32,
    pub(crate) period: Duration,
}

impl Intensity {
    /// Any number of restarts.
    pub const UNLIMITED: Self = Self { restarts: u32::MAX, period: Duration::ZERO };

    /// At most so many restarts within `period`. A period of zero is refused by the supervisor's
    /// builder.
    pub const fn new(restarts: u32, period: Duration) -> Self {
        Self { restarts, period }
    }

    /// Whether it is bounded, within a time that has no length.
    pub(crate) fn lacks_period(self) -> bool {
        self.period.is_zero() && self != Self::UNLIMITED
    }
}

impl fmt::Display for Intensity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::UNLIMITED => f.write_str("unlimited"),
            Self { restarts, period } => write!(f, "{restarts} in {period:?}"),
        }
    }
}

/// What becomes of a service that has used up its [`Intensity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GiveUp {
    /// It is left failed, until it is started by hand.
    Fail,
    /// It is left failed, and tried once after each such time. A run that was stable gives its restarts
    /// back; a stop ends the trying.
    CoolDown(Duration),
    /// The supervisor shuts down.
    Escalate,
}

/// What happens to a service when one that it requires has ended, other than by completing for good.
///
/// What the [edge](crate::Dependency::reaction) to the other says goes before what is set for the
/// service. Where several of its edges have to say something, stop goes before restart, and restart
/// before keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reaction {
    /// It is stopped, what requires it first, and starts again when the other is ready.
    Restart,
    /// It is stopped, and stays so.
    Stop,
    /// It goes on. What requires it does not notice.
    Keep,
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn r03_a_delay_grows_to_its_cap_and_huge_values_do_not_overflow() {
        let backoff = Backoff::exponential(100 * MS, 1_000 * MS);
        let delays: Vec<_> = (0..6).map(|failures| backoff.longest(failures).as_millis()).collect();
        assert_eq!(delays, [100, 200, 400, 800, 1_000, 1_000]);
        assert_eq!(backoff.with_factor(3).longest(2), 900 * MS);
        let huge = Backoff::exponential(Duration::MAX, Duration::MAX).with_factor(u32::MAX);
        assert_eq!(huge.longest(u32::MAX), Duration::MAX);
        assert!(huge.delay(u32::MAX, u64::MAX) <= Duration::MAX);
        assert_eq!(Backoff::NONE.delay(u32::MAX, u64::MAX), Duration::ZERO);
    }

    #[test]
    fn r03_jitter_only_shortens_and_by_no_more_than_it_says() {
        let backoff = Backoff::constant(1_000 * MS).with_jitter(30);
        assert_eq!(backoff.delay(0, 0), 1_000 * MS);
        assert_eq!(backoff.delay(0, u64::MAX).as_millis(), 700);
        assert_eq!(backoff.delay(0, u64::MAX / 2).as_millis(), 850);
        let all = backoff.with_jitter(200);
        assert!(all.delay(0, u64::MAX) < MS);
    }
}

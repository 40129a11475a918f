//! What the supervisor's calls answer.

use std::fmt;
use std::process::{ExitCode, Termination};
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Exit, StartError};
use crate::name::Name;
use crate::origin::Origin;

use super::core::{Ended, How, Index, Summary};

/// How a start succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartOutcome {
    /// This call began the attempt, and the service is ready.
    Started,
    /// It was running.
    AlreadyRunning,
    /// Another call had begun the attempt, and the service is ready.
    Joined,
}

/// What [`Supervisor::start_all`](crate::Supervisor::start_all) did: one row a service, in name order.
#[derive(Debug)]
#[non_exhaustive]
pub struct StartReport {
    /// Name and outcome.
    pub rows: Vec<(Name, Result<StartOutcome, StartError>)>,
}

impl StartReport {
    /// Whether every service runs that is not disabled.
    pub fn is_ok(&self) -> bool {
        self.failed().next().is_none()
    }

    /// The services that did not start; disabled ones are not among them.
    pub fn failed(&self) -> impl Iterator<Item = (&Name, &StartError)> {
        self.rows.iter().filter_map(|(name, outcome)| match outcome {
            Err(StartError::Disabled { culprit, .. }) if culprit == name => None,
            Err(error) => Some((name, error)),
            Ok(_) => None,
        })
    }
}

impl fmt::Display for StartReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, outcome) in &self.rows {
            match outcome {
                Ok(StartOutcome::Started) => writeln!(f, "{name}: started")?,
                Ok(StartOutcome::AlreadyRunning) => writeln!(f, "{name}: already running")?,
                Ok(StartOutcome::Joined) => writeln!(f, "{name}: joined")?,
                Err(error) => writeln!(f, "{name}: {error}")?,
            }
        }
        Ok(())
    }
}

/// What [`Supervisor::stop`](crate::Supervisor::stop) did.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StopReport {
    /// One row for each service that was stopped: the named one and its dependents.
    pub rows: Vec<StopRow>,
}

impl StopReport {
    /// The names of the services that were stopped.
    pub fn stopped(&self) -> impl Iterator<Item = &Name> {
        self.rows.iter().map(|row| &row.name)
    }
}

/// How the stop of one service went. Times count from the building of the supervisor.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StopRow {
    /// The service.
    pub name: Name,
    /// Where it was registered.
    pub origin: Origin,
    /// When its stop was decided; dependents may have had to end first.
    pub asked: Duration,
    /// When it had ended; `None` when it has leaked.
    pub ended: Option<Duration>,
    /// How it ended.
    pub how: StopHow,
}

/// How a service ended that was told to stop.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum StopHow {
    /// By itself and without an error.
    Clean,
    /// With an error or a panic.
    Error(Exit),
    /// It was dropped when its grace period was over.
    Aborted,
    /// It was dropped and did not end within the join timeout.
    Leaked,
}

impl fmt::Display for StopHow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean => f.write_str("clean"),
            Self::Error(exit) => write!(f, "error: {exit}"),
            Self::Aborted => f.write_str("aborted"),
            Self::Leaked => f.write_str("leaked"),
        }
    }
}

/// What [`Supervisor::restart`](crate::Supervisor::restart) did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestartReport {
    /// Those that were stopped for it: its dependents, and those of a group that is restarted with it. They
    /// begin again as soon as they may, but for those whose [`Reaction`](crate::Reaction) is to stay
    /// stopped.
    pub dependents: Vec<Name>,
}

/// What a shutdown has to tell; clones share it.
///
/// As the result of a program it is exit status 0 when all was clean; 1 when a service had failed
/// before the shutdown, or was aborted, leaked or failed while it stopped.
#[derive(Debug, Clone)]
pub struct ShutdownReport {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    rows: Vec<StopRow>,
    failed_before: Vec<Name>,
    pending_loads: Vec<Name>,
    total: Duration,
}

impl ShutdownReport {
    pub(crate) fn new(
        summary: Summary,
        pending_loads: Vec<Name>,
        known: impl Fn(Index) -> (Name, Origin),
        is_in_name_order: bool,
    ) -> Self {
        let Summary { total, failed_before, rows } = summary;
        let mut rows: Vec<_> = rows.into_iter().map(|row| stop_row(row, &known)).collect();
        let mut failed_before: Vec<_> =
            failed_before.into_iter().map(|index| known(index).0).collect();
        if !is_in_name_order {
            rows.sort_by(|one, other| one.name.cmp(&other.name));
            failed_before.sort();
        }
        Self { inner: Arc::new(Inner { rows, failed_before, pending_loads, total }) }
    }

    /// One row for each service that was live when the shutdown began, in name order.
    pub fn rows(&self) -> &[StopRow] {
        &self.inner.rows
    }

    /// The row of one service.
    pub fn row(&self, name: &str) -> Option<&StopRow> {
        self.inner.rows.iter().find(|row| row.name == name)
    }

    /// The services that were failed when the shutdown began.
    pub fn failed_before(&self) -> &[Name] {
        &self.inner.failed_before
    }

    /// The plugins whose load could not be ended.
    pub fn pending_loads(&self) -> &[Name] {
        &self.inner.pending_loads
    }

    /// The services that outlasted their grace period.
    pub fn late(&self) -> impl Iterator<Item = &Name> {
        let late = |row: &&StopRow| matches!(row.how, StopHow::Aborted | StopHow::Leaked);
        self.inner.rows.iter().filter(late).map(|row| &row.name)
    }

    /// How long it took.
    pub fn total(&self) -> Duration {
        self.inner.total
    }

    /// Whether nothing failed, was aborted or leaked.
    pub fn is_clean(&self) -> bool {
        let clean = |row: &StopRow| matches!(row.how, StopHow::Clean);
        self.inner.failed_before.is_empty()
            && self.inner.pending_loads.is_empty()
            && self.inner.rows.iter().all(clean)
    }
}

impl Termination for ShutdownReport {
    fn report(self) -> ExitCode {
        if self.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.inner.rows {
            write!(f, "{}: {}", row.name, row.how)?;
            match row.ended {
                Some(ended) => writeln!(f, " after {:?}", ended.saturating_sub(row.asked))?,
                None => writeln!(f)?,
            }
        }
        for name in &self.inner.failed_before {
            writeln!(f, "{name}: had failed before")?;
        }
        for name in &self.inner.pending_loads {
            writeln!(f, "{name}: its load has not ended")?;
        }
        write!(f, "shut down in {:?}", self.inner.total)
    }
}

/// A core row with its name.
#[inline]
pub(crate) fn stop_row(row: Ended, known: &impl Fn(Index) -> (Name, Origin)) -> StopRow {
    let Ended { service, asked, ended, how } = row;
    let (name, origin) = known(service);
    let how = match how {
        How::Clean => StopHow::Clean,
        How::Error(exit) => StopHow::Error(*exit),
        How::Aborted => StopHow::Aborted,
        How::Leaked => StopHow::Leaked,
    };
    StopRow { name, origin, asked, ended, how }
}

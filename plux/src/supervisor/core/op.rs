//! What is under way: calls that are not answered yet, and the shutdown.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use super::words::{Down, Ended, Index, Up};

/// Names a call that waits for ends.
pub(super) type OpId = NonZeroU64;

/// A call that is not answered yet.
#[cfg_attr(test, derive(Clone))]
pub(super) enum Op<C> {
    Start(Start<C>),
    /// A start that failed: answered when its rollback is complete.
    Rollback {
        target: Index,
        callers: Vec<C>,
        down: Down,
        /// Whose ends it waits for, or has waited for.
        members: Vec<Index>,
        remaining: usize,
    },
    Stop {
        caller: C,
        /// How each member ended, as it did.
        rows: Vec<Ended>,
        remaining: usize,
    },
}

/// A shutdown that has begun.
#[cfg_attr(test, derive(Clone))]
pub(super) struct Shutdown {
    pub(super) began: Duration,
    pub(super) failed_before: Vec<Index>,
    pub(super) members: Vec<Index>,
    pub(super) finished: bool,
}

/// A pending start, shared by all who asked for the same service.
#[cfg_attr(test, derive(Clone))]
pub(super) struct Start<C> {
    pub(super) target: Index,
    /// The closure in starting order; `true` where the start fails with that member.
    pub(super) members: Arc<[(Index, bool)]>,
    pub(super) callers: Vec<(C, Up)>,
}

impl<C> Start<C> {
    /// Whether it fails when `service` does.
    fn is_hard(&self, service: Index) -> bool {
        self.members.iter().any(|&(member, hard)| member == service && hard)
    }
}

impl<C> Op<C> {
    /// The service that a pending start names.
    pub(super) fn target(&self) -> Option<Index> {
        match self {
            Self::Start(start) => Some(start.target),
            _ => None,
        }
    }

    /// Whether it is a pending start that fails when `service` does.
    pub(super) fn is_hard(&self, service: Index) -> bool {
        matches!(self, Self::Start(start) if start.is_hard(service))
    }
}

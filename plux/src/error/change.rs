//! What goes wrong when services are added to a supervisor that runs, or removed from it.

use super::build::{BuildProblem, Lines};
use super::plugin::Near;
use super::service::NOT_LINKED;
use super::text::debug_as_text;
use crate::name::Name;
use crate::origin::Origin;

/// Why a manager's services were not added. None of them was, then, and nothing is left of the call.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// Some can not work, or would keep others from it: all problems at once.
    #[error("nothing was added: {}", Lines(.problems))]
    Refused {
        /// The problems, none of them twice.
        problems: Vec<BuildProblem>,
    },
    /// The supervisor shuts down, or has.
    #[error("nothing was added: the supervisor is shut down")]
    Shutdown,
}

/// Why a service was not removed. It is there as before.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RemoveError {
    /// No service of that name.
    #[error("no service `{name}`{near}{NOT_LINKED}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// Names like it.
        near: Near,
    },
    /// It has not ended.
    #[error("`{name}` (registered at {origin}) has not ended: stop it, then remove it")]
    Live {
        /// The service.
        name: Name,
        /// Where it was registered.
        origin: Origin,
    },
    /// It is about to begin, now or after a time.
    #[error("`{name}` (registered at {origin}) is about to begin: stop it, then remove it")]
    Waiting {
        /// The service.
        name: Name,
        /// Where it was registered.
        origin: Origin,
    },
    /// It has leaked work that still runs.
    #[error(
        "`{name}` (registered at {origin}) was aborted and has not ended since; remove it once it has"
    )]
    Leaked {
        /// The service.
        name: Name,
        /// Where it was registered.
        origin: Origin,
    },
    /// Another one depends on it.
    #[error(
        "`{by}` (registered at {by_origin}) depends on `{name}` (registered at {origin}): remove that one \
         first"
    )]
    Needed {
        /// The service.
        name: Name,
        /// Where it was registered.
        origin: Origin,
        /// One that requires it, wants it, or comes after it.
        by: Name,
        /// Where that was registered.
        by_origin: Origin,
    },
    /// The supervisor shuts down, or has.
    #[error("`{name}` can not be removed: the supervisor is shut down")]
    Shutdown {
        /// The service.
        name: Name,
    },
}

debug_as_text!(AddError RemoveError);

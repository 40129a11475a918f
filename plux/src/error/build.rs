//! What keeps a supervisor from being built: all of the configuration that can not work. Each problem
//! names whom it is about, the place and the way out.

use std::fmt;
use std::sync::Arc;

use super::plugin::{FindError, GraphError, LoadError, Near};
use super::service::NOT_LINKED;
use super::text::debug_as_text;
use crate::name::{Name, PluginId};
use crate::origin::Origin;
use crate::restart::Reaction;

/// Why a supervisor was not built: all problems at once.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
#[error("the supervisor can not be built: {}", Lines(.problems))]
pub struct BuildError {
    /// The problems, none of them twice.
    pub problems: Vec<BuildProblem>,
}

pub(super) struct Lines<'a>(pub(super) &'a [BuildProblem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if at == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

pub(super) fn word(reaction: &Option<Reaction>) -> &'static str {
    match reaction {
        Some(Reaction::Restart) => "with `restart`",
        Some(Reaction::Stop) => "with `stop`",
        Some(Reaction::Keep) => "with `keep`",
        None => "without a reaction",
    }
}

/// One reason why a supervisor was not built, or why services were not added to it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BuildProblem {
    /// A manager has no answer of its finder.
    #[error(transparent)]
    Find(#[from] FindError),
    /// A manager lacks a plugin that it was told to [require](crate::PluginManagerBuilder::require).
    #[error(transparent)]
    Required(LoadError),
    /// Two managers have a service of one name, or it is there already.
    #[error("two services are called `{name}`: at {} and at {}; rename one", .origins.0, .origins.1)]
    DuplicateName {
        /// The name.
        name: Name,
        /// Where they were registered.
        origins: Box<(Origin, Origin)>,
    },
    /// The place of a service in the graph makes it unusable: only for one that is added, or that is there
    /// and would be of no use any more. In a supervisor that is built the others go on without it.
    #[error(transparent)]
    Graph(#[from] Arc<GraphError>),
    /// Options are set for a service that is not there.
    #[error("options are set for `{name}`, and no service is called that{near}{NOT_LINKED}")]
    UnknownService {
        /// The name.
        name: String,
        /// Names like it.
        near: Near,
    },
    /// A group names a service that is not there.
    #[error("`{name}` is in the group `{group}`, and no service is called that{near}{NOT_LINKED}")]
    UnknownMember {
        /// The name.
        name: String,
        /// The group.
        group: String,
        /// Names like it.
        near: Near,
    },
    /// A service is in two groups, or twice in one.
    #[error(
        "`{name}` (registered at {origin}) is in the group `{}` and in `{}`: leave it in one, once",
        .groups.0, .groups.1
    )]
    TwoGroups {
        /// The service.
        name: Name,
        /// Where it was registered.
        origin: Origin,
        /// The names of the groups.
        groups: (String, String),
    },
    /// The intensity of a group has a period of no length.
    #[error("the group `{group}` has an intensity period of zero: set one, or leave it out")]
    ZeroPeriod {
        /// The group.
        group: String,
    },
    /// A group would be tried again without a pause.
    #[error("the group `{group}` has a cool-down of zero: set one, or Intensity::UNLIMITED")]
    ZeroCoolDown {
        /// The group.
        group: String,
    },
    /// Its members would neither be restarted together nor share a budget.
    #[error("the group `{group}` does nothing: it is one for one and has no intensity, so set one")]
    IdleGroup {
        /// The group.
        group: String,
    },
    /// Whatever is aborted would count as leaked at once.
    #[error("the supervisor has a join_timeout of zero: set one")]
    ZeroJoinTimeout,
    /// A time of no length would never be over, or never begin.
    #[error("`{name}` (registered at {origin}) has {option} of zero: {way_out}")]
    ZeroTime {
        /// The service.
        name: Name,
        /// Where it was registered.
        origin: Origin,
        /// What it is called, with its article.
        option: &'static str,
        /// What to set instead.
        way_out: &'static str,
    },
    /// What is never restarted can not be restarted for another's sake.
    #[error(
        "`{name}` (registered at {origin}) is temporary and asks for the reaction `restart`, for all \
         that it requires or for one: ask for `stop` or `keep`, or set another restart policy"
    )]
    RestartOfTemporary {
        /// The service.
        name: Name,
        /// Where it was registered.
        origin: Origin,
    },
    /// A service requires another one twice, and says two things of what its end does.
    #[error(
        "`{name}` (registered at {origin}) requires {requirement} twice, {} and {}: require it once",
        word(&.reactions.0), word(&.reactions.1)
    )]
    TwoReactions {
        /// The service.
        name: Name,
        /// Where it was registered.
        origin: Origin,
        /// What it requires.
        requirement: PluginId,
        /// What the two say.
        reactions: (Option<Reaction>, Option<Reaction>),
    },
    /// Unlimited grace could hold a shutdown for ever.
    #[error(
        "`{name}` (registered at {origin}) has an unlimited grace period: set a shutdown_timeout on the supervisor"
    )]
    UnlimitedGrace {
        /// The service.
        name: Name,
        /// Where it was registered.
        origin: Origin,
    },
}

debug_as_text!(BuildError);

//! What is wrong with the registry of a binary. Each problem names what it is about, the place and the
//! way out.

use std::fmt;
use std::sync::Arc;

use super::build::word;
use super::plugin::{FindError, GraphError, Near};
use super::text::debug_as_text;
use crate::name::PluginId;
use crate::origin::Origin;
use crate::restart::Reaction;

/// What is wrong with a registry: all problems at once.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
#[error("the registry has problems:{}", Lines(.problems))]
pub struct CheckError {
    /// The problems, none of them twice.
    pub problems: Vec<CheckProblem>,
}

struct Lines<'a>(&'a [CheckProblem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// One thing that is wrong with a registry.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CheckProblem {
    /// An id is registered more than once: two of its places.
    #[error(transparent)]
    Duplicate(FindError),
    /// A cycle, or a requirement that is not there.
    #[error(transparent)]
    Graph(Arc<GraphError>),
    /// A plugin requires another one twice, and says two things of what its end does.
    #[error(
        "`{id}` (registered at {origin}) requires {requirement} twice, {} and {}: require it once",
        word(&.reactions.0), word(&.reactions.1)
    )]
    TwoReactions {
        /// The plugin.
        id: PluginId,
        /// Where it was registered.
        origin: Origin,
        /// What it requires.
        requirement: PluginId,
        /// What the two say.
        reactions: (Option<Reaction>, Option<Reaction>),
    },
    /// A plugin that the application requires is not there.
    #[error(
        "`{id}` is required (at {place}) and not registered{near}; an id is `namespace:name`, and a \
         crate that nothing names is not linked, whatever Cargo.toml says: name it with \
         plux::link!(the_crate)"
    )]
    Required {
        /// The id that is required.
        id: String,
        /// Names like it, of its namespace.
        near: Near,
        /// Where it is required.
        place: &'static std::panic::Location<'static>,
    },
    /// A crate that `link!` names registers nothing.
    #[error(
        "crate `{name}`, linked at {origin}, registers nothing; take it out of link!, or turn on the \
         feature that its plugins are behind"
    )]
    Silent {
        /// The crate.
        name: &'static str,
        /// Where it is linked.
        origin: Origin,
    },
}

debug_as_text!(CheckError);

//! What goes wrong with plugins: finding, resolving, loading. Each error names the plugin, the phase,
//! the place of its registration and the way out.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::text::debug_as_text;
use crate::name::{Name, Namespace, PluginId};
use crate::origin::Origin;
use crate::reason::Phase;
use crate::task::Panic;

/// Why a namespace may be empty.
pub(crate) const NOT_LINKED: &str = ": the namespace is empty, and a crate that nothing names is not \
    linked, whatever Cargo.toml says; name it with plux::link!(the_crate)";

/// What user code fails with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What user code failed with, shared by all who learn of it.
pub type SharedError = Arc<dyn std::error::Error + Send + Sync + 'static>;

/// The names that are nearest to one that is not there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Near(pub Vec<Name>);

impl fmt::Display for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.iter().enumerate() {
            write!(f, "{}`{name}`", if at == 0 { "; did you mean " } else { ", " })?;
        }
        Ok(())
    }
}

/// Why a finder has no answer, or none for one entry.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// The finder failed.
    #[error("finder {finder} failed: {source}")]
    Failed {
        /// Which finder.
        finder: &'static str,
        /// What it failed with.
        source: SharedError,
    },
    /// The finder panicked.
    #[error("finder {finder} {panic}")]
    Panicked {
        /// Which finder.
        finder: &'static str,
        /// What it left behind.
        panic: Panic,
    },
    /// Several plugins of one id; none of them is used.
    #[error("{id} is registered twice: at {} and at {}; rename one", .origins.0, .origins.1)]
    Duplicate {
        /// The id.
        id: PluginId,
        /// The first two places.
        origins: Box<(Origin, Origin)>,
    },
    /// The finder could make no spec of one of its entries.
    #[error(transparent)]
    Entry(#[from] EntryError),
}

/// Why a [finder](crate::PluginFinder) could make no spec of one of its entries.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
#[error("`{entry}` (found at {origin}) can not be resolved: {source}")]
pub struct EntryError {
    /// What the finder calls the entry: the plugin's name, if it has one.
    pub entry: String,
    /// Where the entry stands.
    pub origin: Origin,
    /// What went wrong with it.
    pub source: SharedError,
}

impl EntryError {
    /// Reports an entry. When `entry` is a valid [name](crate::is_valid_name), whoever asks for the
    /// plugin of that name gets this error.
    #[track_caller]
    pub fn new(entry: impl Into<String>, source: impl Into<BoxError>) -> Self {
        let place = std::panic::Location::caller();
        Self {
            entry: entry.into(),
            origin: Origin::new("", "", "", place.file(), place.line()),
            source: source.into().into(),
        }
    }

    /// Sets the origin, which is otherwise the place that called [`EntryError::new`].
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }
}

/// Why one phase of one plugin failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
#[error("{id} (registered at {origin}) failed in {phase}: {cause}")]
pub struct LoadFailure {
    /// The plugin.
    pub id: PluginId,
    /// Where it was registered.
    pub origin: Origin,
    /// The phase that failed.
    pub phase: Phase,
    /// What happened in it.
    #[source]
    pub cause: FailureCause,
}

/// What happened in a phase that failed. An error of the user's is its [`source`](Error::source), as the
/// type that it is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum FailureCause {
    /// It returned an error.
    Error(SharedError),
    /// It panicked.
    Panic(Panic),
    /// The spec belongs to another extension point than the manager.
    Mismatch {
        /// The extension point of the spec.
        registered: &'static str,
        /// The extension point of the manager.
        expected: &'static str,
        /// Where the manager was built.
        manager: &'static std::panic::Location<'static>,
    },
    /// Its place in the graph makes it unusable.
    Graph(Arc<GraphError>),
    /// It is registered twice, or its finder could not resolve it.
    Find(FindError),
    /// It took longer than its manager allows.
    Late {
        /// The time it had.
        limit: Duration,
    },
    /// The load was cut short: its manager was closed, or the runtime it ran on was ended.
    Aborted,
}

impl fmt::Display for FailureCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Panic(panic) => panic.fmt(f),
            Self::Mismatch { registered, expected, manager } => write!(
                f,
                "it is registered for {registered}, and the manager loads {expected} (from {manager}); \
                 register it in another namespace"
            ),
            Self::Graph(problem) => problem.fmt(f),
            Self::Find(problem) => problem.fmt(f),
            Self::Late { limit } => {
                write!(f, "it took longer than {limit:?}, the time its manager gives to this phase")
            }
            Self::Aborted => f.write_str(
                "it was cut short: its manager was closed, or the runtime it ran on was ended",
            ),
        }
    }
}

impl Error for FailureCause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Error(error) => Some(&**error),
            Self::Graph(problem) => problem.source(),
            Self::Find(problem) => problem.source(),
            _ => None,
        }
    }
}

/// Why a plugin can not be loaded, whatever its code does: its place in the graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// The path leads back to its first member.
    #[error("dependency cycle: {}", PathText(.path))]
    Cycle {
        /// The members in the order of their edges; the last one depends on the first.
        path: Vec<(PluginId, Origin)>,
    },
    /// It requires what is not there.
    #[error(
        "{id} (registered at {origin}) requires {requirement}, which is not registered{near}; \
         is its crate named with plux::link!?"
    )]
    Unknown {
        /// Who requires it.
        id: PluginId,
        /// Where that was registered.
        origin: Origin,
        /// What is not there.
        requirement: PluginId,
        /// Names like it.
        near: Near,
    },
    /// It depends on what is unusable itself.
    #[error("{id} depends on {on}, which can not be used: {source}")]
    Dependency {
        /// Who depends.
        id: PluginId,
        /// On whom.
        on: PluginId,
        /// Why that is unusable.
        source: Arc<GraphError>,
    },
}

struct Because<'a>(&'a Option<Arc<LoadError>>);

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))
    }
}

struct PathText<'a>(&'a [(PluginId, Origin)]);

impl fmt::Display for PathText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, origin) in self.0 {
            write!(f, "{id} ({}:{}) → ", origin.file, origin.line)?;
        }
        match self.0.first() {
            Some((id, _)) => write!(f, "{id}"),
            None => Ok(()),
        }
    }
}

/// Why a plugin was not loaded.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// No plugin of that name.
    #[error(
        "no plugin `{name}` in namespace `{namespace}`{near}{}{}",
        if *.empty { NOT_LINKED } else { "" },
        if *.empty || !.near.0.is_empty() { "" } else { "; is its crate named with plux::link!?" }
    )]
    Unknown {
        /// The namespace that was searched.
        namespace: Namespace,
        /// The name that was asked for.
        name: String,
        /// Names like it.
        near: Near,
        /// Whether the namespace has no plugin at all.
        empty: bool,
    },
    /// No plugin of a name that the manager was told to require.
    #[error(
        "no plugin `{name}` in namespace `{namespace}`, and the manager (from {manager}) requires \
         it{near}; a crate that nothing names is not linked, whatever Cargo.toml says: name it with \
         plux::link!(the_crate)"
    )]
    Required {
        /// The namespace that was searched.
        namespace: Namespace,
        /// The name that is required.
        name: String,
        /// Names like it.
        near: Near,
        /// Where the manager was built.
        manager: &'static std::panic::Location<'static>,
    },
    /// The finder has no answer, or none for this plugin.
    #[error(transparent)]
    Find(#[from] FindError),
    /// Its place in the graph makes it unusable.
    #[error(transparent)]
    Graph(#[from] Arc<GraphError>),
    /// One of its phases failed.
    #[error(transparent)]
    Failed(#[from] Arc<LoadFailure>),
    /// It did not want to load, or a filter refused it.
    #[error("{id} (registered at {origin}) is disabled: {reason}")]
    Disabled {
        /// The plugin.
        id: PluginId,
        /// Where it was registered.
        origin: Origin,
        /// Why.
        reason: Arc<str>,
    },
    /// A load asked for one that waits for it.
    #[error(
        "a load would wait for itself: {}; what a load asks for must not wait for that load",
        PathText(.path)
    )]
    WaitsForItself {
        /// The one that asked, and those that it would wait for, each for the next and the last one
        /// for the first.
        path: Vec<(PluginId, Origin)>,
    },
    /// What it requires is not there.
    #[error("{id} (registered at {origin}) was skipped because of {because}{}", Because(.source))]
    Skipped {
        /// The plugin.
        id: PluginId,
        /// Where it was registered.
        origin: Origin,
        /// The requirement that failed, is disabled or was skipped itself.
        because: PluginId,
        /// Why that is not there, or the one that it was skipped for; in a report those are listed.
        source: Option<Arc<LoadError>>,
    },
}

debug_as_text!(FindError LoadError);

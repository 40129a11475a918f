//! Where specs come from: what is linked, a list made at run time, or several sources in a chain.

use crate::error::{BoxError, EntryError, FindError};
use crate::name::Namespace;
use crate::registry;
use crate::spec::{PluginSpec, SpecRef};
use crate::task;

/// A source of specs.
///
/// A manager asks its finder when something is first asked of it, once: what was found stays. A
/// finder that failed or panicked is asked again the next time. Nothing of a plugin runs by being
/// found.
///
/// ```
/// use plux::{BoxError, Found, Namespace, PluginFinder, RegistryFinder};
///
/// /// Only what crates of ours have registered.
/// struct Ours;
///
/// impl PluginFinder for Ours {
///     fn find(&self, namespace: &Namespace) -> Result<Found, BoxError> {
///         let mut found = RegistryFinder.find(namespace)?;
///         found.specs.retain(|spec| spec.origin().package.starts_with("ours-"));
///         Ok(found)
///     }
/// }
/// ```
pub trait PluginFinder: Send + Sync + 'static {
    /// The specs of `namespace`, in any order; those of other namespaces are ignored. It runs on the
    /// thread of whoever asks the manager first, while others who ask wait, their threads blocked. When
    /// it asks that manager itself, it gets an error.
    ///
    /// Trap: nothing sees a wait that goes by another thread. A finder that asks its manager from a
    /// thread of its own and waits for that waits for ever, and so do two managers that are first asked
    /// from two threads and whose finders ask each other. A finder may ask another manager as long as
    /// that one's does not ask back.
    ///
    /// # Errors
    /// When there is no answer at all; the manager hands it on as
    /// [`FindError::Failed`](crate::FindError::Failed). What is wrong with one entry belongs into
    /// [`Found::errors`], so that the others can be used.
    fn find(&self, namespace: &Namespace) -> Result<Found, BoxError>;

    /// What errors call this finder; its type, unless it says otherwise.
    fn name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }
}

/// What a finder found.
///
/// ```
/// use plux::{BoxError, EntryError, Found, Name, Namespace, PluginFinder, PluginSpec};
///
/// # trait Job: Send + Sync {}
/// # fn job(_: &str) -> Result<std::sync::Arc<dyn Job>, BoxError> { Err("no job".into()) }
/// /// A plugin for each line of a text.
/// struct Lines(&'static str);
///
/// impl PluginFinder for Lines {
///     fn find(&self, namespace: &Namespace) -> Result<Found, BoxError> {
///         let mut found = Found::default();
///         for line in self.0.lines() {
///             match Name::new(line) {
///                 Ok(name) => {
///                     let spec = PluginSpec::new(namespace.clone(), name, || job("…"));
///                     found.specs.push(spec.into());
///                 }
///                 Err(error) => found.errors.push(EntryError::new(line, error)),
///             }
///         }
///         Ok(found)
///     }
/// }
///
/// let found = Lines("s3\nno name\nsqs").find(&Namespace::literal("jobs"))?;
/// assert_eq!((found.specs.len(), found.errors.len()), (2, 1));
/// # Ok::<(), BoxError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The specs, in any order.
    pub specs: Vec<SpecRef>,
    /// The entries that no spec could be made of. One whose name is that of a plugin is listed as such
    /// and can not be used; any other is told of by
    /// [`PluginManager::unresolved`](crate::PluginManager::unresolved).
    pub errors: Vec<EntryError>,
}

impl FromIterator<SpecRef> for Found {
    fn from_iter<I: IntoIterator<Item = SpecRef>>(specs: I) -> Self {
        Vec::from_iter(specs).into()
    }
}

impl From<Vec<SpecRef>> for Found {
    fn from(specs: Vec<SpecRef>) -> Self {
        Self { specs, errors: Vec::new() }
    }
}

/// Finds what the attributes have registered in the crates of the binary. The default.
///
/// Trap: a crate that nothing names is not linked, whatever Cargo.toml says; name it with
/// `plux::link!`.
#[derive(Debug, Clone, Copy, Default)]
pub struct RegistryFinder;

impl PluginFinder for RegistryFinder {
    fn find(&self, namespace: &Namespace) -> Result<Found, BoxError> {
        Ok(registry::specs_of(namespace).map(SpecRef::Static).collect())
    }
}

/// Finds the specs it was given.
///
/// ```
/// use plux::{ListFinder, PluginSpec};
///
/// let none = ListFinder::new(Vec::<PluginSpec>::new());
/// ```
#[derive(Debug, Clone)]
pub struct ListFinder {
    specs: Vec<SpecRef>,
}

impl ListFinder {
    /// Takes the specs, of any namespaces.
    pub fn new<S: Into<SpecRef>>(specs: impl IntoIterator<Item = S>) -> Self {
        Self { specs: specs.into_iter().map(Into::into).collect() }
    }
}

impl PluginFinder for ListFinder {
    fn find(&self, namespace: &Namespace) -> Result<Found, BoxError> {
        let of_namespace = |spec: &&SpecRef| PluginSpec::namespace(spec) == namespace;
        Ok(self.specs.iter().filter(of_namespace).cloned().collect())
    }
}

/// Finds what all of its finders find. None goes before another: an id that two of them have is a
/// [duplicate](crate::FindError::Duplicate).
///
/// When one fails as a whole, so does the chain: what was found stays for the life of the manager, so
/// half an answer would hide the other half for good. The manager asks the chain again the next time,
/// and the chain all of its finders. A finder whose plugins are worth less than that answers with an
/// [error of an entry](Found::errors) instead.
///
/// ```
/// use plux::{Chain, ListFinder, PluginSpec, RegistryFinder};
///
/// # let specs = Vec::<PluginSpec>::new();
/// let linked_and_listed = Chain::new().with(RegistryFinder).with(ListFinder::new(specs));
/// ```
#[derive(Default)]
#[must_use]
pub struct Chain {
    finders: Vec<Box<dyn PluginFinder>>,
}

impl Chain {
    /// A chain that finds nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a finder. Finders are asked in the order they were added.
    pub fn with(mut self, finder: impl PluginFinder) -> Self {
        self.finders.push(Box::new(finder));
        self
    }
}

impl PluginFinder for Chain {
    fn find(&self, namespace: &Namespace) -> Result<Found, BoxError> {
        let mut all = Found::default();
        for member in &self.finders {
            let finder = member.name();
            let found = match task::catch(|| member.find(namespace)) {
                Ok(Ok(found)) => found,
                Ok(Err(error)) => {
                    return Err(FindError::Failed { finder, source: error.into() }.into());
                }
                Err(panic) => return Err(FindError::Panicked { finder, panic: *panic }.into()),
            };
            all.specs.extend(found.specs);
            all.errors.extend(found.errors);
        }
        Ok(all)
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.finders.iter().map(|finder| finder.name())).finish()
    }
}

//! Where specs come from: what is linked, or a list made at run time.

use crate::error::BoxError;
use crate::name::Namespace;
use crate::registry;
use crate::spec::{PluginSpec, SpecRef};

/// A source of specs.
///
/// A manager asks its finder when something is first asked of it, once: what was found stays. A
/// finder that failed or panicked is asked again the next time. Nothing of a plugin runs by being
/// found.
///
/// ```
/// use plux::{BoxError, Namespace, PluginFinder, RegistryFinder, SpecRef};
///
/// /// Only what crates of ours have registered.
/// struct Ours;
///
/// impl PluginFinder for Ours {
///     fn find(&self, namespace: &Namespace) -> Result<Vec<SpecRef>, BoxError> {
///         let mut specs = RegistryFinder.find(namespace)?;
///         specs.retain(|spec| spec.origin().package.starts_with("ours-"));
///         Ok(specs)
///     }
/// }
/// ```
pub trait PluginFinder: Send + Sync + 'static {
    /// The specs of `namespace`, in any order; those of other namespaces are ignored. It runs on the
    /// thread of whoever asks the manager first, while others who ask wait, so it must not ask that
    /// manager itself.
    ///
    /// # Errors
    /// When there is no answer at all; the manager hands it on as
    /// [`FindError::Failed`](crate::FindError::Failed).
    fn find(&self, namespace: &Namespace) -> Result<Vec<SpecRef>, BoxError>;

    /// What errors call this finder; its type, unless it says otherwise.
    fn name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }
}

/// Finds what the attributes have registered in the crates of the binary. The default.
///
/// Trap: a crate that nothing names is not linked, whatever Cargo.toml says; name it with
/// `plux::link!`.
#[derive(Debug, Clone, Copy, Default)]
pub struct RegistryFinder;

impl PluginFinder for RegistryFinder {
    fn find(&self, namespace: &Namespace) -> Result<Vec<SpecRef>, BoxError> {
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
    fn find(&self, namespace: &Namespace) -> Result<Vec<SpecRef>, BoxError> {
        let of_namespace = |spec: &&SpecRef| PluginSpec::namespace(spec) == namespace;
        Ok(self.specs.iter().filter(of_namespace).cloned().collect())
    }
}

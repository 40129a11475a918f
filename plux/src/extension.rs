//! The extension point: the typed contract of a namespace, and the resolving of a spec to it.
//!
//! Trap: the contract holds for `dyn Trait + 'a` with any `'a`. When the compiler asks whether a future
//! is `Send` it forgets the lifetimes in what the future holds, and with a contract of
//! `dyn Trait + 'static` alone no future that holds a manager could be spawned.

use std::any::Any;
use std::sync::Arc;

use futures::future::BoxFuture;

use crate::error::BoxError;
use crate::name::Namespace;
use crate::spec::{Factory, PluginSpec};

/// The contract of a namespace: what every load is given and what it yields.
///
/// `#[plux::extension_point]` implements it for `dyn Trait`; nobody writes it by hand. Code that is
/// generic over extension points asks for `P: ExtensionPoint + ?Sized + 'static`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an extension point",
    label = "not an extension point",
    note = "its trait needs `#[plux::extension_point(namespace = \"…\")]`"
)]
pub trait ExtensionPoint: Send + Sync {
    /// The namespace; `None` where the host names it (function plugins).
    const NAMESPACE: Option<Namespace>;
    /// The trait's path, `aws_api::ServicePlugin`, for records and messages.
    const PATH: &'static str;
    /// What the manager hands to every plugin of the namespace.
    type Context: Send + Sync + 'static;
    /// What a load yields.
    type Output: Send + Sync + 'static;

    /// Whether the plugin has a `should_load` of its own; without one it is not asked.
    fn asks_should_load(&self) -> bool;

    /// Whether the plugin wants to be loaded.
    fn should_load<'a>(
        &'a self,
        context: &'a Self::Context,
    ) -> BoxFuture<'a, Result<bool, BoxError>>;

    /// Loads the plugin.
    fn load<'a>(
        &'a self,
        context: &'a Self::Context,
    ) -> BoxFuture<'a, Result<Self::Output, BoxError>>;
}

/// The namespace of an extension point that names one, in a constant; for another it is a compile
/// error.
pub(crate) const fn namespace_of<P: ExtensionPoint + ?Sized>() -> &'static str {
    match const { &P::NAMESPACE } {
        Some(namespace) => namespace.as_literal(),
        None => panic!(
            "this extension point names no namespace; a manager of functions is built by \
             PluginManager::functions"
        ),
    }
}

/// The typed factory of `spec`, or `None` when the spec belongs to another extension point.
pub(crate) fn resolve<P: ExtensionPoint + ?Sized + 'static>(
    spec: &PluginSpec,
) -> Option<&Factory<P>> {
    let any: &dyn Any = spec.factory();
    any.downcast_ref::<Factory<P>>()
}

/// Runs the factory of `spec`; user code.
pub(crate) fn make<P: ExtensionPoint + ?Sized + 'static>(
    factory: &Factory<P>,
) -> Result<Arc<P>, BoxError> {
    factory.make()
}

//! Building a manager.

use std::panic::Location;
use std::sync::Arc;

use super::handle::PluginManager;
use super::shared::Shared;
use crate::extension::ExtensionPoint;
use crate::finder::{PluginFinder, RegistryFinder};
use crate::listener::{Hub, Listener};
use crate::name::Namespace;

/// Builds a [`PluginManager`]; see [`PluginManager::builder`].
#[must_use = "a builder does nothing until build() is called"]
pub struct PluginManagerBuilder<P: ExtensionPoint + ?Sized> {
    context: P::Context,
    namespace: Option<Namespace>,
    finder: Box<dyn PluginFinder>,
    listeners: Vec<Box<dyn Listener>>,
}

impl<P: ExtensionPoint + ?Sized + 'static> PluginManagerBuilder<P> {
    pub(super) fn new(context: P::Context) -> Self {
        let finder = Box::new(RegistryFinder);
        Self { context, namespace: P::NAMESPACE, finder, listeners: Vec::new() }
    }

    /// Manages another namespace than the one that the extension point names.
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// Takes specs from `finder` instead of the [`RegistryFinder`].
    pub fn finder(mut self, finder: impl PluginFinder) -> Self {
        self.finder = Box::new(finder);
        self
    }

    /// Adds a listener. Listeners are called in the order they were added.
    pub fn listener(mut self, listener: impl Listener) -> Self {
        self.listeners.push(Box::new(listener));
        self
    }

    /// Makes the manager. Nothing is searched or loaded yet.
    ///
    /// # Panics
    /// When the extension point names no namespace and none was given.
    #[track_caller]
    pub fn build(self) -> PluginManager<P> {
        let place = Location::caller();
        let Some(namespace) = self.namespace else {
            panic!(
                "{} names no namespace: give one to the builder with .namespace(…)",
                std::any::type_name::<P>()
            );
        };
        let hub = Hub::new(self.listeners);
        let shared = Shared::new(self.context, namespace, self.finder, hub, place);
        PluginManager::new(Arc::new(shared))
    }
}

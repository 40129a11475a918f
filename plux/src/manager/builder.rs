//! Building a manager.

use std::panic::Location;
use std::sync::Arc;

use super::handle::PluginManager;
use super::shared::Shared;
use crate::extension::ExtensionPoint;
use crate::filter::{Filters, PluginFilter};
use crate::finder::{PluginFinder, RegistryFinder};
use crate::listener::{Hub, Listener};
use crate::name::Namespace;

/// Builds a [`PluginManager`]; see [`PluginManager::builder`].
#[must_use = "a builder does nothing until build() is called"]
pub struct PluginManagerBuilder<P: ExtensionPoint + ?Sized + 'static> {
    context: P::Context,
    namespace: Option<Namespace>,
    finder: Box<dyn PluginFinder>,
    filters: Vec<Box<dyn PluginFilter<P>>>,
    listeners: Vec<Box<dyn Listener>>,
}

impl<P: ExtensionPoint + ?Sized + 'static> PluginManager<P> {
    /// Builds a manager; `context` is what it hands to every plugin.
    pub fn builder(context: P::Context) -> PluginManagerBuilder<P> {
        PluginManagerBuilder {
            context,
            namespace: P::NAMESPACE,
            finder: Box::new(RegistryFinder),
            filters: Vec::new(),
            listeners: Vec::new(),
        }
    }
}

impl<P: ExtensionPoint + ?Sized + 'static> PluginManagerBuilder<P> {
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

    /// Adds a filter, which may refuse plugins: a [`FilterRule`](crate::FilterRule) or one of one's
    /// own. Filters are asked in the order they were added, after the [process-wide
    /// rules](crate::FilterRule::install), which these do not replace; the first refusal counts.
    pub fn filter(mut self, filter: impl PluginFilter<P>) -> Self {
        self.filters.push(Box::new(filter));
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
        let (filters, hub) = (Filters::new(self.filters), Hub::new(self.listeners));
        let shared = Shared::new(self.context, namespace, self.finder, filters, hub, place);
        PluginManager::new(Arc::new(shared))
    }
}

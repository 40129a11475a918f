//! A handle on a loaded plugin.

use std::fmt;
use std::sync::Arc;

use crate::extension::ExtensionPoint;
use crate::name::Name;
use crate::spec::PluginSpec;
use crate::table::{Entry, Value};

/// A loaded plugin and what its load yielded.
///
/// A clone is another handle on the same plugin. What `load` acquired lives until the manager is
/// dropped, or until the last handle is, if that is later.
pub struct Loaded<P: ExtensionPoint + ?Sized> {
    entry: Arc<Entry<P>>,
}

impl<P: ExtensionPoint + ?Sized> Loaded<P> {
    /// A handle on the row, if its plugin is loaded.
    pub(crate) fn of(entry: &Arc<Entry<P>>) -> Option<Self> {
        entry.value().is_some().then(|| Self { entry: Arc::clone(entry) })
    }

    fn value(&self) -> &Value<P> {
        match self.entry.value() {
            Some(value) => value,
            None => unreachable!("a handle is made of a loaded row, and a value is never taken"),
        }
    }

    /// The plugin's name.
    pub fn name(&self) -> &Name {
        self.entry.spec().name()
    }

    /// The plugin itself.
    pub fn plugin(&self) -> &P {
        &self.value().plugin
    }

    /// What its `load` yielded.
    pub fn output(&self) -> &P::Output {
        &self.value().output
    }

    /// What is known of it without running it.
    pub fn spec(&self) -> &PluginSpec {
        self.entry.spec()
    }
}

impl<P: ExtensionPoint + ?Sized> Clone for Loaded<P> {
    fn clone(&self) -> Self {
        Self { entry: Arc::clone(&self.entry) }
    }
}

impl<P: ExtensionPoint + ?Sized> fmt::Debug for Loaded<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Loaded({})", self.entry.spec().id())
    }
}

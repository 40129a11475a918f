//! A handle on a loaded plugin.

use std::fmt;
use std::sync::Arc;

use crate::error::{FailureCause, LoadError, LoadFailure};
use crate::extension::ExtensionPoint;
use crate::name::Name;
use crate::reason::Phase;
use crate::spec::PluginSpec;
use crate::table::{Entry, Outcome, Reason, Value};

/// A loaded plugin and what its load yielded.
///
/// A clone is another handle on the same plugin. What `load` acquired lives until the manager is
/// dropped, or until the last handle is, if that is later.
pub struct Loaded<P: ExtensionPoint + ?Sized + 'static> {
    entry: Arc<Entry<P>>,
}

impl<P: ExtensionPoint + ?Sized + 'static> Loaded<P> {
    /// A handle on the row, if its plugin is loaded.
    pub(crate) fn of(entry: &Arc<Entry<P>>) -> Option<Self> {
        entry.value().is_some().then(|| Self { entry: Arc::clone(entry) })
    }

    /// How the last attempt for `entry` ended, as a caller is told.
    ///
    /// # Errors
    /// Why it is not loaded.
    pub(crate) fn outcome(entry: &Arc<Entry<P>>) -> Result<Self, LoadError> {
        if let Some(loaded) = Self::of(entry) {
            return Ok(loaded);
        }
        let (id, origin) = (entry.spec().id(), entry.spec().origin());
        Err(match entry.outcome() {
            Outcome::Not(Reason::Failed(failure)) => LoadError::Failed(failure),
            Outcome::Not(Reason::Disabled(reason)) => LoadError::Disabled { id, origin, reason },
            Outcome::Not(Reason::Skipped(because)) => {
                LoadError::Skipped { id, origin, because, source: None }
            }
            // No attempt has come to an end: the runtime was ended first.
            Outcome::Open | Outcome::Loaded => {
                let (phase, cause) = (Phase::Resolve, FailureCause::Aborted);
                LoadError::Failed(Arc::new(LoadFailure { id, origin, phase, cause }))
            }
        })
    }

    pub(crate) fn into_entry(self) -> Arc<Entry<P>> {
        self.entry
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

impl<P: ExtensionPoint + ?Sized + 'static> Clone for Loaded<P> {
    fn clone(&self) -> Self {
        Self { entry: Arc::clone(&self.entry) }
    }
}

impl<P: ExtensionPoint + ?Sized + 'static> fmt::Debug for Loaded<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Loaded({})", self.entry.spec().id())
    }
}

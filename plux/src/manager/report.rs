//! What came of a `load_all`.

use std::fmt;
use std::sync::Arc;

use super::loaded::Loaded;
use crate::error::{EntryError, FindError, LoadError, NOT_LINKED};
use crate::extension::ExtensionPoint;
use crate::name::PluginId;
use crate::table::Table;

/// How each plugin of a manager stands after `load_all`, each list in the order of names.
///
/// It prints as a line of counts, and one line for each plugin that is not loaded; without any plugin it
/// says what the reason may be.
#[must_use = "plugins that failed to load are told of here only"]
pub struct LoadReport<P: ExtensionPoint + ?Sized + 'static> {
    pub(super) loaded: Vec<Loaded<P>>,
    pub(super) disabled: Vec<(PluginId, Arc<str>)>,
    pub(super) failed: Vec<(PluginId, LoadError)>,
    pub(super) skipped: Vec<(PluginId, PluginId)>,
    pub(super) missing: Vec<LoadError>,
    pub(super) unresolved: Vec<EntryError>,
    pub(super) find_error: Option<FindError>,
}

impl<P: ExtensionPoint + ?Sized + 'static> LoadReport<P> {
    /// The loaded ones.
    pub fn loaded(&self) -> &[Loaded<P>] {
        &self.loaded
    }

    /// Those that did not want to load or were refused by a filter, and why.
    pub fn disabled(&self) -> &[(PluginId, Arc<str>)] {
        &self.disabled
    }

    /// Those that failed, and how; also those that can not be used for their place in the graph,
    /// because their name is taken twice, or because the finder could not resolve them.
    pub fn failed(&self) -> &[(PluginId, LoadError)] {
        &self.failed
    }

    /// Those that were left out, and the requirement that was the reason.
    pub fn skipped(&self) -> &[(PluginId, PluginId)] {
        &self.skipped
    }

    /// The names that the manager was told to [require](crate::PluginManagerBuilder::require) and that
    /// no plugin has, in order: each a [`LoadError::Required`].
    pub fn missing(&self) -> &[LoadError] {
        &self.missing
    }

    /// The entries that the finder could not resolve and that have no plugin's name, in order.
    pub fn unresolved(&self) -> &[EntryError] {
        &self.unresolved
    }

    /// Why there is no plugin at all: the finder had no answer. The next call asks it again.
    pub fn find_error(&self) -> Option<&FindError> {
        self.find_error.as_ref()
    }

    /// Whether the finder answered for all of its entries, no required plugin is missing and none failed.
    /// Disabled plugins, and those skipped because of them, are no failure.
    pub fn is_ok(&self) -> bool {
        self.find_error.is_none()
            && self.missing.is_empty()
            && self.unresolved.is_empty()
            && self.failed.is_empty()
    }

    /// How the plugins of `table` stand now.
    pub(super) fn of(table: &Table<P>, missing: impl Iterator<Item = LoadError>) -> Self {
        let unresolved = table.unresolved().to_vec();
        let mut report = Self { missing: missing.collect(), unresolved, ..Self::default() };
        report.loaded.reserve_exact(table.rows().len());
        for entry in table.rows() {
            if let Some(loaded) = Loaded::of(entry) {
                report.loaded.push(loaded);
                continue;
            }
            let result = match table.unusable(entry) {
                Some(problem) => Err(problem.clone()),
                None => Loaded::outcome(entry),
            };
            match result {
                Ok(loaded) => report.loaded.push(loaded),
                Err(LoadError::Disabled { id, reason, .. }) => report.disabled.push((id, reason)),
                Err(LoadError::Skipped { id, because, .. }) => report.skipped.push((id, because)),
                Err(error) => report.failed.push((entry.spec().id(), error)),
            }
        }
        report
    }

    /// Nothing was done: the plugin that asks would wait for itself.
    pub(super) fn refused(error: LoadError) -> Self {
        let mut report = Self::default();
        if let LoadError::WaitsForItself { path } = &error
            && let Some((id, _)) = path.first()
        {
            report.failed.push((id.clone(), error));
        }
        report
    }

    pub(super) fn not_found(error: FindError) -> Self {
        Self { find_error: Some(error), ..Self::default() }
    }
}

impl<P: ExtensionPoint + ?Sized + 'static> Default for LoadReport<P> {
    fn default() -> Self {
        Self {
            loaded: Vec::new(),
            disabled: Vec::new(),
            failed: Vec::new(),
            skipped: Vec::new(),
            missing: Vec::new(),
            unresolved: Vec::new(),
            find_error: None,
        }
    }
}

impl<P: ExtensionPoint + ?Sized + 'static> fmt::Display for LoadReport<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = &self.find_error {
            return write!(f, "no plugins: {error}");
        }
        let (loaded, disabled) = (self.loaded.len(), self.disabled.len());
        let (failed, skipped) = (self.failed.len(), self.skipped.len());
        write!(f, "{loaded} loaded, {disabled} disabled, {failed} failed, {skipped} skipped")?;
        let known =
            loaded + disabled + failed + skipped + self.missing.len() + self.unresolved.len();
        if known == 0 {
            f.write_str(NOT_LINKED)?;
        }
        for (id, reason) in &self.disabled {
            write!(f, "\n  disabled {id}: {reason}")?;
        }
        for (_, error) in &self.failed {
            write!(f, "\n  failed: {error}")?;
        }
        for (id, because) in &self.skipped {
            write!(f, "\n  skipped {id} because of {because}")?;
        }
        for error in &self.missing {
            write!(f, "\n  missing: {error}")?;
        }
        for error in &self.unresolved {
            write!(f, "\n  {error}")?;
        }
        Ok(())
    }
}

impl<P: ExtensionPoint + ?Sized + 'static> fmt::Debug for LoadReport<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadReport")
            .field("loaded", &self.loaded)
            .field("disabled", &self.disabled)
            .field("failed", &self.failed)
            .field("skipped", &self.skipped)
            .field("missing", &self.missing)
            .field("unresolved", &self.unresolved)
            .field("find_error", &self.find_error)
            .finish()
    }
}

//! The manager as its users see it.

use std::fmt;
use std::sync::Arc;

use super::batch::{self, Members};
use super::builder::PluginManagerBuilder;
use super::loaded::Loaded;
use super::report::LoadReport;
use super::shared::Shared;
use crate::error::{FailureCause, FindError, LoadError, LoadFailure};
use crate::extension::ExtensionPoint;
use crate::name::{Name, Namespace};
use crate::reason::Phase;
use crate::spec::SpecRef;
use crate::state::PluginState;
use crate::table::{Entry, Outcome, Reason, Table};

/// Finds the plugins of one namespace, loads them once, and owns what they yield.
///
/// A clone is another handle on the same manager. What the plugins have acquired lives until the last
/// handle is dropped; it is then dropped plugin by plugin, dependants first.
///
/// Plugins are loaded in tasks of plux's own on the caller's tokio runtime. A caller that gives up
/// neither cancels nor disturbs a load.
pub struct PluginManager<P: ExtensionPoint + ?Sized> {
    shared: Arc<Shared<P>>,
}

impl<P: ExtensionPoint + ?Sized + 'static> PluginManager<P> {
    /// Builds a manager; `context` is what it hands to every plugin.
    pub fn builder(context: P::Context) -> PluginManagerBuilder<P> {
        PluginManagerBuilder::new(context)
    }

    pub(super) fn new(shared: Arc<Shared<P>>) -> Self {
        Self { shared }
    }

    /// The namespace.
    pub fn namespace(&self) -> &Namespace {
        &self.shared.namespace
    }

    /// Loads a plugin, after all that it requires and wants; returns at once when it is loaded.
    ///
    /// However many ask at once, one attempt is made and all get its outcome. A plugin that failed,
    /// or was skipped, is tried again by the next call: its factory is run again only if it had
    /// failed. A disabled plugin stays disabled, and none of its code is run.
    ///
    /// Cancel safe: the load goes on.
    ///
    /// # Errors
    /// [`LoadError`] says why the plugin is not loaded.
    ///
    /// # Panics
    /// When something is to be loaded outside a tokio runtime.
    pub async fn load(&self, name: &str) -> Result<Loaded<P>, LoadError> {
        let table = self.shared.table()?;
        let Some(entry) = table.get(name) else { return Err(self.unknown(table, name)) };
        if let Some(loaded) = Loaded::of(&entry) {
            return Ok(loaded);
        }
        if let Some(problem) = table.unusable(&entry) {
            return Err(problem.clone());
        }
        if entry.is_busy() {
            entry.settled().await;
        } else if !entry.is_disabled() {
            let nodes = table.graph().closure(entry.index());
            match nodes.as_slice() {
                [node] => batch::load_one(&self.shared, table, *node).await,
                _ => batch::load(&self.shared, table, Members::of(nodes)).await,
            }
        }
        outcome(&entry)
    }

    /// Loads all plugins, each as soon as what it depends on has been decided, and reports how each
    /// of them stands. A failure stops nothing but what requires the failed one. Plugins that
    /// failed or were skipped before are tried again.
    ///
    /// Cancel safe: the loads go on.
    ///
    /// # Panics
    /// When something is to be loaded outside a tokio runtime.
    pub async fn load_all(&self) -> LoadReport<P> {
        let table = match self.shared.table() {
            Ok(table) => table,
            Err(error) => return LoadReport::not_found(error),
        };
        batch::load(&self.shared, table, Members::All).await;
        let mut report = LoadReport::default();
        report.loaded.reserve_exact(table.rows().len());
        for entry in table.rows() {
            if let Some(loaded) = Loaded::of(entry) {
                report.loaded.push(loaded);
                continue;
            }
            let result = match table.unusable(entry) {
                Some(problem) => Err(problem.clone()),
                None => outcome(entry),
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

    /// The names of all plugins, in order.
    ///
    /// # Errors
    /// When the finder has no answer. This goes for every question that has to find plugins first;
    /// none of them runs any code of a plugin, and none waits for a load.
    pub fn names(&self) -> Result<Vec<Name>, FindError> {
        let table = self.shared.table()?;
        Ok(table.rows().iter().map(|entry| entry.spec().name().clone()).collect())
    }

    /// The specs of all plugins, in the order of names. Of several with one name it is the first.
    ///
    /// # Errors
    /// As [`names`](Self::names).
    pub fn specs(&self) -> Result<Vec<SpecRef>, FindError> {
        let table = self.shared.table()?;
        Ok(table.rows().iter().map(|entry| entry.spec().clone()).collect())
    }

    /// Whether there is a plugin of that name.
    ///
    /// # Errors
    /// As [`names`](Self::names).
    pub fn contains(&self, name: &str) -> Result<bool, FindError> {
        Ok(self.shared.table()?.get(name).is_some())
    }

    /// Where a plugin stands; `None` for an unknown name, and without an answer of the finder. Never
    /// waits for a load.
    pub fn state(&self, name: &str) -> Option<PluginState> {
        let table = self.shared.table().ok()?;
        table.get(name).map(|entry| table.state(&entry))
    }

    /// A loaded plugin; `None` if it is not loaded. Never waits for a load.
    pub fn get(&self, name: &str) -> Option<Loaded<P>> {
        Loaded::of(&self.shared.table().ok()?.get(name)?)
    }

    /// The loaded plugins, in the order of names, whatever order they finished in.
    pub fn loaded(&self) -> Vec<Loaded<P>> {
        match self.shared.table() {
            Ok(table) => table.rows().iter().filter_map(Loaded::of).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Ends the loads that are pending and lets no new one begin; returns when none is left. Cancel
    /// safe: the manager is closed all the same.
    pub(crate) async fn close(&self) {
        self.shared.closing.close().await;
    }

    /// The plugins that somebody is loading now.
    pub(crate) fn pending(&self) -> Vec<Name> {
        let Ok(table) = self.shared.table() else { return Vec::new() };
        let busy = table.rows().iter().filter(|entry| entry.is_busy());
        busy.map(|entry| entry.spec().name().clone()).collect()
    }

    #[cold]
    fn unknown(&self, table: &Table<P>, name: &str) -> LoadError {
        LoadError::Unknown {
            namespace: self.shared.namespace.clone(),
            name: name.to_owned(),
            near: table.near(name),
            empty: table.rows().is_empty(),
        }
    }
}

/// How the last attempt for `entry` ended, as a caller is told.
fn outcome<P: ExtensionPoint + ?Sized>(entry: &Arc<Entry<P>>) -> Result<Loaded<P>, LoadError> {
    if let Some(loaded) = Loaded::of(entry) {
        return Ok(loaded);
    }
    let (id, origin) = (entry.spec().id(), entry.spec().origin());
    Err(match entry.outcome() {
        Outcome::Not(Reason::Failed(failure)) => LoadError::Failed(failure),
        Outcome::Not(Reason::Disabled(reason)) => LoadError::Disabled { id, origin, reason },
        Outcome::Not(Reason::Skipped(because)) => LoadError::Skipped { id, origin, because },
        // No attempt has come to an end: the runtime was ended first.
        Outcome::Open | Outcome::Loaded => {
            let (phase, cause) = (Phase::Resolve, FailureCause::Aborted);
            LoadError::Failed(Arc::new(LoadFailure { id, origin, phase, cause }))
        }
    })
}

impl<P: ExtensionPoint + ?Sized> Clone for PluginManager<P> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<P: ExtensionPoint + ?Sized> fmt::Debug for PluginManager<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PluginManager({})", self.shared.namespace)
    }
}

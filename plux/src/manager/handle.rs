//! The manager as its users see it.

use std::fmt;
use std::sync::Arc;

use super::batch;
use super::loaded::Loaded;
use super::members::Members;
use super::report::LoadReport;
use super::shared::Shared;
use super::waits;
use crate::error::{EntryError, FindError, LoadError};
use crate::extension::ExtensionPoint;
use crate::listener::Listener;
use crate::name::{Name, Namespace};
use crate::reason::Phase;
use crate::spec::{DependencyKind, SpecRef};
use crate::state::PluginState;
use crate::table::Table;

/// Finds the plugins of one namespace, loads them once, and owns what they yield.
///
/// A clone is another handle on the same manager. When the last handle is dropped, loads that are
/// still pending end where they stand, their futures dropped, and no other begins; then what the
/// plugins have acquired is dropped plugin by plugin, dependents first. Without a load under way that
/// has happened when the drop returns; otherwise the task of the last load does it.
///
/// Plugins are loaded in tasks of plux's own on the caller's tokio runtime. A caller that gives up
/// neither cancels nor disturbs a load.
pub struct PluginManager<P: ExtensionPoint + ?Sized + 'static> {
    owner: Arc<Owner<P>>,
    shared: Arc<Shared<P>>,
}

/// What every handle holds, and no task: the end of the last handle ends the tasks.
struct Owner<P: ExtensionPoint + ?Sized + 'static> {
    shared: Arc<Shared<P>>,
}

impl<P: ExtensionPoint + ?Sized + 'static> Drop for Owner<P> {
    fn drop(&mut self) {
        self.shared.closing.close();
    }
}

impl<P: ExtensionPoint + ?Sized + 'static> PluginManager<P> {
    pub(super) fn new(shared: Arc<Shared<P>>) -> Self {
        Self { owner: Arc::new(Owner { shared: Arc::clone(&shared) }), shared }
    }

    /// The namespace.
    pub fn namespace(&self) -> &Namespace {
        &self.shared.namespace
    }

    /// What the manager hands to every plugin.
    pub fn context(&self) -> &P::Context {
        &self.shared.context
    }

    /// Loads a plugin, after all that it requires and wants; returns at once when it is loaded. What
    /// has loaded pulls nothing in any more.
    ///
    /// However many ask at once, one attempt is made and all get its outcome. A plugin that failed,
    /// or was skipped, is tried again by a call that begins afterwards: its factory is run again only
    /// if it had failed. A disabled plugin stays disabled, and none of its code is run, until it is
    /// [reconsidered](Self::reconsider).
    ///
    /// A load may ask for other loads, of this manager or another, and wait for them. One that would
    /// wait for itself by that, directly or through others, gets an error which spells the way. Only
    /// a load that asks from a task it has spawned is not known to ask.
    ///
    /// Cancel safe: the load goes on.
    ///
    /// # Errors
    /// [`LoadError`] says why the plugin is not loaded.
    ///
    /// # Panics
    /// When something is to be loaded outside a tokio runtime.
    pub async fn load(&self, name: &str) -> Result<Loaded<P>, LoadError> {
        let pulls = |table: &Table<P>, node| {
            let open = |to| table.row(to).value().is_none();
            table.graph().reach(node, |to, kind| kind != DependencyKind::After && open(to))
        };
        self.load_with(name, false, pulls).await
    }

    /// Loads all plugins, each as soon as what it depends on has been decided, and reports how each
    /// of them stands. A failure stops nothing but what requires the failed one. Plugins that
    /// failed or were skipped before are tried again.
    ///
    /// Called by a load of the same manager it would wait for itself: it then loads nothing, and the
    /// report has that error alone, as the failure of the plugin that called.
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
        match waits::begin(table, None, || table.all()) {
            Ok((caller, _waiting)) => {
                batch::load(&self.shared, table, Members::All, caller).await;
                LoadReport::of(table, self.shared.missing(table))
            }
            Err(error) => LoadReport::refused(error),
        }
    }

    /// Loads all plugins as [`load_all`](Self::load_all) does, or returns the first error as soon as
    /// there is one: from then on no load begins. Those that have begun go on, as they do when a
    /// caller gives up, and what has not begun can be loaded later. What can not be used at all, for
    /// its place in the graph, because its name is taken twice, or because the finder could not resolve
    /// it, is an error before anything begins, and so is a
    /// [required](crate::PluginManagerBuilder::require) name that is missing.
    ///
    /// A disabled plugin, and one that is skipped because of it, is no error.
    ///
    /// Cancel safe: the loads go on.
    ///
    /// # Errors
    /// The first one: of the finder, of the graph, or of a plugin that failed.
    ///
    /// # Panics
    /// When something is to be loaded outside a tokio runtime.
    pub async fn try_load_all(&self) -> Result<LoadReport<P>, LoadError> {
        let table = self.shared.table()?;
        if let Some(error) = self.shared.missing(table).next() {
            return Err(error);
        }
        if let Some(error) = table.unresolved().first() {
            return Err(LoadError::Find(error.clone().into()));
        }
        if let Some((entry, problem)) = table.first_unusable() {
            self.shared.refuse(entry, problem);
            return Err(problem.clone());
        }
        let (caller, _waiting) = waits::begin(table, None, || table.all())?;
        batch::try_load(&self.shared, table, Members::All, caller).await?;
        let report = LoadReport::of(table, self.shared.missing(table));
        // Without an answer of the batch something failed all the same when the runtime was ended.
        match report.failed().first() {
            Some((_, error)) => Err(error.clone()),
            None => Ok(report),
        }
    }

    /// Has a disabled plugin asked again by the next load: by its `should_load`, or its `load`, or by
    /// the filters that refused it. Answers whether it was disabled; what was made of the plugin is
    /// kept, so its factory is run only if it was not. Nothing is loaded by this, and what was skipped
    /// because of it is tried again by a load of its own.
    ///
    /// Waits for an attempt that is under way. Cancel safe.
    ///
    /// # Errors
    /// [`LoadError::Unknown`]; [`LoadError::WaitsForItself`] when the attempt under way is the one that
    /// calls, or waits for it; or the finder has no answer.
    pub async fn reconsider(&self, name: &str) -> Result<bool, LoadError> {
        let table = self.shared.table()?;
        let Some(entry) = table.get(name) else { return Err(self.unknown(table, name)) };
        let (caller, _waiting) = waits::begin(table, Some(entry.index()), || vec![entry.index()])?;
        entry.settled(caller.call).await;
        Ok(entry.reconsider())
    }

    /// The names of all plugins, in order, also of those that can not be used.
    ///
    /// # Errors
    /// When the finder has no answer. This goes for every question that has to find plugins first;
    /// none of them runs any code of a plugin, and none waits for a load.
    pub fn names(&self) -> Result<Vec<Name>, FindError> {
        let table = self.shared.table()?;
        Ok(table.rows().iter().map(|entry| entry.spec().name().clone()).collect())
    }

    /// The specs of all plugins, in the order of names. Of several with one name it is the first; of an
    /// entry that the finder could not resolve it is one whose factory fails with the entry's error.
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

    /// Adds a listener. It is told after those that are there, and hears only what follows.
    pub fn listen(&self, listener: impl Listener) {
        self.shared.hub.listen(Box::new(listener));
    }

    /// The entries that the finder could not resolve and that have no plugin's name, in order. One that
    /// has is among the [names](Self::names): its [state](Self::state) is failed, and a load of it is
    /// this error.
    ///
    /// # Errors
    /// As [`names`](Self::names).
    pub fn unresolved(&self) -> Result<Vec<EntryError>, FindError> {
        Ok(self.shared.table()?.unresolved().to_vec())
    }

    /// The required names that no plugin has.
    ///
    /// # Errors
    /// As [`names`](Self::names).
    pub(crate) fn missing(&self) -> Result<Vec<LoadError>, FindError> {
        Ok(self.shared.missing(self.shared.table()?).collect())
    }

    /// Where a plugin stands; `None` for an unknown name. Never waits for a load.
    ///
    /// Without an answer of the finder it is `None` too: [`names`](Self::names) tells that apart.
    pub fn state(&self, name: &str) -> Option<PluginState> {
        let table = self.shared.table().ok()?;
        table.get(name).map(|entry| table.state(entry))
    }

    /// A loaded plugin; `None` if it is not loaded. Never waits for a load.
    ///
    /// Without an answer of the finder it is `None` too: [`names`](Self::names) tells that apart.
    pub fn get(&self, name: &str) -> Option<Loaded<P>> {
        Loaded::of(self.shared.table().ok()?.get(name)?)
    }

    /// The loaded plugins, in the order of names, whatever order they finished in.
    ///
    /// Without an answer of the finder there are none: [`names`](Self::names) tells that apart.
    pub fn loaded(&self) -> Vec<Loaded<P>> {
        match self.shared.table() {
            Ok(table) => table.rows().iter().filter_map(Loaded::of).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Ends the manager's work: loads that are pending end where they stand, their futures dropped, and
    /// no other begins. Returns when none is left and the listeners have heard all that has happened,
    /// which takes as long as they take. A process that ends without a
    /// [supervisor](crate::Supervisor), which does the same at its shutdown, closes its managers before;
    /// otherwise what listeners are still to hear may be lost, as with
    /// [`std::process::exit`] and [`plux::main`](crate::main()).
    ///
    /// What is loaded stays so until the last handle is dropped, and every question is answered. What is
    /// not can not be loaded any more: that is [`LoadError::Failed`] with
    /// [`FailureCause::Aborted`](crate::FailureCause::Aborted), as it is for those whose load was ended.
    /// Closing again changes nothing. A load that closes its own manager is ended by that.
    ///
    /// Cancel safe: the manager is closed all the same.
    ///
    /// ```no_run
    /// use plux::{FnService, PluginManager, Tracing};
    /// use std::process::ExitCode;
    ///
    /// fn main() -> ExitCode {
    ///     plux::main(async {
    ///         let manager = PluginManager::<dyn FnService>::builder(()).listener(Tracing).build();
    ///         let report = manager.load_all().await;
    ///         manager.close().await; // the log says by now why something failed
    ///         if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    ///     })
    /// }
    /// ```
    pub async fn close(&self) {
        self.end_loads().await;
        self.flush().await;
    }

    /// Loads a plugin whose requirements are loaded, and nothing with it: what it wants is somebody
    /// else's to load and to wait for, and so is its place in the graph: what this manager does not have
    /// another one may. Otherwise as [`load`](Self::load).
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(crate) async fn load_alone(&self, name: &str) -> Result<Loaded<P>, LoadError> {
        self.load_with(name, true, |_, node| vec![node]).await
    }

    async fn load_with(
        &self,
        name: &str,
        is_alone: bool,
        pulls: impl FnOnce(&Table<P>, u32) -> Vec<u32>,
    ) -> Result<Loaded<P>, LoadError> {
        let table = self.shared.table()?;
        let Some(entry) = table.get(name) else { return Err(self.unknown(table, name)) };
        if let Some(loaded) = Loaded::of(entry) {
            return Ok(loaded);
        }
        match table.unusable(entry) {
            Some(LoadError::Graph(_)) if is_alone => {}
            Some(problem) => {
                self.shared.refuse(entry, problem);
                return Err(problem.clone());
            }
            None => {}
        }
        if entry.is_disabled() {
            return Loaded::outcome(entry);
        }
        let nodes = pulls(table, entry.index());
        let (caller, _waiting) = waits::begin(table, Some(entry.index()), || nodes.clone())?;
        match nodes.as_slice() {
            _ if entry.is_busy() => entry.settled(caller.call).await,
            [node] => batch::load_one(&self.shared, table, *node, caller).await,
            _ => batch::load(&self.shared, table, Members::of(nodes), caller).await,
        }
        Loaded::outcome(entry).map_err(|error| explained(table, error))
    }

    /// How far the attempt to load a plugin has come. Never waits, and runs no code of the user's.
    pub(crate) fn reached(&self, name: &str) -> Phase {
        let entry = self.shared.table().ok().and_then(|table| table.get(name));
        entry.map_or(Phase::Init, |entry| entry.reached())
    }

    /// Ends the loads that are pending and lets no new one begin; returns when none is left. Cancel
    /// safe: the manager is closed all the same.
    pub(crate) async fn end_loads(&self) {
        self.shared.closing.close();
        self.shared.closing.closed().await;
    }

    /// Returns when the listeners have heard all that has happened.
    pub(crate) async fn flush(&self) {
        self.shared.hub.flush().await;
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

/// With the reason at the end of the way, where a plugin was skipped.
fn explained<P: ExtensionPoint + ?Sized + 'static>(
    table: &Table<P>,
    mut error: LoadError,
) -> LoadError {
    if let LoadError::Skipped { because, source, .. } = &mut error {
        let mut at = because.clone();
        // Another attempt may change the way meanwhile; it never gets longer than this.
        for _ in table.rows() {
            let Some(entry) = table.get(at.name.as_str()) else { break };
            let problem = table.unusable(entry).cloned();
            match problem.map_or_else(|| Loaded::outcome(entry).map(drop), Err) {
                Err(LoadError::Skipped { because, .. }) => at = because,
                Err(why) => {
                    *source = Some(Arc::new(why));
                    break;
                }
                Ok(()) => break,
            }
        }
    }
    error
}

impl<P: ExtensionPoint + ?Sized + 'static> Clone for PluginManager<P> {
    fn clone(&self) -> Self {
        Self { owner: Arc::clone(&self.owner), shared: Arc::clone(&self.shared) }
    }
}

impl<P: ExtensionPoint + ?Sized + 'static> fmt::Debug for PluginManager<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PluginManager({})", self.shared.namespace)
    }
}

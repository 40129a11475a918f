//! What all handles and tasks of a manager share.
//!
//! Trap: the table stands before the context, so that what the plugins acquired goes first.

use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, OnceLock};

use parking_lot::ReentrantMutex;

use super::closing::Closing;
use super::limits::Limits;
use crate::error::{BoxError, EntryError, FindError, LoadError};
use crate::event::EventKind;
use crate::extension::ExtensionPoint;
use crate::filter::Filters;
use crate::finder::PluginFinder;
use crate::given::Given;
use crate::listener::Hub;
use crate::name::Namespace;
use crate::table::{Entry, Table};
use crate::task::{self, Panic};

pub(super) struct Shared<P: ExtensionPoint + ?Sized + 'static> {
    pub(super) table: OnceLock<Arc<Table<P>>>,
    /// Held while the finder runs, so that it runs once; true then, so that a finder which asks its own
    /// manager gets an error instead of waiting for itself.
    pub(super) finding: ReentrantMutex<Cell<bool>>,
    pub(super) finder: Given<Box<dyn PluginFinder>>,
    /// What the finder calls itself. Asked when the manager is built, because it is the user's code.
    pub(super) finder_name: &'static str,
    pub(super) namespace: Namespace,
    pub(super) filters: Filters<P>,
    pub(super) limits: Limits,
    pub(super) hub: Hub,
    pub(super) closing: Closing,
    /// The names that must be there, in order.
    pub(super) required: Vec<String>,
    /// Where the manager was built.
    pub(super) place: &'static Location<'static>,
    pub(super) context: Given<P::Context>,
}

impl<P: ExtensionPoint + ?Sized + 'static> Shared<P> {
    /// The required names that `table` has no plugin of.
    pub(super) fn missing<'a>(
        &'a self,
        table: &'a Table<P>,
    ) -> impl Iterator<Item = LoadError> + 'a {
        let missing = self.required.iter().filter(|name| table.get(name).is_none());
        missing.map(|name| LoadError::Required {
            namespace: self.namespace.clone(),
            name: name.clone(),
            near: table.near(name),
            manager: self.place,
        })
    }

    /// Tells that the plugin of `entry` was asked for, and can not be used.
    pub(super) fn refuse(&self, entry: &Entry<P>, problem: &LoadError) {
        self.hub.emit(|| {
            let text = text_of(problem).unwrap_or_else(|panic| format!("its error {panic}"));
            (entry.spec().id(), EventKind::ResolveFailed(text.into()))
        });
    }

    /// The table; the first call has it found.
    pub(super) fn table(&self) -> Result<&Arc<Table<P>>, FindError> {
        match self.table.get() {
            Some(table) => Ok(table),
            None => self.find(),
        }
    }

    #[cold]
    fn find(&self) -> Result<&Arc<Table<P>>, FindError> {
        let finding = self.finding.lock();
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let finder = self.finder_name;
        if finding.replace(true) {
            let source =
                BoxError::from("it asks its own manager, which waits for its answer").into();
            return Err(FindError::Failed { finder, source });
        }
        // With the table, because specs that have no place in it are dropped: user code.
        let found = task::catch(|| {
            let found = self.finder.find(&self.namespace);
            found.map(|found| Table::new(&self.namespace, found))
        });
        finding.set(false);
        let found = match found {
            Ok(Ok(table)) => table,
            Ok(Err(error)) => return Err(FindError::Failed { finder, source: error.into() }),
            Err(panic) => return Err(FindError::Panicked { finder, panic: *panic }),
        };
        let table = self.table.get_or_init(|| Arc::new(found));
        for error in table.unresolved() {
            match text_of(error) {
                Ok(text) => tracing::error!(namespace = %self.namespace, "{text}"),
                Err(panic) => {
                    let EntryError { entry, origin, .. } = error;
                    tracing::error!(
                        namespace = %self.namespace,
                        "`{entry}` (found at {origin}) can not be resolved, and its error {panic}"
                    );
                }
            }
        }
        Ok(table)
    }
}

/// The text of an error: where it is a user's, user code.
fn text_of(error: &impl fmt::Display) -> Result<String, Box<Panic>> {
    task::catch(|| error.to_string())
}

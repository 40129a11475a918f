//! What all handles and tasks of a manager share.
//!
//! Trap: the table stands before the context, so that what the plugins acquired goes first.

use std::panic::Location;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::closing::Closing;
use crate::error::FindError;
use crate::extension::ExtensionPoint;
use crate::finder::PluginFinder;
use crate::listener::Hub;
use crate::name::Namespace;
use crate::table::Table;
use crate::task;

pub(super) struct Shared<P: ExtensionPoint + ?Sized> {
    table: OnceLock<Arc<Table<P>>>,
    /// Held while the finder runs, so that it runs once.
    finding: Mutex<()>,
    pub(super) finder: Box<dyn PluginFinder>,
    pub(super) namespace: Namespace,
    pub(super) hub: Hub,
    pub(super) closing: Closing,
    /// Where the manager was built.
    pub(super) place: &'static Location<'static>,
    pub(super) context: P::Context,
}

impl<P: ExtensionPoint + ?Sized> Shared<P> {
    pub(super) fn new(
        context: P::Context,
        namespace: Namespace,
        finder: Box<dyn PluginFinder>,
        hub: Hub,
        place: &'static Location<'static>,
    ) -> Self {
        Self {
            table: OnceLock::new(),
            finding: Mutex::new(()),
            finder,
            namespace,
            hub,
            closing: Closing::new(),
            place,
            context,
        }
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
        let _one_at_a_time = self.finding.lock();
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let finder = self.finder.name();
        let specs = match task::catch(|| self.finder.find(&self.namespace)) {
            Ok(Ok(specs)) => specs,
            Ok(Err(error)) => return Err(FindError::Failed { finder, source: error.into() }),
            Err(panic) => return Err(FindError::Panicked { finder, panic }),
        };
        Ok(self.table.get_or_init(|| Arc::new(Table::new(&self.namespace, specs))))
    }
}

//! The typed handle of what a service has published.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::error::HandleError;
use crate::incarnation::Incarnation;

/// What one incarnation of a service published with
/// [`ServiceContext::ready`](crate::ServiceContext::ready).
///
/// It keeps nothing alive: when the incarnation's `run` ends, the published value is dropped as soon
/// as nobody uses it, and [`Handle::get`] answers [`HandleError::Ended`] from then on.
///
/// ```
/// # use plux::{Handle, HandleError};
/// fn length(store: &Handle<Vec<u8>>) -> Result<usize, HandleError> {
///     Ok(store.get()?.len())
/// }
/// ```
pub struct Handle<T> {
    run: Arc<Incarnation>,
    published: PhantomData<fn() -> T>,
}

impl<T: Send + Sync + 'static> Handle<T> {
    pub(crate) fn new(run: Arc<Incarnation>) -> Result<Self, HandleError> {
        run.published::<T>()?;
        Ok(Self { run, published: PhantomData })
    }

    /// The published value. Never waits.
    ///
    /// # Errors
    /// [`HandleError::Ended`] when the incarnation has ended.
    pub fn get(&self) -> Result<Arc<T>, HandleError> {
        self.run.published()
    }

    /// The number of the incarnation that published it.
    pub fn incarnation(&self) -> u32 {
        self.run.number
    }
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        Self { run: Arc::clone(&self.run), published: PhantomData }
    }
}

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle<{}>({:?})", std::any::type_name::<T>(), self.run)
    }
}

//! What users hand over for good. Its destructor is user code, and runs wherever the last handle goes;
//! when it panics, that is told of and leaves no drop.

use std::ops::Deref;

use crate::task;

/// Something of a user's, and what it is.
pub(crate) struct Given<T> {
    what: &'static str,
    /// There until it is dropped.
    value: Option<T>,
}

impl<T> Given<T> {
    pub(crate) fn new(what: &'static str, value: T) -> Self {
        Self { what, value: Some(value) }
    }
}

impl<T> Deref for Given<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match &self.value {
            Some(value) => value,
            None => unreachable!("it is taken when it is dropped"),
        }
    }
}

impl<T> Drop for Given<T> {
    fn drop(&mut self) {
        let_go(self.what, self.value.take());
    }
}

/// Drops what is a user's. No lock may be held.
pub(crate) fn let_go<T>(what: &'static str, value: T) {
    if let Err(panic) = task::catch(|| drop(value)) {
        tracing::error!("the destructor of {what} {panic}");
    }
}

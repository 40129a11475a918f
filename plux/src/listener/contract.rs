//! What a listener is.

use crate::event::Event;

/// Watches what happens to plugins and services.
///
/// A listener is told facts and changes nothing: it returns nothing and holds no way back in.
/// Events come one at a time, in order of their numbers, some time after the fact, on a task of
/// plux's own. Several listeners are called in the order they were added. A listener that panics
/// costs an error line in the log and hears the next event all the same; one that is slow delays
/// only what listeners hear. One that blocks its thread keeps a worker of the runtime busy, which on
/// a current-thread runtime is the only one.
///
/// When a runtime ends, what has happened in it is heard before it has ended, on the thread that ends
/// the task; in the next runtime listeners hear on. They are kept for that as long as the manager is: one
/// that holds a handle on its own manager keeps it for good.
///
/// ```
/// use plux::{Event, EventKind, Listener};
///
/// struct Failures;
///
/// impl Listener for Failures {
///     fn on_event(&self, event: &Event) {
///         if let EventKind::LoadFailed(failure) = &event.kind {
///             eprintln!("{failure}");
///         }
///     }
/// }
/// ```
pub trait Listener: Send + Sync + 'static {
    /// Hears one event.
    fn on_event(&self, event: &Event);
}

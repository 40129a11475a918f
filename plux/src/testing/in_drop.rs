//! Whether a panic came from a destructor: told by its backtrace, and needed for what it is called only.
//!
//! Trap: the locals of an async function are dropped in its last poll, so its end and the panic of a
//! destructor look alike to whoever polls it.

use std::backtrace::Backtrace;
use std::cell::Cell;
use std::sync::Once;

thread_local! {
    /// Whether a poll that is looked at is under way.
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    /// Whether the last panic in one came from a destructor.
    static IN_DROP: Cell<bool> = const { Cell::new(false) };
}

/// Where a backtrace leaves what was polled.
const POLLED: &str = "testing::watched";

/// Chains a panic hook that looks at the panics of watched polls; the one before it is still called.
fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if WATCHED.get() {
                let trace = Backtrace::force_capture().to_string();
                let polled = trace.split(POLLED).next().unwrap_or_default();
                IN_DROP.set(polled.contains("drop_in_place"));
            }
            previous(info);
        }));
    });
}

/// There while something is polled with an eye on destructors.
pub(super) struct Watch(());

impl Watch {
    pub(super) fn begin() -> Self {
        install();
        IN_DROP.set(false);
        WATCHED.set(true);
        Self(())
    }

    /// Whether a destructor has panicked since.
    pub(super) fn saw_one(&self) -> bool {
        IN_DROP.get()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        WATCHED.set(false);
    }
}

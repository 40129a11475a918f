//! The recorder: one list, in one order, of what a supervisor says and what its services do.
//!
//! Trap: a listener hears a fact some time after it happened. An entry may be late, never early.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::record::{Entry, Fact};
use crate::event::Event;
use crate::listener::Listener;

/// Records what happens. Clones write into the same list.
///
/// It is a [`Listener`] of supervisors and managers, and what [probes](super::Probe) tell the truth
/// to. Give it to a supervisor before anything is started.
///
/// ```
/// use plux::Supervisor;
/// use plux::testing::{Probe, Recorder};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), plux::BoxError> {
/// let recorder = Recorder::new();
/// let services = [Probe::new("db"), Probe::new("api").requires("db")];
/// let supervisor = Supervisor::builder()
///     .manager(Probe::manager(services, &recorder))
///     .listener(recorder.clone())
///     .build()?;
/// supervisor.start("api").await?;
/// supervisor.shutdown().await?;
/// recorder.assert_order(["db running", "api#1 begun", "api running"]);
/// recorder.assert_order(["api stopping (shutdown)", "api stopped", "db#1 told to stop"]);
/// recorder.assert_one_live();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Recorder {
    inner: Arc<Inner>,
}

struct Inner {
    began: Instant,
    entries: Mutex<Vec<Entry>>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// An empty one, whose time begins now.
    pub fn new() -> Self {
        Self { inner: Arc::new(Inner { began: Instant::now(), entries: Mutex::default() }) }
    }

    /// What was recorded until now.
    pub fn entries(&self) -> Vec<Entry> {
        self.inner.entries.lock().clone()
    }

    /// Records what a test has to say.
    pub fn note(&self, text: impl Into<Arc<str>>) {
        self.write(None, Fact::Note(text.into()));
    }

    pub(super) fn write(&self, who: Option<&Arc<str>>, fact: Fact) {
        let mut entries = self.inner.entries.lock();
        // Under the lock: times go up.
        let at = self.inner.began.elapsed();
        entries.push(Entry { at, who: who.cloned(), fact });
    }
}

impl Listener for Recorder {
    fn on_event(&self, event: &Event) {
        let who = Arc::from(event.id.name.as_str());
        self.write(Some(&who), Fact::Heard(event.kind.clone()));
    }
}

/// One line an entry, with its time.
impl fmt::Display for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in self.entries() {
            writeln!(f, "{:>7} ms  {entry}", entry.at.as_millis())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recorder({} entries)", self.inner.entries.lock().len())
    }
}

//! What happened, in order: the log that probes write, and the events that a listener heard.

use std::sync::Arc;

use parking_lot::Mutex;
use plux::{Event, EventKind, Listener, ServiceState};

use super::plain;

/// What the probes did: `a made`, `a loads`, `a begins`, `a ready`, `a stopping asked`, `a ended`,
/// and whatever a test adds.
#[derive(Clone, Default)]
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<String>>>,
}

impl Log {
    pub(crate) fn add(&self, line: impl Into<String>) {
        self.lines.lock().push(line.into());
    }

    /// Forgets what was, so that what follows is all there is.
    pub(crate) fn clear(&self) {
        self.lines.lock().clear();
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().clone()
    }

    /// The lines of one probe, without its name.
    pub(crate) fn of(&self, name: &str) -> Vec<String> {
        let prefix = format!("{name} ");
        let own = |line: String| line.strip_prefix(&prefix).map(str::to_owned);
        self.lines().into_iter().filter_map(own).collect()
    }

    /// How often `what` is there: a whole line, or the beginning of one up to a space.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.places(what).len()
    }

    /// Asserts that both happened, once each, in this order.
    #[track_caller]
    pub(crate) fn before(&self, first: &str, second: &str) {
        let (one, other) = (self.places(first), self.places(second));
        assert!(
            one.len() == 1 && other.len() == 1 && one < other,
            "not `{first}` once before `{second}` once in {:#?}",
            self.lines()
        );
    }

    fn places(&self, what: &str) -> Vec<usize> {
        let prefix = format!("{what} ");
        let lines = self.lines.lock();
        let fits = |line: &String| line == what || line.starts_with(&prefix);
        (0..lines.len()).filter(|at| fits(&lines[*at])).collect()
    }
}

/// A listener that keeps what it heard.
#[derive(Clone, Default)]
pub(crate) struct Events {
    heard: Arc<Mutex<Vec<Event>>>,
}

impl Listener for Events {
    fn on_event(&self, event: &Event) {
        self.heard.lock().push(event.clone());
    }
}

impl Events {
    pub(crate) fn all(&self) -> Vec<Event> {
        self.heard.lock().clone()
    }

    /// The moves of one service, as it made them, with the number of the run.
    pub(crate) fn moves(&self, name: &str) -> Vec<(ServiceState, u32)> {
        let moves = self.all().into_iter().filter(|event| event.id.name == *name);
        moves
            .filter_map(|event| match event.kind {
                EventKind::Service { state, incarnation } => Some((plain(state), incarnation)),
                _ => None,
            })
            .collect()
    }

    /// All that happened to one service, as text: `added`, `starting`, `removed`.
    pub(crate) fn facts(&self, name: &str) -> Vec<String> {
        let of = self.all().into_iter().filter(|event| event.id.name == *name);
        of.map(|event| match event.kind {
            EventKind::Added(_) => "added".to_owned(),
            EventKind::Removed => "removed".to_owned(),
            EventKind::Service { state, .. } => state.to_string(),
            other => format!("{other:?}"),
        })
        .collect()
    }

    /// The same as text: `starting`, `stopping (asked)`.
    pub(crate) fn states(&self, name: &str) -> Vec<String> {
        self.moves(name).into_iter().map(|(state, _)| state.to_string()).collect()
    }

    pub(crate) fn clear(&self) {
        self.heard.lock().clear();
    }
}

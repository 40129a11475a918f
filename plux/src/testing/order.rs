//! What can be said of a record, and is checked: order, what never is, one live run.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::record::{Entry, Fact};
use super::recorder::Recorder;
use crate::event::EventKind;
use crate::reason::StopReason;
use crate::state::ServiceState;

/// Something that does not hold of a recorded run, with the run.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
#[error("{problem}\nthe recorded run:\n{run}")]
pub struct Violation {
    /// What does not hold.
    pub problem: String,
    /// The run, one entry a line; an arrow marks the entry at which it is seen.
    pub run: String,
}

/// As its text, which is what `unwrap` shows.
impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Violation {
    fn new(problem: String, entries: &[Entry], at: Option<usize>) -> Self {
        let mut run = String::new();
        for (place, entry) in entries.iter().enumerate() {
            let mark = if at == Some(place) { "->" } else { "  " };
            run.push_str(&format!("{mark} {:>7} ms  {entry}\n", entry.at.as_millis()));
        }
        Self { problem, run }
    }
}

/// The states that services were heard to be in, at one moment of a recorded run.
#[derive(Debug, Clone, Default)]
pub struct States {
    states: BTreeMap<Arc<str>, ServiceState>,
}

impl States {
    /// The state of a service; `None` when nothing was heard of it until then: it was never started.
    pub fn of(&self, service: &str) -> Option<&ServiceState> {
        self.states.get(service)
    }

    /// Whether a service was running.
    pub fn is_running(&self, service: &str) -> bool {
        matches!(self.of(service), Some(ServiceState::Running))
    }

    /// Whether a run of a service was under way.
    pub fn is_live(&self, service: &str) -> bool {
        self.of(service).is_some_and(ServiceState::is_live)
    }
}

/// An entry is meant by its text, or by its text without what stands in parentheses.
fn means(entry: &Entry, text: &str) -> bool {
    let own = entry.to_string();
    own == text || own.split_once(" (").is_some_and(|(short, _)| short == text)
}

/// What is wrong is returned as a [`Violation`], or is a panic with its text, in the methods that
/// assert.
impl Recorder {
    /// Whether such entries were recorded in this order; others may stand between them. An entry is
    /// written as the record shows it, `db stopping (asked)`, or without the parentheses,
    /// `db stopping`.
    ///
    /// # Errors
    /// The first that does not follow.
    pub fn order<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> Result<(), Violation> {
        let entries = self.entries();
        let mut from = 0;
        let mut before: Option<&str> = None;
        for text in texts {
            match entries[from..].iter().position(|entry| means(entry, text)) {
                Some(place) => from += place + 1,
                None => {
                    let earlier = entries[..from].iter().any(|entry| means(entry, text));
                    let problem = match (before, earlier) {
                        (None, _) => format!("`{text}` was not recorded"),
                        (Some(before), true) => {
                            format!("`{text}` does not follow `{before}`: it was recorded before")
                        }
                        (Some(before), false) => {
                            format!("`{text}` does not follow `{before}`: it was not recorded")
                        }
                    };
                    return Err(Violation::new(problem, &entries, from.checked_sub(1)));
                }
            }
            before = Some(text);
        }
        Ok(())
    }

    /// Asserts the [order](Self::order).
    ///
    /// # Panics
    /// When something does not follow.
    #[track_caller]
    pub fn assert_order<'a>(&self, texts: impl IntoIterator<Item = &'a str>) {
        assert(self.order(texts));
    }

    /// Whether there was no moment of which `holds` is true: it is asked after each state that was
    /// heard of. `what` is for the message.
    ///
    /// ```
    /// use plux::testing::Recorder;
    ///
    /// fn check(recorder: &Recorder) {
    ///     recorder.assert_never("api runs and db does not", |states| {
    ///         states.is_running("api") && !states.is_running("db")
    ///     });
    /// }
    /// ```
    ///
    /// # Errors
    /// The first such moment; or that no state at all was recorded, of which nothing could hold.
    pub fn never(&self, what: &str, holds: impl Fn(&States) -> bool) -> Result<(), Violation> {
        let entries = self.entries();
        let mut states = States::default();
        for (place, entry) in entries.iter().enumerate() {
            if let (Some(who), Fact::Heard(EventKind::Removed)) = (&entry.who, &entry.fact) {
                // Who has the name afterwards is another.
                states.states.remove(who);
            }
            if let (Some(who), Fact::Heard(EventKind::Service { state, .. })) =
                (&entry.who, &entry.fact)
            {
                states.states.insert(Arc::clone(who), state.clone());
                if holds(&states) {
                    return Err(Violation::new(
                        format!("{what}, at the arrow"),
                        &entries,
                        Some(place),
                    ));
                }
            }
        }
        if states.states.is_empty() {
            let problem = "no state was recorded: is the recorder a listener of the supervisor?";
            return Err(Violation::new(problem.to_owned(), &entries, None));
        }
        Ok(())
    }

    /// Asserts that it [never](Self::never) was so.
    ///
    /// # Panics
    /// When it was, or when nothing was recorded.
    #[track_caller]
    pub fn assert_never(&self, what: &str, holds: impl Fn(&States) -> bool) {
        assert(self.never(what, holds));
    }

    /// Whether no probe had two runs at once, by what they tell themselves.
    ///
    /// # Errors
    /// The first run that began before another was gone; or that no run was recorded.
    pub fn one_live(&self) -> Result<(), Violation> {
        let entries = self.entries();
        let mut live: BTreeMap<&str, u32> = BTreeMap::new();
        let mut begun = false;
        for (place, entry) in entries.iter().enumerate() {
            let Some(who) = entry.who.as_deref() else { continue };
            match entry.fact {
                Fact::Begun { incarnation } => {
                    begun = true;
                    if let Some(other) = live.insert(who, incarnation) {
                        let problem =
                            format!("{who}#{incarnation} began before {who}#{other} was gone");
                        return Err(Violation::new(problem, &entries, Some(place)));
                    }
                }
                Fact::Dropped { .. } => drop(live.remove(who)),
                _ => {}
            }
        }
        if begun {
            return Ok(());
        }
        let problem = "no run was recorded: are the services probes of this recorder?".to_owned();
        Err(Violation::new(problem, &entries, None))
    }

    /// Asserts that no probe had [two runs at once](Self::one_live).
    ///
    /// # Panics
    /// When one had, or when no run was recorded.
    #[track_caller]
    pub fn assert_one_live(&self) {
        assert(self.one_live());
    }

    /// Why the runs of a probe were told to stop, one reason for each that was.
    pub fn told_to_stop(&self, service: &str) -> Vec<StopReason> {
        let told = |entry: &Entry| match entry.fact {
            Fact::ToldToStop { reason, .. } if entry.who.as_deref() == Some(service) => {
                Some(reason)
            }
            _ => None,
        };
        self.entries().iter().filter_map(told).collect()
    }
}

#[track_caller]
fn assert(outcome: Result<(), Violation>) {
    if let Err(violation) = outcome {
        panic!("{violation}");
    }
}

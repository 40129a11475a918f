//! Who is there when: services come and go, and of those that have one name there is one at a time.

use crate::run::{Answer, Command, Run, Setup, What};

/// A service came, or it went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    /// The line at which it may have been made, and that at which it was.
    pub(crate) may: usize,
    pub(crate) line: usize,
    pub(crate) service: usize,
    pub(crate) comes: bool,
}

/// From when to when a service is there: never, unless it comes.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// The first line at which it may be there, and that from which it is.
    may_come: usize,
    came: usize,
    /// The same of its going.
    may_go: usize,
    gone: usize,
}

/// Never.
const NEVER: Span =
    Span { may_come: usize::MAX, came: usize::MAX, may_go: usize::MAX, gone: usize::MAX };

pub(crate) struct There {
    /// In the order in which they were made.
    pub(crate) changes: Vec<Change>,
    spans: Vec<Span>,
}

impl There {
    pub(crate) fn new(run: &Run) -> Self {
        let mut spans = vec![NEVER; run.setup.services.len()];
        for service in &run.setup.first {
            (spans[*service].may_come, spans[*service].came) = (0, 0);
        }
        let mut changes = Vec::new();
        for (line, seen) in run.lines.iter().enumerate() {
            match seen.what {
                What::Added { service } => {
                    let with = run.setup.coming.iter().position(|all| all.contains(&service));
                    let asks = |it: &What| matches!(it, What::Command { command: Command::Add(of), .. } if Some(*of) == with);
                    let asked = run.lines[..line].iter().rposition(|it| asks(&it.what));
                    let may = asked.unwrap_or(line);
                    (spans[service].may_come, spans[service].came) = (may, line);
                    changes.push(Change { may, line, service, comes: true });
                }
                What::Removed { service } => {
                    let may = asked(run, service, line).unwrap_or(line);
                    (spans[service].may_go, spans[service].gone) = (may, line);
                    changes.push(Change { may, line, service, comes: false });
                }
                _ => {}
            }
        }
        Self { changes, spans }
    }

    /// The line from which it is there, and that from which it is not any more.
    pub(crate) fn lines(&self, service: usize) -> (usize, usize) {
        (self.spans[service].came, self.spans[service].gone)
    }

    /// Whether both were there at one moment.
    pub(crate) fn meet(&self, one: usize, other: usize) -> bool {
        let (one, other) = (self.spans[one], self.spans[other]);
        one.came.max(other.came) < one.gone.min(other.gone)
    }

    /// Whether it was there all the time between two lines.
    pub(crate) fn surely(&self, service: usize, from: usize, to: usize) -> bool {
        let span = self.spans[service];
        // One that was there from the beginning came at no line.
        (span.came == 0 || span.came < from) && span.may_go >= to
    }

    /// Whether it may have been there at a moment between two lines.
    pub(crate) fn perhaps(&self, service: usize, from: usize, to: usize) -> bool {
        let span = self.spans[service];
        (span.came == 0 || span.may_come < to) && span.gone > from
    }

    /// Whom the name of this one meant between two lines, if that was one.
    pub(crate) fn meant(
        &self,
        setup: &Setup,
        service: usize,
        from: usize,
        to: usize,
    ) -> Option<usize> {
        let mut all = called(setup, service).filter(|it| self.perhaps(*it, from, to));
        match (all.next(), all.next()) {
            (Some(one), None) => Some(one),
            (None, _) => Some(service),
            _ => None,
        }
    }
}

/// The services that have the name of this one.
pub(crate) fn called(setup: &Setup, service: usize) -> impl Iterator<Item = usize> {
    let name = setup.services.get(service).map(|it| &it.name);
    let all = setup.first.iter().chain(setup.coming.iter().flatten()).copied();
    all.filter(move |it| Some(&setup.services[*it].name) == name)
}

/// The first command that may have had this service removed.
fn asked(run: &Run, service: usize, line: usize) -> Option<usize> {
    let lines = || run.lines.iter();
    lines().take(line).position(|it| match it.what {
        What::Command { id, command: Command::Remove, service: Some(of), .. } if of == service => {
            let told = lines().find_map(|it| match it.what {
                What::Reply { id: of, answer, .. } if of == id => Some(answer),
                _ => None,
            });
            told.is_none_or(|answer| answer == Answer::Removed || answer.is_unheard())
        }
        _ => false,
    })
}

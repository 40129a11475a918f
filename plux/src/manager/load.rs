//! What an attempt calls and what it tells.
//!
//! All code of a plugin is called here, and whatever it throws ends here.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use tokio::sync::{SemaphorePermit, oneshot};
use tracing::Span;
use tracing::level_filters::LevelFilter;

use super::calling::{Calling, Deadline, Trouble, within};
use super::shared::Shared;
use super::waits::{Caller, Key};
use crate::error::{FailureCause, LoadError, LoadFailure};
use crate::event::EventKind;
use crate::extension::{self, ExtensionPoint};
use crate::filter::Answer;
use crate::reason::{Disabled, Phase};
use crate::spec::{DependencyKind, Factory};
use crate::table::{Claim, Ended, Entry, Reason, Table, discard};
use crate::task;

/// What the attempts of one task have in common.
pub(super) struct Job<'a, P: ExtensionPoint + ?Sized + 'static> {
    pub(super) shared: &'a Shared<P>,
    pub(super) table: &'a Table<P>,
    pub(super) caller: Caller,
    /// Of the task in which the attempts are polled.
    pub(super) waker: &'a Waker,
}

/// An attempt to load a plugin, or the wait for the one under way.
pub(super) struct Attempt<'a, P: ExtensionPoint + ?Sized + 'static> {
    pub(super) job: &'a Job<'a, P>,
    pub(super) entry: &'a Entry<P>,
    /// Among those that load at once, if there is a limit.
    pub(super) place: Option<SemaphorePermit<'a>>,
}

impl<'a, P: ExtensionPoint + ?Sized + 'static> Attempt<'a, P> {
    #[cold]
    pub(super) fn refuse(&self, problem: &LoadError) {
        self.job.shared.refuse(self.entry, problem);
    }

    /// What filters have against the spec. A closed manager asks none: it ends before the factory.
    #[cold]
    pub(super) fn refused_spec(&self) -> Option<Reason> {
        if self.job.shared.closing.is_closed() {
            return None;
        }
        let Self { job, entry, .. } = self;
        let answer = entry.ask(|| job.shared.filters.before_init(entry.spec()));
        self.refusal(Phase::BeforeInit, answer)
    }

    /// What filters have against the plugin that was made.
    #[cold]
    pub(super) fn refused_plugin(&self, plugin: &P) -> Option<Reason> {
        let Self { job, entry, .. } = self;
        let answer = entry.ask(|| job.shared.filters.before_load(entry.spec(), plugin));
        self.refusal(Phase::BeforeLoad, answer)
    }

    fn refusal(&self, phase: Phase, answer: Answer) -> Option<Reason> {
        match answer {
            Ok(Ok(())) => None,
            Ok(Err(disabled)) => Some(Reason::Disabled(disabled.into_reason())),
            Err(panic) => Some(self.reason(phase, panic.into())),
        }
    }

    /// A requirement that is not loaded; an error is one that is being loaded, perhaps tried again.
    #[inline]
    pub(super) fn missing(&self) -> Result<Option<&'a Entry<P>>, &'a Entry<P>> {
        for &(node, kind) in self.job.table.graph().dependencies(self.entry.index()) {
            if kind == DependencyKind::Requires {
                let requirement = self.job.table.row(node);
                if requirement.is_busy() {
                    return Err(requirement);
                }
                if requirement.value().is_none() {
                    return Ok(Some(requirement));
                }
            }
        }
        Ok(None)
    }

    #[cold]
    pub(super) fn skip(&self, claim: Claim<'a, P>, because: &Entry<P>) {
        let because = because.spec().id();
        self.end(claim.not(Reason::Skipped(because.clone())), || EventKind::Skipped(because));
    }

    /// The factory, if the spec fits.
    #[inline]
    pub(super) fn resolve(&self, claim: Claim<'a, P>) -> Option<(Claim<'a, P>, &'a Factory<P>)> {
        let spec = self.entry.spec();
        let cause = match extension::resolve::<P>(spec) {
            _ if self.job.shared.closing.is_closed() => FailureCause::Aborted,
            Some(factory) => {
                self.emit(|| EventKind::Resolved(spec.origin()));
                return Some((claim, factory));
            }
            None => FailureCause::Mismatch {
                registered: spec.factory().extension_point(),
                expected: std::any::type_name::<P>(),
                manager: self.job.shared.place,
            },
        };
        let failure = self.failure(Phase::Resolve, cause);
        let ended = claim.not(Reason::Failed(Arc::clone(&failure)));
        self.end(ended, || EventKind::ResolveFailed(failure.to_string().into()));
        None
    }

    /// Runs the factory here.
    #[inline]
    pub(super) fn make(&self, factory: &Factory<P>) -> Result<Arc<P>, Trouble> {
        let span = self.span(Phase::Init);
        let _in_phase = span.as_deref().map(Span::enter);
        match task::catch(|| extension::make(factory)) {
            Ok(made) => made.map_err(Trouble::Error),
            Err(panic) => Err(panic.into()),
        }
    }

    /// Runs the factory on a thread of its own, which is left to itself when the time is over.
    pub(super) async fn make_apart(&self, limit: Duration) -> Result<Arc<P>, Trouble> {
        let (answer, made) = oneshot::channel();
        let (spec, span) = (self.entry.spec().clone(), self.span(Phase::Init));
        task::run_apart(move || {
            let _in_phase = span.as_deref().map(Span::enter);
            let made = task::catch(|| extension::resolve::<P>(&spec).map(extension::make));
            if let Err(late) = answer.send(made) {
                discard(&spec, late);
            }
        });
        match within(made, Deadline::after(limit), &self.job.shared.closing).await? {
            Ok(Ok(Some(made))) => made.map_err(Trouble::Error),
            Ok(Err(panic)) => Err(panic.into()),
            // The runtime has ended, and with it the thread.
            _ => Err(Trouble::Aborted),
        }
    }

    #[inline]
    pub(super) fn calling(&self, phase: Phase, limit: Option<Duration>) -> Calling<'a> {
        Calling {
            spec: self.entry.spec(),
            key: Key::new(self.job.table, self.entry.index()),
            closing: &self.job.shared.closing,
            limit,
            span: self.span(phase),
        }
    }

    /// Tells of the end, and gives the row up after that.
    #[inline]
    pub(super) fn end(&self, ended: Ended<'a, P>, fact: impl FnOnce() -> EventKind) {
        self.emit(fact);
        drop(ended);
    }

    #[inline]
    pub(super) fn emit(&self, kind: impl FnOnce() -> EventKind) {
        self.job.shared.hub.emit(|| (self.entry.spec().id(), kind()));
    }

    /// The span of a phase, if anybody may want to see it.
    #[inline]
    fn span(&self, phase: Phase) -> Option<Box<Span>> {
        (LevelFilter::current() >= LevelFilter::DEBUG).then(|| self.new_span(phase))
    }

    #[cold]
    fn new_span(&self, phase: Phase) -> Box<Span> {
        let (namespace, name) = (self.entry.spec().namespace(), self.entry.spec().name());
        Box::new(tracing::debug_span!("plugin", %phase, %namespace, %name))
    }

    #[cold]
    pub(super) fn reason(&self, phase: Phase, trouble: Trouble) -> Reason {
        let trouble = match trouble {
            Trouble::Error(error) => match error.downcast::<Disabled>() {
                Ok(disabled) => return Reason::Disabled(disabled.into_reason()),
                Err(error) => Trouble::Error(error),
            },
            trouble => trouble,
        };
        Reason::Failed(self.failure(phase, cause(trouble)))
    }

    #[cold]
    pub(super) fn failure(&self, phase: Phase, cause: FailureCause) -> Arc<LoadFailure> {
        let spec = self.entry.spec();
        Arc::new(LoadFailure { id: spec.id(), origin: spec.origin(), phase, cause })
    }
}

#[cold]
pub(super) fn cause(trouble: Trouble) -> FailureCause {
    match trouble {
        Trouble::Error(error) => FailureCause::Error(error.into()),
        Trouble::Panic(panic) => FailureCause::Panic(*panic),
        Trouble::Late(limit) => FailureCause::Late { limit },
        Trouble::Aborted => FailureCause::Aborted,
    }
}

/// The event for an attempt that ended after its plugin was made.
pub(super) fn fact(reason: Reason) -> EventKind {
    match reason {
        Reason::Disabled(reason) => EventKind::Disabled(reason),
        Reason::Failed(failure) => EventKind::LoadFailed(failure),
        Reason::Skipped(because) => EventKind::Skipped(because),
    }
}

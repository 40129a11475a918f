//! Loading one plugin: one attempt, from the claim of its row to its outcome.
//!
//! All code of a plugin is called here, and whatever it throws ends here.
//!
//! Trap: a future within a future costs more than most loads do. So this is one async function over
//! plain ones, and it awaits nothing but what is pending.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use tracing::Span;
use tracing::level_filters::LevelFilter;

use super::calling::{Begun, Call, Trouble};
use super::shared::Shared;
use crate::error::{FailureCause, LoadError, LoadFailure};
use crate::event::EventKind;
use crate::extension::{self, ExtensionPoint};
use crate::filter::Answer;
use crate::reason::{Disabled, Phase};
use crate::spec::DependencyKind;
use crate::table::{Claim, Ended, Entry, Initialized, Reason, Table, Turn};
use crate::task;

/// Makes an attempt to load the plugin of the row `index` for a call, or waits for the one under way.
/// Its requirements have been decided before. `waits` is called before anything is waited for.
pub(super) async fn attempt<P: ExtensionPoint + ?Sized + 'static>(
    shared: &Shared<P>,
    table: &Table<P>,
    index: u32,
    call: u64,
    mut waits: impl FnMut(),
) {
    let (entry, context, closing) = (table.row(index), &shared.context, &shared.closing);
    let spec = entry.spec();
    let this = Attempt { shared, table, entry };
    if let Some(problem) = table.unusable(entry) {
        return this.refuse(problem);
    }
    let claim = match entry.claim(&table.calls, call) {
        Turn::Mine(claim) => claim,
        Turn::Busy => {
            waits();
            return entry.settled().await;
        }
        Turn::Settled => return,
    };
    if shared.filters.are_there()
        && let Some(reason) = this.refused_spec()
    {
        return this.end(claim.not(reason.clone()), || fact(reason));
    }
    let missing = loop {
        match this.missing() {
            Ok(missing) => break missing,
            Err(busy) => {
                waits();
                busy.settled().await;
            }
        }
    };
    if let Some(because) = missing {
        return this.skip(claim, because);
    }
    let Some(mut plugin) = this.initialize(claim) else { return };
    if shared.filters.are_own()
        && let Some(reason) = this.refused_plugin(plugin.plugin())
    {
        return this.end(plugin.not(reason.clone()), || fact(reason));
    }
    // Written by the macros, a constant: the one method that can not panic.
    if plugin.plugin().asks_should_load() {
        let ask = || plugin.plugin().should_load(context);
        let span = this.span(Phase::ShouldLoad);
        let begin = |cx: &mut Context<'_>| Poll::Ready(Call::begin(spec, span.as_ref(), ask, cx));
        let answer = match poll_fn(begin).await {
            Begun::Done(answer) => answer,
            Begun::Pending(call) => {
                waits();
                call.end(spec, span.as_ref(), closing).await
            }
        };
        match this.answered(plugin, answer) {
            Some(willing) => plugin = willing,
            None => return,
        }
    }
    let plugin = plugin.loading();
    this.emit(|| EventKind::LoadStarted);
    let load = || plugin.plugin().load(context);
    let span = this.span(Phase::Load);
    let begin = |cx: &mut Context<'_>| Poll::Ready(Call::begin(spec, span.as_ref(), load, cx));
    let output = match poll_fn(begin).await {
        Begun::Done(output) => output,
        Begun::Pending(call) => {
            waits();
            call.end(spec, span.as_ref(), closing).await
        }
    };
    match output {
        Ok(output) => this.end(plugin.loaded(output), || EventKind::Loaded),
        Err(trouble) => {
            let reason = this.reason(Phase::Load, trouble);
            this.end(plugin.not(reason.clone()), || fact(reason));
        }
    }
}

struct Attempt<'a, P: ExtensionPoint + ?Sized + 'static> {
    shared: &'a Shared<P>,
    table: &'a Table<P>,
    entry: &'a Entry<P>,
}

impl<'a, P: ExtensionPoint + ?Sized + 'static> Attempt<'a, P> {
    #[cold]
    fn refuse(&self, problem: &LoadError) {
        self.emit(|| EventKind::ResolveFailed(problem.to_string().into()));
    }

    /// What filters have against the spec. A closed manager asks none: it ends before the factory.
    #[cold]
    fn refused_spec(&self) -> Option<Reason> {
        if self.shared.closing.is_closed() {
            return None;
        }
        let answer = self.shared.filters.before_init(self.entry.spec());
        self.refusal(Phase::BeforeInit, answer)
    }

    /// What filters have against the plugin that was made.
    #[cold]
    fn refused_plugin(&self, plugin: &P) -> Option<Reason> {
        let answer = self.shared.filters.before_load(self.entry.spec(), plugin);
        self.refusal(Phase::BeforeLoad, answer)
    }

    fn refusal(&self, phase: Phase, answer: Answer) -> Option<Reason> {
        match answer {
            Ok(Ok(())) => None,
            Ok(Err(disabled)) => Some(Reason::Disabled(disabled.into_reason())),
            Err(panic) => Some(self.reason(phase, panic.into())),
        }
    }

    /// A requirement that is not loaded; an error is one that somebody tries anew.
    #[inline]
    fn missing(&self) -> Result<Option<&'a Entry<P>>, &'a Entry<P>> {
        for &(node, kind) in self.table.graph().dependencies(self.entry.index()) {
            if kind == DependencyKind::Requires {
                let requirement = self.table.row(node);
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
    fn skip(&self, claim: Claim<'a, P>, because: &Entry<P>) {
        let because = because.spec().id();
        self.end(claim.not(Reason::Skipped(because.clone())), || EventKind::Skipped(because));
    }

    #[inline]
    fn initialize(&self, claim: Claim<'a, P>) -> Option<Initialized<'a, P>> {
        let spec = self.entry.spec();
        let resolved = match extension::resolve::<P>(spec) {
            _ if self.shared.closing.is_closed() => Err(FailureCause::Aborted),
            Some(factory) => Ok(factory),
            None => Err(FailureCause::Mismatch {
                registered: spec.factory().extension_point(),
                expected: std::any::type_name::<P>(),
                manager: self.shared.place,
            }),
        };
        let factory = match resolved {
            Ok(factory) => factory,
            Err(cause) => {
                let failure = self.failure(Phase::Resolve, cause);
                let ended = claim.not(Reason::Failed(Arc::clone(&failure)));
                self.end(ended, || EventKind::ResolveFailed(failure.to_string().into()));
                return None;
            }
        };
        self.emit(|| EventKind::Resolved(spec.origin()));
        if let Some(plugin) = claim.take_kept() {
            return Some(claim.initialized(plugin));
        }
        let made = {
            let span = self.span(Phase::Init);
            let _in_phase = span.as_ref().map(Span::enter);
            task::catch(|| extension::make(factory))
        };
        let cause = match made {
            Ok(Ok(plugin)) => {
                let initialized = claim.initialized(plugin);
                self.emit(|| EventKind::Initialized);
                return Some(initialized);
            }
            Ok(Err(error)) => FailureCause::Error(error.into()),
            Err(panic) => FailureCause::Panic(panic),
        };
        let failure = self.failure(Phase::Init, cause);
        let ended = claim.not(Reason::Failed(Arc::clone(&failure)));
        self.end(ended, || EventKind::InitFailed(failure));
        None
    }

    /// The plugin, if it wants to be loaded.
    fn answered(
        &self,
        plugin: Initialized<'a, P>,
        answer: Result<bool, Trouble>,
    ) -> Option<Initialized<'a, P>> {
        let reason = match answer {
            Ok(true) => return Some(plugin),
            Ok(false) => Reason::Disabled("its should_load answered false".into()),
            Err(trouble) => self.reason(Phase::ShouldLoad, trouble),
        };
        self.end(plugin.not(reason.clone()), || fact(reason));
        None
    }

    /// Tells of the end, and gives the row up after that.
    #[inline]
    fn end(&self, ended: Ended<'a, P>, fact: impl FnOnce() -> EventKind) {
        self.emit(fact);
        drop(ended);
    }

    #[inline]
    fn emit(&self, kind: impl FnOnce() -> EventKind) {
        self.shared.hub.emit(|| (self.entry.spec().id(), kind()));
    }

    /// The span of a phase, if anybody may want to see it.
    fn span(&self, phase: Phase) -> Option<Span> {
        (LevelFilter::current() >= LevelFilter::DEBUG).then(|| self.new_span(phase))
    }

    #[cold]
    fn new_span(&self, phase: Phase) -> Span {
        let spec = self.entry.spec();
        tracing::debug_span!("plugin", %phase, namespace = %spec.namespace(), name = %spec.name())
    }

    #[cold]
    fn reason(&self, phase: Phase, trouble: Trouble) -> Reason {
        let cause = match trouble {
            Trouble::Error(error) => match error.downcast::<Disabled>() {
                Ok(disabled) => return Reason::Disabled(disabled.into_reason()),
                Err(error) => FailureCause::Error(error.into()),
            },
            Trouble::Panic(panic) => FailureCause::Panic(*panic),
            Trouble::Aborted => FailureCause::Aborted,
        };
        Reason::Failed(self.failure(phase, cause))
    }

    #[cold]
    fn failure(&self, phase: Phase, cause: FailureCause) -> Arc<LoadFailure> {
        let spec = self.entry.spec();
        Arc::new(LoadFailure { id: spec.id(), origin: spec.origin(), phase, cause })
    }
}

/// The event for an attempt that ended after its plugin was made.
fn fact(reason: Reason) -> EventKind {
    match reason {
        Reason::Disabled(reason) => EventKind::Disabled(reason),
        Reason::Failed(failure) => EventKind::LoadFailed(failure),
        Reason::Skipped(because) => EventKind::Skipped(because),
    }
}

//! Loading one plugin: one attempt, from the claim of its row to its outcome.
//!
//! All code of a plugin is called here, and whatever it throws ends here.
//!
//! Trap: a future within a future costs more than most loads do. So this is one async function over
//! plain ones, and it awaits nothing but what is pending.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::oneshot;
use tracing::Span;
use tracing::level_filters::LevelFilter;

use super::calling::{Begun, Calling, Deadline, Trouble, within};
use super::shared::Shared;
use super::waits::Key;
use crate::error::{FailureCause, LoadError, LoadFailure};
use crate::event::EventKind;
use crate::extension::{self, ExtensionPoint};
use crate::filter::Answer;
use crate::reason::{Disabled, Phase};
use crate::spec::{DependencyKind, Factory};
use crate::table::{Claim, Ended, Entry, Initialized, Reason, Table, Turn, discard};
use crate::task;

/// On whose behalf attempts are made.
#[derive(Clone, Copy)]
pub(super) struct Caller {
    /// The number of the call.
    pub(super) call: u64,
    /// Whether another load waits for it.
    pub(super) nested: bool,
}

/// Makes an attempt to load the plugin of the row `index` for a call, or waits for the one under way.
/// Its requirements have been decided before. `waits` is called before anything is waited for; where
/// an attempt had to wait for its place, `goes_on` is asked whether it is still wanted.
pub(super) async fn attempt<P: ExtensionPoint + ?Sized + 'static>(
    shared: &Shared<P>,
    table: &Table<P>,
    index: u32,
    caller: Caller,
    mut waits: impl FnMut(),
    goes_on: impl Fn() -> bool,
) {
    let (entry, context) = (table.row(index), &shared.context);
    let this = Attempt { shared, table, entry };
    if let Some(problem) = table.unusable(entry) {
        return this.refuse(problem);
    }
    let places = shared.limits.places_for(caller.nested);
    let mut place = None;
    // Who waits for another's attempt has no place: that one may wait for it.
    if let Some(places) = places.filter(|_| !entry.is_busy()) {
        place = places.try_acquire().ok();
        if place.is_none() {
            waits();
            place = places.acquire().await.ok();
            if !goes_on() {
                return;
            }
        }
    }
    let claim = match entry.claim(&table.calls, caller.call) {
        Turn::Mine(claim) => claim,
        Turn::Busy => {
            drop(place);
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
                drop(place.take());
                waits();
                busy.settled().await;
                if let Some(places) = places {
                    place = places.acquire().await.ok();
                }
            }
        }
    };
    if let Some(because) = missing {
        return this.skip(claim, because);
    }
    let Some((claim, factory)) = this.resolve(claim) else { return };
    let mut plugin = match claim.take_kept() {
        Some(plugin) => claim.initialized(plugin),
        None => {
            let made = match shared.limits.init {
                None => this.make(factory),
                Some(limit) => {
                    waits();
                    this.make_apart(limit).await
                }
            };
            match this.made(claim, made) {
                Some(plugin) => plugin,
                None => return,
            }
        }
    };
    if shared.filters.are_own()
        && let Some(reason) = this.refused_plugin(plugin.plugin())
    {
        return this.end(plugin.not(reason.clone()), || fact(reason));
    }
    // Written by the macros, a constant: the one method that can not panic.
    if plugin.plugin().asks_should_load() {
        let ask = || plugin.plugin().should_load(context);
        let calling = this.calling(Phase::ShouldLoad, shared.limits.should_load);
        let answer = match poll_fn(|cx| Poll::Ready(calling.begin(ask, cx))).await {
            Begun::Done(answer) => answer,
            Begun::Pending(call) => {
                waits();
                calling.end(call).await
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
    let calling = this.calling(Phase::Load, shared.limits.load);
    let output = match poll_fn(|cx| Poll::Ready(calling.begin(load, cx))).await {
        Begun::Done(output) => output,
        Begun::Pending(call) => {
            waits();
            calling.end(call).await
        }
    };
    // The place is free when the row tells of the end.
    drop(place);
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

    /// The factory, if the spec fits.
    #[inline]
    fn resolve(&self, claim: Claim<'a, P>) -> Option<(Claim<'a, P>, &'a Factory<P>)> {
        let spec = self.entry.spec();
        let cause = match extension::resolve::<P>(spec) {
            _ if self.shared.closing.is_closed() => FailureCause::Aborted,
            Some(factory) => {
                self.emit(|| EventKind::Resolved(spec.origin()));
                return Some((claim, factory));
            }
            None => FailureCause::Mismatch {
                registered: spec.factory().extension_point(),
                expected: std::any::type_name::<P>(),
                manager: self.shared.place,
            },
        };
        let failure = self.failure(Phase::Resolve, cause);
        let ended = claim.not(Reason::Failed(Arc::clone(&failure)));
        self.end(ended, || EventKind::ResolveFailed(failure.to_string().into()));
        None
    }

    /// Runs the factory here.
    #[inline]
    fn make(&self, factory: &Factory<P>) -> Result<Arc<P>, Trouble> {
        let span = self.span(Phase::Init);
        let _in_phase = span.as_deref().map(Span::enter);
        match task::catch(|| extension::make(factory)) {
            Ok(made) => made.map_err(Trouble::Error),
            Err(panic) => Err(panic.into()),
        }
    }

    /// Runs the factory on a thread of its own, which is left to itself when the time is over.
    async fn make_apart(&self, limit: Duration) -> Result<Arc<P>, Trouble> {
        let (answer, made) = oneshot::channel();
        let (spec, span) = (self.entry.spec().clone(), self.span(Phase::Init));
        task::run_apart(move || {
            let _in_phase = span.as_deref().map(Span::enter);
            let made = task::catch(|| extension::resolve::<P>(&spec).map(extension::make));
            if let Err(late) = answer.send(made) {
                discard(&spec, late);
            }
        });
        match within(made, Deadline::after(limit), &self.shared.closing).await? {
            Ok(Ok(Some(made))) => made.map_err(Trouble::Error),
            Ok(Err(panic)) => Err(panic.into()),
            // The runtime has ended, and with it the thread.
            _ => Err(Trouble::Aborted),
        }
    }

    /// The plugin, if its factory has made one.
    #[inline]
    fn made(
        &self,
        claim: Claim<'a, P>,
        made: Result<Arc<P>, Trouble>,
    ) -> Option<Initialized<'a, P>> {
        match made {
            Ok(plugin) => {
                let initialized = claim.initialized(plugin);
                self.emit(|| EventKind::Initialized);
                Some(initialized)
            }
            Err(trouble) => {
                let failure = self.failure(Phase::Init, cause(trouble));
                let ended = claim.not(Reason::Failed(Arc::clone(&failure)));
                self.end(ended, || EventKind::InitFailed(failure));
                None
            }
        }
    }

    #[inline]
    fn calling(&self, phase: Phase, limit: Option<Duration>) -> Calling<'a> {
        Calling {
            spec: self.entry.spec(),
            key: Key::new(self.table, self.entry.index()),
            closing: &self.shared.closing,
            limit,
            span: self.span(phase),
        }
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
    fn reason(&self, phase: Phase, trouble: Trouble) -> Reason {
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
    fn failure(&self, phase: Phase, cause: FailureCause) -> Arc<LoadFailure> {
        let spec = self.entry.spec();
        Arc::new(LoadFailure { id: spec.id(), origin: spec.origin(), phase, cause })
    }
}

#[cold]
fn cause(trouble: Trouble) -> FailureCause {
    match trouble {
        Trouble::Error(error) => FailureCause::Error(error.into()),
        Trouble::Panic(panic) => FailureCause::Panic(*panic),
        Trouble::Late(limit) => FailureCause::Late { limit },
        Trouble::Aborted => FailureCause::Aborted,
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

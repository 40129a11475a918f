//! Loading one plugin: one attempt, from the claim of its row to its outcome.
//!
//! All code of a plugin is called here, and whatever it throws ends here.
//!
//! Trap: the first poll of a plugin's future is also the first poll of the attempt it is made in. When
//! it is pending its waker stands, so the attempt goes to sleep without polling it a second time.

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tracing::Span;

use super::shared::Shared;
use crate::error::{BoxError, FailureCause, LoadFailure};
use crate::event::EventKind;
use crate::extension::{self, ExtensionPoint};
use crate::filter::Answer;
use crate::reason::{Disabled, Phase};
use crate::spec::DependencyKind;
use crate::table::{Claim, Entry, Initialized, Loading, Reason, Table, Turn, discard};
use crate::task::{self, Caught, Panic};

/// Makes an attempt to load the plugin of the row `index` for a call, or waits for the one under way.
/// Its requirements have been decided before.
pub(super) async fn attempt<P: ExtensionPoint + ?Sized + 'static>(
    shared: &Shared<P>,
    table: &Table<P>,
    index: u32,
    call: u64,
) {
    let entry = table.row(index);
    if let Some(problem) = table.unusable(entry) {
        let why = || EventKind::ResolveFailed(problem.to_string().into());
        return shared.hub.emit(|| (entry.spec().id(), why()));
    }
    match entry.claim(&table.calls, call) {
        Turn::Mine(claim) => Attempt { shared, table, entry }.run(claim).await,
        Turn::Busy => entry.settled().await,
        Turn::Settled => {}
    }
}

struct Attempt<'a, P: ExtensionPoint + ?Sized + 'static> {
    shared: &'a Shared<P>,
    table: &'a Table<P>,
    entry: &'a Entry<P>,
}

/// What user code did instead of yielding a value.
enum Trouble {
    Error(BoxError),
    Panic(Panic),
    Aborted,
}

impl<'a, P: ExtensionPoint + ?Sized + 'static> Attempt<'a, P> {
    async fn run(&self, claim: Claim<'a, P>) {
        if self.shared.filters.are_there()
            && let Some(reason) = self.refused_spec()
        {
            let ended = claim.not(reason.clone());
            self.emit(|| fact(reason));
            return drop(ended);
        }
        if let Some(because) = self.missing().await {
            let because = because.spec().id();
            let ended = claim.not(Reason::Skipped(because.clone()));
            self.emit(|| EventKind::Skipped(because));
            return drop(ended);
        }
        let Some(plugin) = self.initialize(claim) else { return };
        if self.shared.filters.are_own()
            && let Some(reason) = self.refused_plugin(plugin.plugin())
        {
            let ended = plugin.not(reason.clone());
            self.emit(|| fact(reason));
            return drop(ended);
        }
        let Some(plugin) = self.ask(plugin).await else { return };
        self.load(plugin).await;
    }

    /// A requirement that is not loaded. One that somebody tries anew is waited for.
    async fn missing(&self) -> Option<&'a Entry<P>> {
        for &(node, kind) in self.table.graph().dependencies(self.entry.index()) {
            if kind == DependencyKind::Requires {
                let requirement = self.table.row(node);
                requirement.settled().await;
                if requirement.value().is_none() {
                    return Some(requirement);
                }
            }
        }
        None
    }

    fn initialize(&self, mut claim: Claim<'a, P>) -> Option<Initialized<'a, P>> {
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
                self.emit(|| EventKind::ResolveFailed(failure.to_string().into()));
                drop(ended);
                return None;
            }
        };
        self.emit(|| EventKind::Resolved(spec.origin()));
        if let Some(plugin) = claim.take_kept() {
            return Some(claim.initialized(plugin));
        }
        let made = {
            let _in_phase = self.span(Phase::Init).entered();
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
        self.emit(|| EventKind::InitFailed(failure));
        drop(ended);
        None
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
            Err(panic) => Some(self.reason(phase, Trouble::Panic(panic))),
        }
    }

    /// Asks the plugin whether it wants to be loaded, if it has an answer of its own.
    async fn ask(&self, plugin: Initialized<'a, P>) -> Option<Initialized<'a, P>> {
        let asks = match task::catch(|| plugin.plugin().asks_should_load()) {
            Ok(false) => return Some(plugin),
            Ok(true) => Ok(()),
            Err(panic) => Err(Trouble::Panic(panic)),
        };
        let answer = match asks {
            Ok(()) => {
                let ask = || plugin.plugin().should_load(&self.shared.context);
                self.run_user(Phase::ShouldLoad, ask).await
            }
            Err(trouble) => Err(trouble),
        };
        let reason = match answer {
            Ok(true) => return Some(plugin),
            Ok(false) => Reason::Disabled("its should_load answered false".into()),
            Err(trouble) => self.reason(Phase::ShouldLoad, trouble),
        };
        let ended = plugin.not(reason.clone());
        self.emit(|| fact(reason));
        drop(ended);
        None
    }

    async fn load(&self, plugin: Initialized<'a, P>) {
        let plugin: Loading<'a, P> = plugin.loading();
        self.emit(|| EventKind::LoadStarted);
        let load = || plugin.plugin().load(&self.shared.context);
        match self.run_user(Phase::Load, load).await {
            Ok(output) => {
                let ended = plugin.loaded(output);
                self.emit(|| EventKind::Loaded);
                drop(ended);
            }
            Err(trouble) => {
                let reason = self.reason(Phase::Load, trouble);
                let ended = plugin.not(reason.clone());
                self.emit(|| fact(reason));
                drop(ended);
            }
        }
    }

    /// Runs user code to its end, or until the manager is closed. A panic while the future is made,
    /// polled or dropped is trouble like an error.
    async fn run_user<'f, T>(
        &self,
        phase: Phase,
        make: impl FnOnce() -> BoxFuture<'f, Result<T, BoxError>>,
    ) -> Result<T, Trouble> {
        let (span, closing) = (self.span(phase), &self.shared.closing);
        let mut future = match task::catch(|| span.in_scope(make)) {
            Ok(future) => Caught::new(future),
            Err(panic) => return Err(Trouble::Panic(panic)),
        };
        let mut poll = |cx: &mut Context<'_>| span.in_scope(|| pin!(&mut future).poll(cx));
        let outcome = match poll_fn(|cx| Poll::Ready(poll(cx))).await {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => {
                let mut closed = pin!(closing.signal());
                closed.as_mut().enable();
                let mut asleep = false;
                poll_fn(|cx| {
                    if closing.is_closed() || closed.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(None);
                    }
                    if mem::replace(&mut asleep, true) { poll(cx).map(Some) } else { Poll::Pending }
                })
                .await
            }
        };
        let discarded = future.discard();
        match outcome {
            Some(Ok(Ok(value))) => match discarded {
                Ok(()) => Ok(value),
                Err(panic) => {
                    discard(self.entry.spec(), value);
                    Err(Trouble::Panic(panic))
                }
            },
            Some(Ok(Err(error))) => Err(Trouble::Error(error)),
            Some(Err(panic)) => Err(Trouble::Panic(panic)),
            None => Err(Trouble::Aborted),
        }
    }

    fn emit(&self, kind: impl FnOnce() -> EventKind) {
        self.shared.hub.emit(|| (self.entry.spec().id(), kind()));
    }

    fn span(&self, phase: Phase) -> Span {
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
            Trouble::Panic(panic) => FailureCause::Panic(panic),
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

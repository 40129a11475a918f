//! One attempt to load a plugin, step by step.
//!
//! Trap: a future keeps what it needs from wait to wait, so it has to be moved there, and most attempts
//! wait for nothing. So what needs no wait is plain functions, inlined, and `wait_out` awaits the rest.
//!
//! Trap: who owns a row waits for nothing but its plugin's code. If it waited for a place, whose owner
//! may wait for the row, neither would go on.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::calling::{Begun, Call, Trouble};
use super::load::{Attempt, Job, cause, fact};
use crate::event::EventKind;
use crate::extension::ExtensionPoint;
use crate::reason::Phase;
use crate::table::{Claim, Entry, Initialized, Loading, Reason, Turn};

/// Who makes attempts one after another.
pub(super) trait Worker {
    /// Called before anything is waited for.
    fn waits(&mut self);

    /// Whether an attempt that had to wait for its place is still wanted.
    fn goes_on(&self) -> bool;
}

/// What is left to do at the end of an attempt. The plugin is where it was.
pub(super) enum End<'a, P: ExtensionPoint + ?Sized + 'static> {
    /// Nothing: it has ended, or is somebody else's.
    Over,
    /// The plugin is not to be loaded.
    Refused(Initialized<'a, P>, Box<Reason>),
    /// Its `load` has ended.
    Called(Loading<'a, P>, Result<P::Output, Trouble>),
}

/// How far an attempt comes without waiting.
pub(super) type Step<'a, 'h, P> = ControlFlow<End<'a, P>, Wait<'a, 'h, P>>;

/// Where a plugin is from its factory to the end of its attempt.
pub(super) type Home<P> = Option<Arc<P>>;

/// What an attempt waits for.
pub(super) enum Wait<'a, 'h, P: ExtensionPoint + ?Sized + 'static> {
    /// A place among those that load at once.
    Place(&'a Semaphore, &'h mut Home<P>),
    /// Somebody else's attempt.
    Other,
    /// An attempt for what it requires.
    Requirement(&'a Entry<P>, &'h mut Home<P>),
    /// Its factory, which has a limit and runs elsewhere.
    Factory(Duration, Claim<'a, P>, &'h mut Home<P>),
    ShouldLoad(Call<'h, bool>, Initialized<'a, P>, &'h P),
    Load(Call<'h, P::Output>, Loading<'a, P>),
}

/// What most attempts do not have behind them when they go on.
enum Waited<'a, P: ExtensionPoint + ?Sized + 'static> {
    /// For its place, or for what it requires; the row is not claimed.
    Turn,
    Factory(Claim<'a, P>, Result<Arc<P>, Trouble>),
    /// An attempt that failed after the factory.
    Kept(Claim<'a, P>, Arc<P>),
}

impl<'a, P: ExtensionPoint + ?Sized + 'static> Attempt<'a, P> {
    #[inline]
    pub(super) fn new(job: &'a Job<'a, P>, index: u32) -> Self {
        Self { job, entry: job.table.row(index), place: None }
    }

    /// Comes as far as it can without waiting. The plugin stays in `home`.
    #[inline]
    pub(super) fn begin<'h>(&mut self, home: &'h mut Home<P>) -> Step<'a, 'h, P>
    where
        'a: 'h,
    {
        if let Some(problem) = self.job.table.unusable(self.entry) {
            self.refuse(problem);
            return ControlFlow::Break(End::Over);
        }
        self.approach(home)
    }

    /// Waits until there is nothing to wait for.
    pub(super) async fn wait_out<'h>(
        &mut self,
        mut wait: Wait<'a, 'h, P>,
        worker: &mut impl Worker,
    ) -> End<'a, P>
    where
        'a: 'h,
    {
        worker.waits();
        loop {
            let step = match wait {
                Wait::Place(places, home) => {
                    self.place = places.acquire().await.ok();
                    if !worker.goes_on() {
                        return End::Over;
                    }
                    self.go_on(Waited::Turn, home)
                }
                Wait::Other => {
                    drop(self.place.take());
                    self.entry.settled(self.job.caller.call).await;
                    return End::Over;
                }
                Wait::Requirement(busy, home) => {
                    busy.given_up().await;
                    self.go_on(Waited::Turn, home)
                }
                Wait::Factory(limit, claim, home) => {
                    let made = self.make_apart(limit).await;
                    self.go_on(Waited::Factory(claim, made), home)
                }
                Wait::ShouldLoad(call, plugin, own) => {
                    let answer = call.end().await;
                    self.answered(plugin, own, answer)
                }
                Wait::Load(call, plugin) => {
                    let output = call.end().await;
                    return End::Called(plugin, output);
                }
            };
            match step {
                ControlFlow::Continue(next) => wait = next,
                ControlFlow::Break(end) => return end,
            }
        }
    }

    /// Not inlined, so that what most attempts do can be.
    #[cold]
    #[inline(never)]
    fn go_on<'h>(&mut self, waited: Waited<'a, P>, home: &'h mut Home<P>) -> Step<'a, 'h, P>
    where
        'a: 'h,
    {
        match waited {
            Waited::Turn => self.approach(home),
            Waited::Factory(claim, made) => self.made(claim, made, home),
            Waited::Kept(claim, plugin) => self.accept(claim.initialized(), plugin, home),
        }
    }

    /// Ends it, with the plugin.
    #[inline]
    pub(super) fn finish(mut self, end: End<'a, P>, home: Home<P>) {
        // The place is free when the row tells of the end.
        drop(self.place.take());
        match (end, home) {
            (End::Called(plugin, Ok(output)), Some(own)) => {
                self.end(plugin.loaded(own, output), || EventKind::Loaded);
            }
            (End::Called(plugin, Err(trouble)), home) => {
                let reason = self.reason(Phase::Load, trouble);
                self.end(plugin.not(home, reason.clone()), || fact(reason));
            }
            (End::Refused(plugin, reason), home) => {
                self.end(plugin.not(home, Reason::clone(&reason)), || fact(*reason));
            }
            // Without a home nothing has been called.
            (End::Over | End::Called(_, Ok(_)), _) => {}
        }
    }

    fn places(&self) -> Option<&'a Semaphore> {
        self.job.shared.limits.places_for(self.job.caller.nested)
    }

    /// Looks at what it requires, and takes a place. Its place in the graph was looked at before.
    #[inline(always)]
    pub(super) fn approach<'h>(&mut self, home: &'h mut Home<P>) -> Step<'a, 'h, P>
    where
        'a: 'h,
    {
        let missing = match self.missing() {
            Ok(missing) => missing,
            Err(busy) => {
                drop(self.place.take());
                return ControlFlow::Continue(Wait::Requirement(busy, home));
            }
        };
        // Who waits for another's attempt needs no place, nor does what is skipped and calls nothing.
        let calls = || missing.is_none() || self.job.shared.filters.are_own();
        let wants = || self.place.is_none() && self.entry.is_open() && calls();
        if let Some(places) = self.places().filter(|_| wants()) {
            self.place = places.try_acquire().ok();
            if self.place.is_none() {
                return ControlFlow::Continue(Wait::Place(places, home));
            }
        }
        self.claim(missing, home)
    }

    /// Takes the row, and has the plugin made unless it is refused or something is missing.
    #[inline(always)]
    fn claim<'h>(&mut self, missing: Option<&Entry<P>>, home: &'h mut Home<P>) -> Step<'a, 'h, P>
    where
        'a: 'h,
    {
        let Job { shared, caller, .. } = self.job;
        let claim = match self.entry.claim(caller.call) {
            Turn::Mine(claim) => claim,
            Turn::Busy => return ControlFlow::Continue(Wait::Other),
            Turn::Settled => return ControlFlow::Break(End::Over),
        };
        if shared.filters.are_there()
            && let Some(reason) = self.refused_spec()
        {
            self.end(claim.not(reason.clone()), || fact(reason));
            return ControlFlow::Break(End::Over);
        }
        if let Some(because) = missing {
            self.skip(claim, because);
            return ControlFlow::Break(End::Over);
        }
        let Some((claim, factory)) = self.resolve(claim) else {
            return ControlFlow::Break(End::Over);
        };
        if let Some(plugin) = claim.take_kept() {
            return self.go_on(Waited::Kept(claim, plugin), home);
        }
        match shared.limits.init {
            None => self.made(claim, self.make(factory), home),
            Some(limit) => ControlFlow::Continue(Wait::Factory(limit, claim, home)),
        }
    }

    /// Takes what the factory has made.
    #[inline(always)]
    fn made<'h>(
        &self,
        claim: Claim<'a, P>,
        made: Result<Arc<P>, Trouble>,
        home: &'h mut Home<P>,
    ) -> Step<'a, 'h, P>
    where
        'a: 'h,
    {
        match made {
            Ok(plugin) => {
                let initialized = claim.initialized();
                self.emit(|| EventKind::Initialized);
                self.accept(initialized, plugin, home)
            }
            Err(trouble) => {
                let failure = self.failure(Phase::Init, cause(trouble));
                let ended = claim.not(Reason::Failed(Arc::clone(&failure)));
                self.end(ended, || EventKind::InitFailed(failure));
                ControlFlow::Break(End::Over)
            }
        }
    }

    /// Has the filters look at the plugin, and asks whether it wants to be loaded.
    #[inline(always)]
    fn accept<'h>(
        &self,
        initialized: Initialized<'a, P>,
        plugin: Arc<P>,
        home: &'h mut Home<P>,
    ) -> Step<'a, 'h, P>
    where
        'a: 'h,
    {
        let Job { shared, waker, .. } = self.job;
        let own: &'h P = home.insert(plugin);
        if shared.filters.are_own()
            && let Some(reason) = self.refused_plugin(own)
        {
            return ControlFlow::Break(End::Refused(initialized, Box::new(reason)));
        }
        // Written by the macros, a constant: the one method that can not panic.
        if !own.asks_should_load() {
            return self.load(initialized, own);
        }
        let calling = self.calling(Phase::ShouldLoad, shared.limits.should_load);
        match calling.begin(|| own.should_load(&shared.context), waker) {
            Begun::Done(answer) => self.answered(initialized, own, answer),
            Begun::Pending(call) => ControlFlow::Continue(Wait::ShouldLoad(call, initialized, own)),
        }
    }

    fn answered<'h>(
        &self,
        plugin: Initialized<'a, P>,
        own: &'h P,
        answer: Result<bool, Trouble>,
    ) -> Step<'a, 'h, P>
    where
        'a: 'h,
    {
        let reason = match answer {
            Ok(true) => return self.load(plugin, own),
            Ok(false) => Reason::Disabled("its should_load answered false".into()),
            Err(trouble) => self.reason(Phase::ShouldLoad, trouble),
        };
        ControlFlow::Break(End::Refused(plugin, Box::new(reason)))
    }

    #[inline(always)]
    fn load<'h>(&self, plugin: Initialized<'a, P>, own: &'h P) -> Step<'a, 'h, P>
    where
        'a: 'h,
    {
        let Job { shared, waker, .. } = self.job;
        let plugin = plugin.loading();
        self.emit(|| EventKind::LoadStarted);
        let calling = self.calling(Phase::Load, shared.limits.load);
        match calling.begin(|| own.load(&shared.context), waker) {
            Begun::Done(output) => ControlFlow::Break(End::Called(plugin, output)),
            Begun::Pending(call) => ControlFlow::Continue(Wait::Load(call, plugin)),
        }
    }
}

//! What is known of one service: its state, its present run, and the loan that lets it come back by itself.
//!
//! Two write it, each in one access: the dispatcher, and the service's own task while the loan is here. Whoever
//! comes second finds what the first has left, so a run is begun by one of them only.
//!
//! Trap: what is replaced may own values of the user's, with destructors; it is dropped after the lock.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::error::SharedError;
use crate::state::ServiceState;
use crate::supervisor::core::{Ending, Loan};

/// A lock around what two threads share. Only so that the cell can stand under a model checker's.
pub(super) trait Lock<T> {
    fn new(value: T) -> Self;
    fn with<A>(&self, access: impl FnOnce(&mut T) -> A) -> A;
}

impl<T> Lock<T> for parking_lot::Mutex<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    fn with<A>(&self, access: impl FnOnce(&mut T) -> A) -> A {
        access(&mut self.lock())
    }
}

pub(super) struct Known<R> {
    state: ServiceState,
    incarnation: u32,
    run: Option<R>,
    loan: Option<Box<Loan>>,
    /// What its runs failed with. A destructor is user code, so the last clone is not for the
    /// dispatcher to drop: the service's own task does.
    errors: Option<Box<Errors>>,
}

/// Errors that others may have too.
#[derive(Default)]
struct Errors {
    list: Vec<SharedError>,
    /// So many are worth a look at each: twice as many as others had at the last one.
    many: usize,
}

/// `R` is a run.
pub(super) struct Cell<R, L = parking_lot::Mutex<Known<R>>> {
    known: L,
    run: PhantomData<fn(R)>,
}

impl<R: Clone, L: Lock<Known<R>>> Cell<R, L> {
    pub(super) fn new(state: ServiceState) -> Self {
        let known = L::new(Known { state, incarnation: 0, run: None, loan: None, errors: None });
        Self { known, run: PhantomData }
    }

    /// Where it stands, the number of its newest run, and that if it has not ended.
    pub(super) fn get(&self) -> (ServiceState, u32, Option<R>) {
        self.known.with(|known| (known.state.clone(), known.incarnation, known.run.clone()))
    }

    /// Where it stands.
    pub(super) fn state(&self) -> ServiceState {
        self.known.with(|known| known.state.clone())
    }

    /// The present run, if there is one.
    pub(super) fn run(&self) -> Option<R> {
        self.known.with(|known| known.run.clone())
    }

    // The dispatcher's, which has no loan given out while it calls them.

    /// Keeps where it stands now; a run that has ended is let go.
    pub(super) fn publish(&self, state: ServiceState, incarnation: u32) {
        let before = self.known.with(|known| {
            let over = if state.is_live() { None } else { known.run.take() };
            known.incarnation = incarnation;
            (std::mem::replace(&mut known.state, state), over)
        });
        drop(before);
    }

    /// Keeps the run that is about to begin.
    pub(super) fn hold(&self, run: R) {
        let before = self.known.with(|known| known.run.replace(run));
        drop(before);
    }

    /// Lets the service's own task go on by itself.
    pub(super) fn lend(&self, loan: Box<Loan>) {
        self.known.with(|known| known.loan = Some(loan));
    }

    /// Takes the loan back, with the number of the newest run.
    pub(super) fn recall(&self) -> Option<(u32, Box<Loan>)> {
        self.known.with(|known| Some((known.incarnation, known.loan.take()?)))
    }

    // The own task's.

    /// Whether there is a loan.
    pub(super) fn is_lent(&self) -> bool {
        self.known.with(|known| known.loan.is_some())
    }

    /// Begins the run after one that has ended, if that is for the own task to do. `tell` is called under
    /// the lock, so that what others tell of it afterwards is heard afterwards. With the run comes whether
    /// the dispatcher is to learn of it.
    pub(super) fn turn(
        &self,
        ending: &Ending,
        now: Duration,
        begin: impl FnOnce(u32) -> R,
        mut tell: impl FnMut(&ServiceState, u32),
    ) -> Option<(R, bool)> {
        let (before, run, announces) = self.known.with(|known| {
            let loan = known.loan.as_mut()?;
            let cause = loan.turn(ending, now)?;
            let announces = loan.announce();
            let backoff = ServiceState::Backoff { cause, delay: Duration::ZERO };
            tell(&backoff, known.incarnation);
            known.incarnation = known.incarnation.wrapping_add(1);
            let run = begin(known.incarnation);
            let state = std::mem::replace(&mut known.state, ServiceState::Starting);
            tell(&known.state, known.incarnation);
            Some(((backoff, state, known.run.replace(run.clone())), run, announces))
        })?;
        drop(before);
        Some((run, announces))
    }

    /// A run that the own task has begun is ready; `false` when that is the dispatcher's to hear.
    pub(super) fn ready(
        &self,
        incarnation: u32,
        now: Duration,
        tell: impl FnOnce(&ServiceState, u32),
    ) -> bool {
        let before = self.known.with(|known| {
            let loan = known.loan.as_mut().filter(|_| known.incarnation == incarnation)?;
            if !loan.ready(now) {
                return None;
            }
            let state = std::mem::replace(&mut known.state, ServiceState::Running);
            tell(&known.state, known.incarnation);
            Some(state)
        });
        before.is_some()
    }

    /// Whether the own task has begun a run that is not ready.
    pub(super) fn is_starting(&self) -> bool {
        self.known.with(|known| known.loan.as_ref().is_some_and(|loan| loan.is_starting()))
    }

    /// Leaves what follows to the dispatcher.
    pub(super) fn hand_back(&self) {
        self.known.with(|known| {
            if let Some(loan) = &mut known.loan {
                loan.hand_back();
            }
        });
    }

    /// Keeps what a run failed with until nobody else has it.
    pub(super) fn keep(&self, error: SharedError) {
        self.known.with(|known| known.errors.get_or_insert_default().list.push(error));
    }

    /// Takes out the errors that nobody else has any more: all of them, or when there are many.
    pub(super) fn unused(&self, all: bool) -> Vec<SharedError> {
        let unused = |error: &mut SharedError| Arc::strong_count(error) == 1;
        self.known.with(|known| {
            let Some(errors) = known.errors.as_mut() else { return Vec::new() };
            if !all && errors.list.len() < errors.many {
                return Vec::new();
            }
            let taken = errors.list.extract_if(.., unused).collect();
            errors.many = 2 * errors.list.len();
            if errors.list.is_empty() {
                known.errors = None;
            }
            taken
        })
    }
}

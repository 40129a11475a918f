//! The step: what happened goes in, what to do comes out.
//!
//! Trap: news may be late. Exits are fenced by the incarnation's number, timers by their arming.
//!
//! Trap: of a service that is lent, the core knows what was so when it was lent. Whoever steps it takes the
//! loan back first when the input is [about](Input::about) that service, or about all.

use std::time::Duration;

use rustc_hash::FxHashSet;

use super::model::Core;
use super::words::{About, Action, Input};

impl<C> Core<C> {
    /// Takes in what happened at `now` (since the supervisor was built) and leaves what is to be
    /// done, in this order, in `actions`.
    pub(crate) fn step(&mut self, input: Input<C>, now: Duration, actions: &mut Vec<Action<C>>) {
        self.now = now;
        std::mem::swap(&mut self.actions, actions);
        let about = input.about();
        match input {
            Input::Start { service, caller } => self.start(service, caller),
            Input::Stop { service, caller } => self.stop(service, caller),
            Input::StopUnused { service, caller } => self.stop_unused(service, caller),
            Input::Restart { service, caller } => self.restart(service, caller),
            Input::Wait { service, caller } => self.wait(service, caller),
            Input::Add(coming) => self.welcome(*coming),
            Input::Remove { service, caller } => self.take_leave(service, caller),
            Input::Shutdown => self.begin_shutdown(),
            Input::AbortNow => self.abort_now(),
            Input::Ready { service, incarnation, unhealthy } => {
                self.ready(service, incarnation, unhealthy);
            }
            Input::Health { service, incarnation, health } => {
                self.health(service, incarnation, health);
            }
            Input::RunOver { service, incarnation, failed } => {
                self.run_over(service, incarnation, failed);
            }
            Input::Ended { service, incarnation, ending } => {
                self.ended(service, incarnation, ending);
            }
            Input::Timer { service, arming, reached, silent } => {
                self.timer(service, arming, reached, silent);
            }
            Input::Turns { service } => self.turns(service),
            Input::HandedBack { .. } => {}
            Input::Regained { service, incarnation, loan } => {
                self.regain(service, incarnation, *loan);
            }
            Input::ShutdownTimer => self.abort_now(),
        }
        self.signal_planned();
        let mut told = FxHashSet::default();
        loop {
            if let Some(service) = self.decided.pop() {
                self.advance_dependents(service);
                self.tell_on(service, &mut told);
            } else if let Some(service) = self.moved.pop() {
                self.advance(service);
            } else {
                break;
            }
        }
        match about {
            _ if self.shutdown.is_some() => {}
            About::Nobody => {}
            About::One(service) => self.lend(service),
            About::All => (0..self.len()).for_each(|service| self.lend(service)),
        }
        self.finish_shutdown();
        std::mem::swap(&mut self.actions, actions);
    }
}

//! What is lent in walks, and what services do with it.

use super::ending::Ending;
use super::walk::World;
use super::words::{Index, Input};

impl World {
    pub(super) fn recall(&mut self, service: Index) {
        let loan = self.loans.remove(&service);
        self.check(self.core.is_lent(service) == loan.is_some(), "who is lent has a loan");
        let Some(loan) = loan else { return };
        let incarnation = self.newest[service as usize];
        self.step_core(Input::Regained { service, incarnation, loan });
    }

    /// Its own task begins the next run, if it may.
    pub(super) fn turn(&mut self, service: Index, ending: &Ending) -> bool {
        let now = self.now;
        let Some(loan) = self.loans.get_mut(&service) else { return false };
        let turns = loan.turn(ending, now).is_some();
        self.turns += usize::from(turns);
        let announces = turns && loan.announce();
        if let (true, Some(life)) = (turns, self.lives.remove(&service)) {
            if let Some(trace) = &mut self.trace {
                trace.push(format!("  {service} turns"));
            }
            self.begin(service, life.incarnation + 1);
        }
        if announces {
            self.step(Input::Turns { service });
        }
        turns
    }

    /// Its task has handed the loan back, and its word is on the way to the dispatcher.
    pub(super) fn hand_back(&mut self, service: Index) {
        if let Some(loan) = self.loans.get_mut(&service) {
            loan.hand_back();
        }
    }
}

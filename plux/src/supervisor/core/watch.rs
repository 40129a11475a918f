//! Runs that are taken to have failed although they go on: they are stopped, and the failure is the
//! exit, whatever they return.

use std::sync::Arc;
use std::time::Duration;

use crate::error::ServiceFailure;
use crate::reason::StopReason;

use super::model::Core;
use super::words::{Down, Index, Round};

impl<C> Core<C> {
    /// Has a watched service that serves, and was silent for so long, be looked at again when its time
    /// is over; if it is over, the service has failed.
    pub(super) fn watch(&mut self, service: Index, silent: Duration) {
        let Some(watchdog) = self.row(service).limits.watchdog else { return };
        match watchdog.checked_sub(silent) {
            None | Some(Duration::ZERO) => {
                self.fail(service, StopReason::Watchdog, ServiceFailure::Watchdog { watchdog });
            }
            Some(rest) => self.arm(service, rest),
        }
    }

    /// From here on the service has failed: what stands on it reacts, and what is asked of it next is
    /// about another attempt.
    pub(super) fn fail(&mut self, service: Index, reason: StopReason, failure: ServiceFailure) {
        let failure = Arc::new(failure);
        let row = self.row_mut(service);
        row.wanted &= row.limits.restarts();
        row.late = Some(Arc::clone(&failure));
        let round = if row.wanted { Round::Begins } else { Round::None };
        let mut plans = self.reacting(service, round);
        plans.push((service, reason));
        if round == Round::Begins {
            self.wait_for_companion(service);
        }
        self.plan(&plans);
        self.fail_starts(service, &Down::Failed { culprit: service, failure });
    }
}

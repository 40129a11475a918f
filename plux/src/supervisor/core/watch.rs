//! Runs that are taken to have failed although they go on: they are stopped, and the failure is the
//! exit, whatever they return.

use std::sync::Arc;
use std::time::Duration;

use crate::error::ServiceFailure;
use crate::health::{Health, OnUnhealthy};
use crate::reason::StopReason;
use crate::restart::Intensity;

use super::model::Core;
use super::words::{Action, Down, Index, Round};

impl<C> Core<C> {
    /// Has a watched service that was silent for so long be looked at again when its time is over; if
    /// that is now, it has failed. One that does not serve is not watched.
    pub(super) fn watch(&mut self, service: Index, silent: Duration) {
        let row = self.row(service);
        let Some(watchdog) = row.limits.watchdog.filter(|_| row.serves()) else { return };
        match watchdog.checked_sub(silent) {
            None | Some(Duration::ZERO) => {
                self.fail(service, StopReason::Watchdog, ServiceFailure::Watchdog { watchdog });
            }
            Some(rest) => self.arm(service, rest),
        }
    }

    /// Makes known how well a run is. One that is on its way up, or down, is not taken to task for it.
    pub(super) fn health(&mut self, service: Index, incarnation: u32, health: Health) {
        let row = self.row(service);
        if row.incarnation != incarnation || !row.live || row.leaked {
            return;
        }
        let unhealthy = health.unhealthy().cloned();
        self.actions.push(Action::Health { service, incarnation, health });
        if let Some(reason) = unhealthy {
            self.unhealthy(service, reason);
        }
    }

    pub(super) fn unhealthy(&mut self, service: Index, reason: Arc<str>) {
        let row = self.row(service);
        if row.serves() && row.limits.on_unhealthy == OnUnhealthy::Restart {
            self.fail(service, StopReason::Health, ServiceFailure::Unhealthy { reason });
        }
    }

    /// From here on the service has failed: what stands on it reacts, and what is asked of it next is
    /// about another attempt.
    pub(super) fn fail(&mut self, service: Index, reason: StopReason, failure: ServiceFailure) {
        let mut failure = Arc::new(failure);
        let row = self.row_mut(service);
        let comes_back = row.limits.comes_back();
        let gives_up = row.wanted && row.limits.restarts() && !comes_back;
        if gives_up {
            failure = Arc::new(given_up(row.limits.intensity, failure));
        }
        row.wanted &= comes_back;
        row.late = Some(Arc::clone(&failure));
        let round = match (row.wanted, gives_up) {
            (true, _) => Round::Begins,
            (_, true) => Round::Ends,
            _ => Round::None,
        };
        let mut plans = self.reacting(service, round);
        plans.push((service, reason));
        if round == Round::Begins {
            self.wait_for_companion(service);
        }
        self.plan(&plans);
        self.fail_starts(service, &Down::Failed { culprit: service, failure });
    }
}

/// No restart is allowed at all.
fn given_up(intensity: Intensity, source: Arc<ServiceFailure>) -> ServiceFailure {
    let Intensity { restarts, period } = intensity;
    ServiceFailure::GaveUp { restarts, period, group: None, again: None, source }
}

//! A case as text.

use std::fmt;

use crate::case::{Case, Service};
use crate::run::Row;

/// What matters of it, for a reader.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { together, budget, shutdown, dropped, cap, .. } = self;
        let group: Vec<_> = self.members().collect();
        writeln!(
            f,
            "group {group:?} together {together} budget {budget:?}, shutdown_timeout {shutdown:?}, dropped {dropped}, cap {cap:?}"
        )?;
        for (at, service) in self.services.iter().enumerate().filter(|(_, it)| it.present) {
            let Row { name, restart, intensity, period, give_up, delay, grace, start, .. } =
                &service.row;
            let Row { watchdog, judged, .. } = service.row;
            let Service { doubles, declines, comes, .. } = service;
            writeln!(
                f,
                "{at} is {name}: {restart:?}, {intensity:?} in {period}, {give_up:?}, delay {delay} \
                 doubles {doubles}, grace {grace:?}, start {start:?}, declines {declines}, \
                 watchdog {watchdog:?}, judged {judged}, comes {comes:?}"
            )?;
            for edge in service.edges.iter().filter(|edge| self.services[edge.on].present) {
                writeln!(f, "    {:?} {} {:?}", edge.kind, edge.on, edge.reaction)?;
            }
            for script in service.scripts.iter().chain([&service.usual]) {
                writeln!(f, "    {script:?}")?;
            }
            for (inner, row) in service.inner.iter().zip(&service.row.inner) {
                writeln!(f, "    inside: {row:?} {inner:?}")?;
            }
        }
        for call in &self.calls {
            writeln!(f, "{call:?}")?;
        }
        Ok(())
    }
}

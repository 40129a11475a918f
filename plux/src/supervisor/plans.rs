//! Making plans of starts and stops: of the graph and of what is published. Linear in what takes part.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::error::{StartError, StopError};
use crate::name::Name;
use crate::reason::Stopped;
use crate::spec::DependencyKind;
use crate::state::ServiceState;

use super::calls::Supervisor;
use super::core::Index;
use super::plan::{Plan, PlanKind, PlanReason, PlanStep};
use super::roster::Roster;
use super::shell::Child;

/// A member, before it has its place in the order.
struct Member {
    service: Index,
    reason: PlanReason,
    waits_for: Vec<(Index, DependencyKind)>,
}

impl Supervisor {
    /// What [`start`](Supervisor::start) would do now. Runs nothing and never waits.
    ///
    /// # Errors
    /// [`StartError`]: unknown, or unusable for its place in the graph.
    ///
    /// ```
    /// use plux::{BoxError, FnService, PluginManager, ServiceContext, Supervisor};
    ///
    /// #[plux::service]
    /// async fn journal(cx: ServiceContext) -> Result<(), BoxError> { Ok(()) }
    ///
    /// #[plux::service(requires = ["journal"])]
    /// async fn ledger(cx: ServiceContext) -> Result<(), BoxError> { Ok(()) }
    ///
    /// # fn main() -> Result<(), BoxError> {
    /// let services = PluginManager::<dyn FnService>::builder(()).build();
    /// let supervisor = Supervisor::builder().manager(services).build()?;
    /// assert_eq!(supervisor.plan_start("ledger")?.to_string(), "\
    /// 1. journal (required by ledger): stopped
    /// 2. ledger (named; requires journal): stopped
    /// ");
    /// # Ok(())
    /// # }
    /// ```
    pub fn plan_start(&self, name: &str) -> Result<Plan, StartError> {
        let roster = self.shared.roster.read();
        let Some((service, _)) = roster.find(name) else {
            return Err(StartError::Unknown { name: name.to_owned(), near: roster.near(name) });
        };
        let graph = roster.graph();
        if let Some(problem) = graph.problem(service) {
            return Err(StartError::Graph(Arc::clone(problem)));
        }
        let mut reasons = FxHashMap::from_iter([(service, PlanReason::Named)]);
        let mut found = VecDeque::from([service]);
        let mut members = Vec::new();
        while let Some(member) = found.pop_front() {
            members.push(member);
            for (on, kind) in graph.usable(member) {
                let by = name_of(&roster, member);
                let reason = match kind {
                    DependencyKind::Requires => PlanReason::RequiredBy(by),
                    DependencyKind::Wants => PlanReason::WantedBy(by),
                    DependencyKind::After => continue,
                };
                reasons.entry(on).or_insert_with(|| {
                    found.push_back(on);
                    reason
                });
            }
        }
        let members = members
            .into_iter()
            .map(|member| {
                let waits_for =
                    graph.usable(member).filter(|(on, _)| reasons.contains_key(on)).collect();
                let reason = reasons[&member].clone();
                Member { service: member, reason, waits_for }
            })
            .collect();
        let needs = |state: &ServiceState, named: bool| match state {
            ServiceState::Running => false,
            // A start that only pulls it is content with its completion.
            ServiceState::Stopped(Stopped::Completed) => named,
            _ => true,
        };
        Ok(plan(&roster, PlanKind::Start, service, members, needs))
    }

    /// What [`stop`](Supervisor::stop) would do now. Runs nothing and never waits.
    ///
    /// # Errors
    /// [`StopError::Unknown`].
    pub fn plan_stop(&self, name: &str) -> Result<Plan, StopError> {
        let roster = self.shared.roster.read();
        let Some((service, _)) = roster.find(name) else {
            return Err(StopError::Unknown { name: name.to_owned(), near: roster.near(name) });
        };
        let graph = roster.graph();
        let mut reasons = FxHashMap::from_iter([(service, PlanReason::Named)]);
        let mut found = VecDeque::from([service]);
        let mut members = Vec::new();
        while let Some(member) = found.pop_front() {
            members.push(member);
            for &(dependent, kind) in graph.dependents(member) {
                if kind == DependencyKind::Requires {
                    reasons.entry(dependent).or_insert_with(|| {
                        found.push_back(dependent);
                        PlanReason::Requires(name_of(&roster, member))
                    });
                }
            }
        }
        let members = members
            .into_iter()
            .map(|member| {
                // Of two that are both to end, edges of every kind order the ends.
                let dependents = graph.dependents(member).iter().copied();
                let waits_for = dependents.filter(|(on, _)| reasons.contains_key(on)).collect();
                let reason = reasons[&member].clone();
                Member { service: member, reason, waits_for }
            })
            .collect();
        let needs = |state: &ServiceState, _| {
            state.is_live() || matches!(state, ServiceState::Waiting | ServiceState::Backoff { .. })
        };
        Ok(plan(&roster, PlanKind::Stop, service, members, needs))
    }
}

fn name_of(roster: &Roster<Arc<Child>>, service: Index) -> Name {
    match roster.get(service) {
        Some(child) => child.spec.name().clone(),
        None => unreachable!("the graph leads to nobody who is not there"),
    }
}

fn plan(
    roster: &Roster<Arc<Child>>,
    kind: PlanKind,
    target: Index,
    members: Vec<Member>,
    needs: impl Fn(&ServiceState, bool) -> bool,
) -> Plan {
    let order = ordered(&members);
    let mut steps = Vec::with_capacity(members.len());
    // For each member the longest chain that ends with it, who is before it there, and whether it
    // has something to do.
    let mut chains: FxHashMap<Index, (usize, Option<Index>, bool)> = FxHashMap::default();
    let mut last: Option<(usize, Index)> = None;
    for Member { service, reason, waits_for } in order.into_iter().map(|place| &members[place]) {
        let Some(child) = roster.get(*service) else { continue };
        let state = child.stands();
        let is_needed = needs(&state, *service == target);
        let before = waits_for.iter().map(|(on, _)| (chains[on].0, *on));
        let (length, before) = before.max().map_or((0, None), |(length, on)| (length, Some(on)));
        let length = length + usize::from(is_needed);
        chains.insert(*service, (length, before, is_needed));
        if is_needed && last.is_none_or(|(longest, _)| length > longest) {
            last = Some((length, *service));
        }
        steps.push(PlanStep {
            name: child.spec.name().clone(),
            origin: child.spec.origin(),
            reason: reason.clone(),
            waits_for: waits_for.iter().map(|(on, kind)| (name_of(roster, *on), *kind)).collect(),
            state,
            is_needed,
        });
    }
    let mut critical_path = Vec::new();
    let mut at = last.map(|(_, service)| service);
    while let Some(service) = at {
        let (_, before, is_needed) = chains[&service];
        if is_needed {
            critical_path.push(name_of(roster, service));
        }
        at = before;
    }
    critical_path.reverse();
    Plan { kind, target: name_of(roster, target), steps, critical_path }
}

/// The places of the members, each after those it waits for. There is no cycle among them.
fn ordered(members: &[Member]) -> Vec<usize> {
    let places: FxHashMap<Index, usize> =
        members.iter().enumerate().map(|(place, member)| (member.service, place)).collect();
    let mut missing: Vec<usize> = members.iter().map(|member| member.waits_for.len()).collect();
    let mut waiting = vec![Vec::new(); members.len()];
    for (place, member) in members.iter().enumerate() {
        for (on, _) in &member.waits_for {
            waiting[places[on]].push(place);
        }
    }
    let mut order: Vec<usize> = (0..members.len()).filter(|place| missing[*place] == 0).collect();
    let mut next = 0;
    while let Some(&place) = order.get(next) {
        next += 1;
        for &dependent in &waiting[place] {
            missing[dependent] -= 1;
            if missing[dependent] == 0 {
                order.push(dependent);
            }
        }
    }
    order
}

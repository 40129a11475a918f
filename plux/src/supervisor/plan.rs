//! What a start or a stop would do, without doing it: order, reasons, the longest way; as data, as text,
//! as DOT and as JSON. Pure data.

use std::fmt;

use serde_json::json;

use crate::name::Name;
use crate::origin::Origin;
use crate::spec::DependencyKind;
use crate::state::ServiceState;

/// What [`Supervisor::plan_start`](crate::Supervisor::plan_start) or
/// [`plan_stop`](crate::Supervisor::plan_stop) would do.
///
/// As a string it is a line for each step.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Plan {
    /// Start or stop.
    pub kind: PlanKind,
    /// The service that was named.
    pub target: Name,
    /// Every member, each after those it waits for.
    pub steps: Vec<PlanStep>,
    /// The longest chain of steps that have something to do, in their order: nothing else can make
    /// the whole take more steps one after another.
    pub critical_path: Vec<Name>,
}

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanKind {
    /// A start: dependencies go first.
    Start,
    /// A stop: dependents go first.
    Stop,
}

/// One member of a plan.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PlanStep {
    /// The service.
    pub name: Name,
    /// Where it was registered.
    pub origin: Origin,
    /// Why it takes part.
    pub reason: PlanReason,
    /// The members it waits for, and by which kind of edge.
    pub waits_for: Vec<(Name, DependencyKind)>,
    /// Where it stood when the plan was made.
    pub state: ServiceState,
    /// Whether there is anything to do: it does not run yet, or not any more.
    pub is_needed: bool,
}

/// Why a service takes part in a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanReason {
    /// It was named.
    Named,
    /// This one requires it.
    RequiredBy(Name),
    /// This one wants it.
    WantedBy(Name),
    /// It requires this one, which stops.
    Requires(Name),
}

impl fmt::Display for PlanReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named => f.write_str("named"),
            Self::RequiredBy(name) => write!(f, "required by {name}"),
            Self::WantedBy(name) => write!(f, "wanted by {name}"),
            Self::Requires(name) => write!(f, "requires {name}"),
        }
    }
}

impl PlanKind {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
        }
    }
}

impl Plan {
    /// The plan as a graph in the DOT language: an arrow leads from each step to those that wait for
    /// it; dashed for what is wanted, dotted for what only orders. What there is nothing to do about is
    /// grey, and the longest chain bold.
    pub fn to_dot(&self) -> String {
        let mut text = format!("digraph \"{} {}\" {{\n", self.kind.word(), self.target);
        for step in &self.steps {
            let mut look = Vec::new();
            if !step.is_needed {
                look.push("color=grey");
            }
            if self.critical_path.contains(&step.name) {
                look.push("style=bold");
            }
            text += &format!("  \"{}\" [{}];\n", step.name, look.join(" "));
            for (on, kind) in &step.waits_for {
                let style = match kind {
                    DependencyKind::Requires => "solid",
                    DependencyKind::Wants => "dashed",
                    DependencyKind::After => "dotted",
                };
                text += &format!("  \"{on}\" -> \"{}\" [style={style}];\n", step.name);
            }
        }
        text + "}\n"
    }

    /// The plan as a JSON object: `kind`, `target`, `steps` (`name`, `origin`, `reason`, `waits_for` with
    /// `name` and `kind`, `state`, `is_needed`) and `critical_path`.
    pub fn to_json(&self) -> String {
        let name = |name: &Name| name.as_str().to_owned();
        let steps: Vec<_> = self
            .steps
            .iter()
            .map(|step| {
                let waits_for: Vec<_> = step
                    .waits_for
                    .iter()
                    .map(|(on, kind)| json!({ "name": on.as_str(), "kind": word(*kind) }))
                    .collect();
                json!({
                    "name": step.name.as_str(),
                    "origin": step.origin.to_string(),
                    "reason": step.reason.to_string(),
                    "waits_for": waits_for,
                    "state": step.state.word(),
                    "is_needed": step.is_needed,
                })
            })
            .collect();
        json!({
            "kind": self.kind.word(),
            "target": self.target.as_str(),
            "steps": steps,
            "critical_path": self.critical_path.iter().map(name).collect::<Vec<_>>(),
        })
        .to_string()
    }
}

fn word(kind: DependencyKind) -> &'static str {
    match kind {
        DependencyKind::Requires => "requires",
        DependencyKind::Wants => "wants",
        DependencyKind::After => "after",
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.steps.iter().enumerate() {
            write!(f, "{}. {} ({}", place + 1, step.name, step.reason)?;
            for (on, kind) in &step.waits_for {
                write!(f, "; {} {on}", word(*kind))?;
            }
            let note = if step.is_needed { "" } else { ", nothing to do" };
            writeln!(f, "): {}{note}", step.state.word())?;
        }
        Ok(())
    }
}

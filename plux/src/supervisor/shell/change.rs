//! Services that come and go: what of it concerns names, managers and memory.
//!
//! Trap: with a service or a manager goes what is the user's: factories, outputs, listeners. None of that
//! is dropped here, in the dispatcher, but in a task of its own; the caller is answered after that.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::dispatcher::Dispatcher;
use super::shared::{Addition, Caller, Child};
use super::told::Told;
use crate::error::{AddError, BuildProblem, GraphError};
use crate::event::EventKind;
use crate::given::let_go;
use crate::graph::Graph;
use crate::name::Name;
use crate::options::GracePeriod;
use crate::spec::SpecRef;
use crate::supervisor::bound::shutdown_bound;
use crate::supervisor::core::{Coming, Index, Input, Limits, Newcomer, Reactions};
use crate::supervisor::found::{Found, shared, tie};
use crate::supervisor::roster::Roster;
use crate::supervisor::source::ServiceSource;
use crate::task;

/// An addition that can be made.
struct Draft {
    places: Vec<Index>,
    limits: Vec<Limits>,
    graph: Graph,
    reactions: Reactions,
}

impl Dispatcher {
    /// What to tell at once, and to hear nothing: that goes for a call about a service that was removed
    /// meanwhile, and for one by a service that would have to end for the answer.
    pub(super) fn refusal(&self, input: &Input<Caller>) -> Option<Told> {
        let caller = input.caller()?;
        if !self.is_here(caller) {
            Some(Told::Gone)
        } else if caller.asks.is_some_and(|asks| self.core.is_own_end(asks, input)) {
            Some(Told::OwnEnd(Box::new(self.known(caller.place))))
        } else {
            None
        }
    }

    /// Tells a service that is to end that it waits in vain, if it does; its call goes on.
    pub(super) fn in_vain(&self, caller: Caller, up: bool) {
        let waits = |asks| self.core.is_held_up(caller.place, up, asks);
        if self.is_here(&caller) && caller.asks.is_some_and(waits) {
            let told = Told::OwnEnd(Box::new(self.known(caller.place)));
            let _ = caller.answer.send(told);
        }
    }

    /// Whether the service that is meant has not been removed.
    fn is_here(&self, caller: &Caller) -> bool {
        let is_meant = |child: &Arc<Child>| std::ptr::eq(Arc::as_ptr(child), caller.child.as_ptr());
        self.child(caller.place).is_some_and(is_meant)
    }

    /// Adds all of it, or nothing.
    pub(super) fn add(&mut self, addition: Addition) {
        let Addition { found, problems, source, answer } = addition;
        let drafted = if self.core.is_shutting_down() {
            Err(AddError::Shutdown)
        } else {
            self.draft(&found, problems)
        };
        match drafted {
            Ok(draft) if !found.is_empty() => {
                let names = self.take_in(found, draft, source);
                // Who does not hear it can ask.
                let _ = answer.send(Told::Added(Ok(names)));
            }
            refused => {
                let told = Told::Added(refused.map(|_| Vec::new()));
                self.let_go("what was not added", (found, source), || {
                    // With it goes what a finder failed with.
                    let_go("what nobody heard", answer.send(told));
                });
            }
        }
    }

    /// All that keeps these from being added, or how it is to be done.
    fn draft(&self, found: &[Found], mut problems: Vec<BuildProblem>) -> Result<Draft, AddError> {
        let roster = &self.roster;
        let limits: Vec<_> = found.iter().map(|found| self.settings.limits(&found.spec)).collect();
        let is_bounded = self.settings.shutdown_timeout.is_some();
        for (Found { spec, .. }, limits) in found.iter().zip(&limits) {
            if let Some((_, there)) = roster.find(spec.name().as_str()) {
                let origins = Box::new((there.spec.origin(), spec.origin()));
                problems.push(BuildProblem::DuplicateName { name: spec.name().clone(), origins });
            }
            limits.check(spec, is_bounded, &mut problems);
        }
        let places = self.core.places(found.len());
        let mut specs: Vec<Option<&SpecRef>> =
            roster.places().iter().map(|child| child.as_ref().map(|child| &child.spec)).collect();
        let end = places.last().map_or(0, |last| *last as usize + 1);
        specs.resize(specs.len().max(end), None);
        for (place, Found { spec, .. }) in places.iter().zip(found) {
            specs[*place as usize] = Some(spec);
        }
        let (graph, reactions) = tie(&specs);
        problems.extend(unusable(&graph, roster.graph(), &places).map(BuildProblem::Graph));
        if problems.is_empty() {
            Ok(Draft { places, limits, graph, reactions })
        } else {
            Err(AddError::Refused { problems })
        }
    }

    fn take_in(
        &mut self,
        found: Vec<Found>,
        draft: Draft,
        source: Arc<dyn ServiceSource>,
    ) -> Vec<Name> {
        let Draft { places, limits, graph, reactions } = draft;
        let graph = Arc::new(graph);
        let names: Vec<_> = found.iter().map(|found| found.spec.name().clone()).collect();
        let newcomers =
            places.iter().zip(shared(limits)).zip(&names).map(|((place, limits), name)| {
                let group = self.settings.groups.get(name.as_str()).copied();
                Newcomer { place: *place, limits, group }
            });
        let newcomers = newcomers.collect();
        let children = places.iter().zip(found).map(|(&place, Found { spec, source })| {
            self.gone.remove(&place);
            let (shared, mailbox) = (Arc::downgrade(&self.shared), self.shared.mailbox.clone());
            let name = spec.name().clone();
            (place, name, Arc::new(Child::new(place, spec, source, shared, mailbox)))
        });
        let children: Vec<_> = children.collect();
        let mut roster = Roster::clone(&self.roster);
        roster.add(children, Arc::clone(&graph), source);
        self.show(roster);
        self.step(Input::Add(Box::new(Coming { newcomers, graph, reactions })));
        for &place in &places {
            if let Some(child) = self.child(place) {
                self.emit(place, EventKind::Added(child.spec.origin()));
            }
        }
        self.bound();
        names
    }

    /// Takes out a service that the core has let go.
    pub(super) fn remove(&mut self, service: Index, caller: Caller) {
        let Caller { answer, .. } = caller;
        self.emit(service, EventKind::Removed);
        let (name, origin) = self.known(service);
        let graph = Arc::clone(self.core.graph());
        let mut roster = Roster::clone(&self.roster);
        let child = roster.remove(service, &name, graph);
        let of = child.as_ref().map(|child| Arc::as_ptr(&child.source).cast::<()>());
        let is_it = |source: &Arc<dyn ServiceSource>| Some(Arc::as_ptr(source).cast()) == of;
        let is_last = !roster.all().any(|other| is_it(&other.source));
        let source = if is_last { roster.remove_source(is_it) } else { None };
        self.show(roster);
        self.gone.insert(service, (name, origin));
        self.bound();
        self.let_go("a removed service", child, move || {
            let_go("a manager", source);
            // Who does not hear it can ask.
            let _ = answer.send(Told::Removed(Ok(())));
        });
    }

    /// Lets everybody see who is there now.
    fn show(&mut self, roster: Roster<Arc<Child>>) {
        self.roster = Arc::new(roster);
        let before = std::mem::replace(&mut *self.shared.roster.write(), Arc::clone(&self.roster));
        drop(before);
    }

    /// Makes known how long a shutdown may take now.
    fn bound(&self) {
        let roster = &self.roster;
        let grace = |place| -> Option<GracePeriod> {
            roster.get(place).map(|_| self.core.limits(place).grace_period)
        };
        let (join, whole) = (self.settings.join_timeout, self.settings.shutdown_timeout);
        let bound = shutdown_bound(roster.graph(), grace, join, whole);
        self.shared.shutdown_bound.send_replace(bound);
    }

    /// Has a task drop what is the user's, and then do this.
    pub(super) fn let_go(
        &mut self,
        what: &'static str,
        theirs: impl Send + 'static,
        then: impl FnOnce() + Send + 'static,
    ) {
        self.letting_go.retain(|task| !task.is_finished());
        self.letting_go.push(task::spawn(async move {
            let_go(what, theirs);
            then();
        }));
    }
}

/// Why some of these can not be used, or some that could be used before can not any more: each reason
/// once, and who only depends on one that has a reason is not another.
fn unusable(
    graph: &Graph,
    before: &Graph,
    newcomers: &[Index],
) -> impl Iterator<Item = Arc<GraphError>> {
    let of = |place: Index| graph.problem(place).map(Arc::clone);
    let new: FxHashSet<_> = newcomers.iter().copied().collect();
    let others = (0..before.len() as Index)
        .filter(|place| !new.contains(place) && before.problem(*place).is_none());
    let all: Vec<_> = newcomers.iter().copied().chain(others).filter_map(of).collect();
    let depends = |problem: &Arc<GraphError>| match &**problem {
        GraphError::Dependency { source, .. } => Some(Arc::as_ptr(source)),
        _ => None,
    };
    let roots: FxHashSet<_> =
        all.iter().filter(|problem| depends(problem).is_none()).map(Arc::as_ptr).collect();
    let mut left = roots.clone();
    let mut problems = all;
    problems.retain(|problem| match depends(problem) {
        Some(root) => !roots.contains(&root),
        None => left.remove(&Arc::as_ptr(problem)),
    });
    problems.into_iter()
}

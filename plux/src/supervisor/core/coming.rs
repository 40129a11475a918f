//! Services that come and go in walks. A service always has the place that it had at first.

use std::sync::Arc;

use super::chance::SECOND;
use super::failures::Limits;
use super::model::Core;
use super::shares::Group;
use super::walk::{Call, World};
use super::words::{Coming, Index, Input, Reactions, Stays};
use crate::graph::GraphBuilder;
use crate::options::ServiceOptions;
use crate::restart::{Backoff, GiveUp, Reaction};
use crate::spec::DependencyKind;

impl World {
    /// Whether the service may come: all it requires is there.
    pub(super) fn may_come(&self, service: Index) -> bool {
        let hard = |kind| kind == DependencyKind::Requires;
        let mut edges = self.all.graph.dependencies(service).iter();
        !self.here[service as usize]
            && self.core.shutdown.is_none()
            && edges.all(|&(on, kind)| !hard(kind) || self.here[on as usize])
    }

    pub(super) fn come(&mut self, service: Index) {
        let vacant = self.here.iter().filter(|here| !**here).count();
        if !self.core.places(vacant).contains(&service) {
            // An answer is still to tell of who was there.
            let told =
                self.calls.values().any(|call| !matches!(call, Call::Wait | Call::Remove(_)));
            return self.check(told, "a place that nobody tells of is free");
        }
        self.here[service as usize] = true;
        (self.completed[service as usize], self.newest[service as usize]) = (false, 0);
        let all = Arc::clone(&self.all);
        let mut graph = GraphBuilder::new(self.here.len());
        let mut reactions = all.reactions.clone();
        let here = |place: Index| self.here[place as usize];
        for from in (0..self.here.len() as Index).filter(|from| here(*from)) {
            for &(on, kind) in all.graph.dependencies(from).iter().filter(|(on, _)| here(*on)) {
                graph.edge(from, kind, on);
            }
        }
        reactions.retain(|(from, on), _| here(*from) && here(*on));
        self.graph = Arc::new(graph.build(|_| unreachable!("no edge is wrong")));
        let newcomers = vec![all.newcomers[service as usize].clone()];
        let coming = Coming { newcomers, graph: Arc::clone(&self.graph), reactions };
        self.step(Input::Add(Box::new(coming)));
    }

    pub(super) fn remove(&mut self, service: Index) {
        let row = self.core.row(service);
        let calls = [row.waits.is_empty(), row.watchers.is_empty(), row.starts.is_empty()];
        let asked = calls.iter().all(|none| *none) && row.start.is_none();
        self.call(Call::Remove(service), |caller| Input::Remove { service, caller });
        self.check(asked || self.here[service as usize], "nobody waits for who is removed");
    }

    /// The core has let it go.
    pub(super) fn gone(&mut self, service: Index, caller: u32) {
        let call = self.calls.remove(&caller);
        self.check(call == Some(Call::Remove(service)), "one answer a call");
        self.check(!self.lives.contains_key(&service), "what lives is not removed");
        let needed = self.graph.dependents(service).iter().any(|(by, _)| *by != service);
        self.check(!needed, "what another depends on is not removed");
        self.here[service as usize] = false;
        self.graph = Arc::clone(&self.core.graph);
        let edges = self.graph.dependencies(service).len() + self.graph.dependents(service).len();
        self.check(edges == 0, "nothing is left of it");
    }

    pub(super) fn stays(&self, service: Index, why: Stays) {
        let life = self.lives.get(&service);
        let row = self.core.row(service);
        let is_so = match why {
            Stays::Live => life.is_some_and(|life| !life.leaked),
            Stays::Leaked => life.is_some_and(|life| life.leaked),
            Stays::Waiting => life.is_none() && (row.due || row.cooling),
            Stays::Needed(by) => self.here[by as usize],
            Stays::Shutdown => self.core.shutdown.is_some(),
        };
        self.check(is_so, "who is not removed has a reason to stay");
    }
}

#[test]
fn a02_ten_thousand_that_came_and_went_leave_the_tables_as_they_were() {
    let mut graph = GraphBuilder::new(2);
    graph.edge(1, DependencyKind::Requires, 0);
    let graph = Arc::new(graph.build(|_| unreachable!("no edge is wrong")));
    let limits = Arc::new(Limits::of(ServiceOptions::NONE));
    let reactions = Reactions::from_iter([((1, 0), Reaction::Keep)]);
    let core =
        Core::new(Arc::clone(&graph), reactions, [Arc::clone(&limits), limits], SECOND, None);
    let group = Group {
        name: "g".into(),
        members: vec![0, 1],
        one_for_all: true,
        intensity: None,
        give_up: GiveUp::Fail,
    };
    let core = core.with_groups(vec![group]);
    let mut world = World::of(0, core, graph, Some(Vec::new()));
    for _ in 0..10_000 {
        world.call(Call::Start(1), |caller| Input::Start { service: 1, caller });
        world.quiesce();
        world.call(Call::Stop(1, 1), |caller| Input::Stop { service: 1, caller });
        world.quiesce();
        world.remove(1);
        assert!(world.core.reactions.is_empty() && !world.here[1]);
        assert_eq!(world.core.groups.list[0].group.members, [0]);
        assert_eq!(world.core.places(2), [1, 2]);
        world.come(1);
        world.timers.clear();
    }
    world.at_rest();
    assert_eq!((world.core.len(), world.core.reactions.len()), (2, 1));
    assert_eq!(world.core.groups.list[0].group.members, [0, 1]);
    assert!(world.core.ops.capacity() < 1000);
}

#[test]
fn a02_c04_who_restarts_by_itself_goes_on_with_that_when_others_have_come() {
    for depends in [false, true] {
        let mut graph = GraphBuilder::new(2);
        if depends {
            graph.edge(1, DependencyKind::Requires, 0);
        }
        let graph = Arc::new(graph.build(|_| unreachable!("no edge is wrong")));
        let limits = Arc::new(Limits::of(ServiceOptions::NONE.with_backoff(Backoff::NONE)));
        let limits = [Arc::clone(&limits), limits];
        let core = Core::new(Arc::clone(&graph), Reactions::default(), limits, SECOND, None);
        let mut world = World::of(0, core, graph, Some(Vec::new()));
        world.remove(1);
        world.call(Call::Start(0), |caller| Input::Start { service: 0, caller });
        world.ready(0);
        assert!(world.core.is_lent(0));
        world.come(1);
        assert_eq!(world.core.is_lent(0), !depends, "nobody depends on who is lent");
    }
}

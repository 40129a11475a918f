//! What is seldom drawn by chance: who waits for a place, and a group that has used up its budget.

use crate::case::{Asks, Call, Case, Edge, End, Script};
use crate::dice::Dice;
use crate::run::{GiveUp, Kind, Policy, Reaction};

/// What came to be drawn last: it changes nothing of what was drawn before.
pub(crate) fn rare(dice: &mut Dice, case: &mut Case) {
    if dice.one_in(10) && case.services.len() > 2 {
        full(dice, case);
    }
    if dice.one_in(10) && case.members().count() > 1 {
        used_up(dice, case);
    }
}

/// Two fail at once, one of them has the only place, and somebody needs the other.
fn full(dice: &mut Dice, case: &mut Case) {
    case.cap = Some(1);
    let first = dice.roll(case.services.len() - 2);
    let (one, other, needs) = (first, first + 1, first + 2);
    for (service, ready) in [(one, 12), (other, 0)] {
        let it = &mut case.services[service];
        it.usual = Script { ready: Some(ready), ..Script::PLAIN };
        it.scripts = vec![Script { ends: Some((5, End::Error)), ..Script::PLAIN }];
        it.edges.clear();
        (it.row.restart, it.row.intensity, it.row.delay) = (Policy::Permanent, None, 1);
        (it.row.start, it.row.watchdog) = (Some(30), None);
        it.inner.clear();
        it.row.inner.clear();
    }
    let it = &mut case.services[needs];
    it.edges = vec![Edge { on: other, kind: Kind::Requires, reaction: Reaction::Keep }];
    for (at, service) in [(0, one), (0, other), (6 + dice.time(5), needs)] {
        case.calls.push(Call { at, asks: Asks::Start(service), gives_up_after: None });
    }
}

/// Those of a group need more together than they may, and each for itself could go on.
fn used_up(dice: &mut Dice, case: &mut Case) {
    let most = dice.roll(2) as u32;
    case.budget = Some((most, 60_000, GiveUp::Escalate));
    let members: Vec<_> = case.members().collect();
    for member in members {
        let it = &mut case.services[member];
        let script = Script { ends: Some((dice.time(10), End::Error)), ..it.usual };
        let script = Script { ready: Some(0), ..script };
        it.scripts = vec![script; most as usize + 1];
        (it.row.restart, it.row.intensity) = (Policy::Permanent, None);
        it.row.start = Some(30);
        let at = dice.time(10);
        case.calls.push(Call { at, asks: Asks::Start(member), gives_up_after: None });
    }
}

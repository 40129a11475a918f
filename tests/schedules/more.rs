//! What a case has beyond the plain: calls from within, runs that say how they are, a budget, a cap.

use crate::case::{Asks, Case, Inside, Script, Service};
use crate::dice::Dice;
use crate::run::GiveUp;

/// What came to be drawn later: it changes nothing of what was drawn before.
pub(crate) fn more(dice: &mut Dice, case: &mut Case) {
    for call in &mut case.calls {
        if let Asks::Stop(service) = call.asks
            && dice.one_in(3)
        {
            call.asks = Asks::StopUnused(service);
        }
    }
    let inside = if dice.one_in(3) { 1 + dice.roll(4) } else { 0 };
    for _ in 0..inside {
        let at = dice.roll(case.services.len());
        let service = &mut case.services[at];
        let asks = Some(asked_inside(dice, at, service));
        let script = Script { asks, ..service.usual };
        // Now and then it is not the first.
        let place = dice.roll(2).min(service.scripts.len());
        service.scripts.insert(place, script);
        // It holds on to the supervisor while it waits.
        case.dropped = false;
    }
    let failing = if dice.one_in(4) { 1 + dice.roll(4) } else { 0 };
    for _ in 0..failing {
        let service = dice.roll(case.services.len());
        let service = &mut case.services[service];
        let mut script = service.usual;
        if dice.one_in(2) {
            service.row.watchdog = Some(dice.pick(&[20, 60]));
            script.silent = Some(dice.time(60));
        } else {
            service.row.judged |= !dice.one_in(4);
            script.ill = Some(dice.time(40));
        }
        let place = dice.roll(2).min(service.scripts.len());
        service.scripts.insert(place, script);
    }
    if dice.one_in(2) {
        case.together = !dice.one_in(2);
        let give_up = match dice.roll(6) {
            0 => GiveUp::Escalate,
            1 | 2 => GiveUp::CoolDown(1 + dice.roll(60) as u64),
            _ => GiveUp::Leave,
        };
        case.budget = Some((dice.roll(3) as u32, dice.pick(&[20, 100, 60_000]), give_up));
    }
    case.cap = dice.one_in(3).then(|| 1 + dice.roll(2));
}

/// A call from within: about the service itself, what it depends on, or any.
fn asked_inside(dice: &mut Dice, at: usize, service: &Service) -> Inside {
    let edges: Vec<_> = service.edges.iter().map(|edge| edge.on).collect();
    let about = match dice.roll(3) {
        0 => at,
        1 if !edges.is_empty() => dice.pick(&edges),
        _ => dice.roll(at + 4),
    };
    let waits = dice.one_in(2);
    let asks = match dice.roll(12) {
        0..=2 => Asks::Start(about),
        3..=5 => Asks::Stop(about),
        6 => Asks::StopUnused(about),
        7..=9 => Asks::Restart(about),
        10 => Asks::Shutdown,
        _ => Asks::Wait(about),
    };
    Inside { after: dice.time(20), asks, waits, in_task: dice.one_in(4) }
}

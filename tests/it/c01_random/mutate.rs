//! Good runs that are made illegal in one place, and who notices: the judge is judged.

use schedules::{Case, Outcome, Run, Sizes, State, What, faults, play};

use super::look::{Seen, Told, but, moves, told, with};
use super::{
    SIZES, by_calls, by_comes, by_holds, by_leaks, by_moves, by_nested, by_restarts, by_times,
};

/// A way to make a run illegal: its name, the promises of which one is to notice, and all runs that it
/// makes of one.
pub(super) struct Mutation {
    name: &'static str,
    rules: &'static [&'static str],
    apply: fn(&Run) -> Vec<Run>,
}

pub(super) const fn way(
    name: &'static str,
    rules: &'static [&'static str],
    apply: fn(&Run) -> Vec<Run>,
) -> Mutation {
    Mutation { name, rules, apply }
}

/// All runs that come of changing one move that fits.
pub(super) fn each(
    run: &Run,
    fits: impl Fn(&Seen) -> bool,
    change: impl Fn(&Seen) -> Run,
) -> Vec<Run> {
    moves(run).iter().filter(|seen| fits(seen)).map(change).collect()
}

/// All runs that come of changing one call that fits.
pub(super) fn each_call(
    run: &Run,
    fits: impl Fn(&Told) -> bool,
    change: impl Fn(&Told) -> Run,
) -> Vec<Run> {
    told(run).iter().filter(|told| fits(told)).map(change).collect()
}

/// The move after this one of the same service.
pub(super) fn next(run: &Run, seen: &Seen) -> Option<State> {
    match run.lines[seen.after?].what {
        What::State { state, .. } => Some(state),
        _ => None,
    }
}

/// With another end of the run that a move is about.
pub(super) fn ended(run: &Run, of: &Seen, by: Outcome) -> Option<Run> {
    let line = run.lines.iter().position(|line| {
        matches!(line.what, What::Ended { service, incarnation, .. }
            if service == of.service && incarnation == of.incarnation)
    })?;
    Some(but(run, |run| {
        if let What::Ended { outcome, .. } = &mut run.lines[line].what {
            *outcome = by;
        }
    }))
}

/// With a start of the service before this line.
pub(super) fn starts(run: &Run, of: &Seen, line: usize) -> Run {
    let (service, incarnation) = (of.service, of.incarnation + 1);
    with(run, line, What::State { service, state: State::Starting, incarnation })
}

/// Where all ways are listed.
const PAGE: &str = include_str!("../../../docs/proofs.md");

/// Each way is tried on the runs of so many seeds, and so often at most.
const SEEDS: u64 = 800;
const ENOUGH: usize = 25;

#[test]
fn c06_a_run_that_is_made_illegal_is_judged_to_be_illegal() {
    // In some runs one call alone says all.
    let few = Sizes { services: 6, commands: 1, faults: 6 };
    let cases = (0..SEEDS).flat_map(|it| [Case::new(it, SIZES), Case::of_size(it, few)]);
    let good: Vec<_> = cases.filter_map(|case| play(&case).ok()).collect();
    let lists = [
        by_moves::WAYS,
        by_calls::WAYS,
        by_comes::WAYS,
        by_holds::WAYS,
        by_leaks::WAYS,
        by_nested::WAYS,
        by_restarts::WAYS,
        by_times::WAYS,
    ];
    let mut wrong = Vec::new();
    for way in lists.into_iter().flatten() {
        let mut count = 0;
        for run in good.iter().flat_map(way.apply).take(ENOUGH) {
            count += 1;
            let rules: Vec<_> = faults(&run).iter().map(|illegal| illegal.rule).collect();
            if !rules.iter().any(|rule| way.rules.contains(rule)) {
                wrong.push(format!("{}: {rules:?} and not {:?}", way.name, way.rules));
            }
        }
        let row = format!("| {} | {} |", way.name, way.rules.join(", "));
        if !PAGE.contains(&row) {
            wrong.push(format!("docs/proofs.md does not have the row {row}"));
        }
        if count == 0 {
            wrong.push(format!("{}: in no run", way.name));
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//! A smaller case that fails as well: less is taken away as long as what is left fails.

use schedules::smallest_by;

use super::case::{Case, End, Script, Step};

/// Takes away what is not needed for `fails`.
pub(super) fn smallest(case: Case, fails: impl Fn(&Case) -> bool) -> Case {
    // Rounds, calls and plugins first: they take the most along.
    smallest_by(case, &[rounds, calls, plugins, edges, scripts], fails)
}

fn without(case: &Case, take: impl FnOnce(&mut Case)) -> Case {
    let mut less = case.clone();
    take(&mut less);
    less
}

fn rounds(case: &Case) -> Vec<Case> {
    let rounds = 0..case.rounds.len();
    rounds.map(|at| without(case, |less| drop(less.rounds.remove(at)))).collect()
}

fn calls(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    for (round, it) in case.rounds.iter().enumerate() {
        for at in 0..it.calls.len() {
            all.push(without(case, |less| {
                less.rounds[round].calls.remove(at);
            }));
        }
        if !it.reconsidered.is_empty() {
            all.push(without(case, |less| less.rounds[round].reconsidered.clear()));
        }
    }
    for take in [|less: &mut Case| less.places = None, |less: &mut Case| less.filtered = false] {
        if case.places.is_some() || case.filtered {
            all.push(without(case, take));
        }
    }
    all.retain(|less| format!("{less:?}") != format!("{case:?}"));
    all
}

fn plugins(case: &Case) -> Vec<Case> {
    let present = (0..case.plugins.len()).filter(|at| case.plugins[*at].present);
    present.map(|at| without(case, |less| less.plugins[at].present = false)).collect()
}

fn edges(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    for (plugin, it) in case.plugins.iter().enumerate() {
        for at in 0..it.edges.len() {
            all.push(without(case, |less| {
                less.plugins[plugin].edges.remove(at);
            }));
        }
    }
    all
}

fn scripts(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    for (round, it) in case.rounds.iter().enumerate() {
        for (at, script) in it.scripts.iter().enumerate() {
            let (plain, well) = (Script::default(), Step::default());
            let less = [
                Script { before_init: End::Well, before_load: End::Well, ..*script },
                Script { should_load: well, ..*script },
                Script { load: well, ..*script },
                plain,
            ];
            for less in less.into_iter().filter(|less| less != script) {
                all.push(without(case, |case| case.rounds[round].scripts[at] = less));
            }
        }
    }
    all
}

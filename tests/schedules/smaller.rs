//! A smaller case that fails as well: less is taken away as long as what is left fails.

use crate::case::{Call, Case, Script};
use crate::run::{GiveUp, Kind, Policy, Reaction};

/// Takes away what is not needed for `fails`.
pub fn smallest(case: Case, fails: impl Fn(&Case) -> bool) -> Case {
    // Calls and services first: they take the most along.
    smallest_by(case, &[calls, services, edges, scripts, options, times], fails)
}

/// Takes away what is not needed for `fails`, in each of these ways as long as it helps.
pub fn smallest_by<C>(mut case: C, ways: &[fn(&C) -> Vec<C>], fails: impl Fn(&C) -> bool) -> C {
    loop {
        let mut smaller = false;
        for way in ways {
            while let Some(less) = way(&case).into_iter().find(|less| fails(less)) {
                case = less;
                smaller = true;
            }
        }
        if !smaller {
            return case;
        }
    }
}

/// The case after each of these, where that changes something.
fn each(case: &Case, count: usize, take: impl Fn(&mut Case, usize)) -> Vec<Case> {
    let less = (0..count).map(|at| {
        let mut less = case.clone();
        take(&mut less, at);
        less
    });
    less.filter(|less| less != case).collect()
}

fn calls(case: &Case) -> Vec<Case> {
    let count = case.calls.len();
    // The later half at once, then one by one.
    let mut all = each(case, 1, |less, _| less.calls.truncate(count / 2));
    all.extend(each(case, count, |less, at| {
        less.calls.remove(at);
    }));
    all.extend(each(case, count, |less, at| less.calls[at].gives_up_after = None));
    all.extend(each(case, 1, |less, _| less.dropped = false));
    all
}

fn services(case: &Case) -> Vec<Case> {
    let mut all = each(case, case.services.len(), |less, at| less.services[at].present = false);
    all.extend(each(case, case.services.len(), |less, at| {
        let name = &less.services[at].row.name;
        let called = less.services.iter().filter(|it| it.present && it.row.name == *name);
        if less.services[at].present && called.count() == 1 {
            less.services[at].comes = None;
        }
    }));
    all.extend(each(case, 1, |less, _| less.group.clear()));
    all.extend(each(case, case.group.len(), |less, at| {
        less.group.remove(at);
    }));
    all
}

fn edges(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    for (place, service) in case.services.iter().enumerate().filter(|(_, it)| it.present) {
        let count = service.edges.len();
        all.extend(each(case, count, |less, at| {
            less.services[place].edges.remove(at);
        }));
        all.extend(each(case, count, |less, at| {
            let service = &mut less.services[place];
            if service.row.restart != Policy::Temporary && service.edges[at].kind == Kind::Requires
            {
                service.edges[at].reaction = Reaction::Restart;
            }
        }));
    }
    all
}

fn scripts(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    for (place, service) in case.services.iter().enumerate().filter(|(_, it)| it.present) {
        let count = service.scripts.len();
        all.extend(each(case, count, |less, at| {
            less.services[place].scripts.remove(at);
        }));
        all.extend(each(case, count, |less, at| less.services[place].scripts[at] = Script::PLAIN));
        let plain = |take: fn(&mut Script)| {
            each(case, count, move |less, at| take(&mut less.services[place].scripts[at]))
        };
        all.extend(plain(|script| script.task = None));
        all.extend(plain(|script| script.asks = None));
        all.extend(plain(|script| script.silent = None));
        all.extend(plain(|script| script.ill = None));
        all.extend(plain(|script| script.in_destructor = false));
        all.extend(plain(|script| script.ends = None));
        all.extend(plain(|script| script.on_stop = Script::PLAIN.on_stop));
        all.extend(plain(|script| script.ready = Script::PLAIN.ready));
        all.extend(each(case, 1, |less, _| less.services[place].usual = Script::PLAIN));
        all.extend(inside(case, place));
    }
    all
}

/// Less in a service that is a supervisor.
fn inside(case: &Case, place: usize) -> Vec<Case> {
    let count = case.services[place].inner.len();
    let mut all = each(case, 1, |less, _| {
        less.services[place].inner.clear();
        less.services[place].row.inner.clear();
    });
    all.extend(each(case, 1, |less, _| {
        less.services[place].inner.pop();
        less.services[place].row.inner.pop();
    }));
    all.extend(each(case, count, |less, at| {
        less.services[place].inner[at].scripts.pop();
    }));
    all.extend(each(case, count, |less, at| less.services[place].inner[at].usual = Script::PLAIN));
    all.extend(each(case, count, |less, at| less.services[place].inner[at].chained = false));
    all
}

fn options(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    for place in (0..case.services.len()).filter(|place| case.services[*place].present) {
        let changes: [fn(&mut Case, usize); 10] = [
            |less, at| less.services[at].row.watchdog = None,
            |less, at| less.services[at].row.judged = false,
            |less, at| less.services[at].row.give_up = GiveUp::Leave,
            |less, at| less.services[at].row.intensity = None,
            |less, at| less.services[at].row.grace = Some(10),
            |less, at| less.services[at].row.start = Some(30),
            |less, at| less.services[at].row.delay = 1,
            |less, at| less.services[at].row.period = 60_000,
            |less, at| less.services[at].doubles = false,
            |less, at| {
                let temporary = less.services[at].row.restart == Policy::Temporary;
                if !temporary {
                    less.services[at].row.restart = Policy::Transient;
                }
            },
        ];
        for change in changes {
            all.extend(each(case, 1, |less, _| change(less, place)));
        }
    }
    all.extend(each(case, 1, |less, _| less.cap = None));
    all.extend(each(case, 1, |less, _| less.budget = None));
    all.extend(each(case, 1, |less, _| {
        if less.services.iter().all(|service| service.row.grace.is_some() || !service.present) {
            less.shutdown = None;
        }
    }));
    all
}

fn times(case: &Case) -> Vec<Case> {
    let halve = |call: &mut Call| call.at /= 2;
    let mut all = each(case, 1, |less, _| less.calls.iter_mut().for_each(halve));
    all.extend(each(case, case.calls.len(), |less, at| halve(&mut less.calls[at])));
    all
}

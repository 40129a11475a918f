//! Which names are like one that is not there.

use crate::error::Near;
use crate::name::Name;

/// At most this many names are offered.
const OFFERED: usize = 3;
/// From this likeness on (1 is equal) a name is offered.
const LIKENESS: f64 = 0.8;

/// The names that are most like `wanted`, the nearest first.
pub(crate) fn near<'a>(wanted: &str, names: impl Iterator<Item = &'a Name>) -> Near {
    let mut found: Vec<(f64, &Name)> = names
        .map(|name| (strsim::jaro_winkler(wanted, name.as_str()), name))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .collect();
    found.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
    Near(found.into_iter().take(OFFERED).map(|(_, name)| name.clone()).collect())
}

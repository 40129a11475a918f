//! Which names are like one that is not there.

use crate::error::Near;
use crate::name::Name;

/// At most this many names are offered.
const OFFERED: usize = 3;
/// From this likeness on (1 is equal) a name is offered, and one that is a single slip away.
const LIKENESS: f64 = 0.8;
/// For so many unknown requirements of one graph names are offered; each look goes through all names.
const LOOKS: u32 = 32;

/// The names that are most like `wanted`, the nearest first.
pub(crate) fn near<'a>(wanted: &str, names: impl Iterator<Item = &'a Name>) -> Near {
    let slip = |name: &Name| wanted.len() > 1 && strsim::osa_distance(wanted, name.as_str()) == 1;
    let mut found: Vec<(f64, &Name)> = names
        .map(|name| (strsim::jaro_winkler(wanted, name.as_str()), name))
        .filter(|(likeness, name)| *likeness >= LIKENESS || slip(name))
        .collect();
    found.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
    Near(found.into_iter().take(OFFERED).map(|(_, name)| name.clone()).collect())
}

/// The looks that are left while a graph is built, so that its cost stays linear.
pub(crate) struct Looks(u32);

impl Looks {
    pub(crate) fn new() -> Self {
        Self(LOOKS)
    }

    /// As [`near`]; no names when no look is left.
    pub(crate) fn near<'a>(&mut self, wanted: &str, names: impl Iterator<Item = &'a Name>) -> Near {
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                near(wanted, names)
            }
            None => Near::default(),
        }
    }
}

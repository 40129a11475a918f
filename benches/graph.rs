//! Graphs: whether one is loaded in the time of its longest way, and what many ways cost. A timing:
//! it fails nothing.
//!
//! Trap: tokio rounds every sleep up, so what a graph is compared with sleeps as often as the plugins
//! of the longest way do, not once for as long.

use std::ops::Range;
use std::sync::OnceLock;
use std::time::Duration;

use fastrand::Rng;
use futures::FutureExt;
use plux::BoxError;
use plux_benches::{
    Goal, Group, Plain, Row, Sleeping, Specs, Timed, compare, custom, manager, work,
};
use tokio::time::{Instant, sleep};

/// The layers of the largest graph.
const MOST: usize = 100;

/// The plugins of a layer.
const WIDE: usize = 100;

const GROUPS: &[Group] = &[
    Group {
        sizes: &[10, MOST],
        rows: &[
            Row::new("a task that sleeps along the longest way, 100 plugins a layer", |layers| {
                along(&longest(layers))
            }),
            Row::new("`load_all`, each sleeps and requires three of the layer before", |layers| {
                work::load_all(layers * WIDE, manager(layered(layers))).boxed()
            })
            .with_goal(|_| Goal::Ratio(1.01)),
            Row::new("`JoinSet`, layer by layer", |layers| barriers(layers).boxed()),
        ],
        rounds: |_| 15,
    },
    Group {
        sizes: &[10, MOST],
        rows: &[
            Row::new("a task that sleeps so often", |layers| along(&vec![nap(0); layers])),
            Row::new("`load_all` of a chain, each sleeps", |layers| {
                work::load_all(layers, manager(chain(layers))).boxed()
            })
            .with_goal(|_| Goal::Ratio(1.01)),
        ],
        rounds: |_| 15,
    },
    Group {
        sizes: &[6, 12, 24],
        rows: &[
            Row::new("`JoinSet`, two tasks for each layer that do nothing", |layers| {
                work::join_set(2 * layers, |_| async {}).boxed()
            }),
            Row::new("`load_all`, both require both of the layer before", |layers| {
                work::load_all(2 * layers, manager(diamond(layers))).boxed()
            })
            .with_goal(|_| Goal::Time(Duration::from_micros(999))),
            Row::new("the same, finding included", |layers| {
                work::find_and_load_all(2 * layers, manager(diamond(layers))).boxed()
            })
            .with_goal(|_| Goal::Time(Duration::from_micros(999))),
        ],
        rounds: |_| 2_001,
    },
];

fn main() -> Result<(), BoxError> {
    compare("graph", "layers", "G5, G15", GROUPS)
}

/// How long the plugin at `place` sleeps: one to three milliseconds, as chance has it.
fn nap(place: usize) -> Duration {
    Duration::from_millis(Rng::with_seed(place as u64).u64(1..=3))
}

/// What the plugin at `place` requires of the layer before.
fn requires(place: usize) -> Vec<usize> {
    let Some(before) = (place / WIDE).checked_sub(1) else { return Vec::new() };
    let layer: Range<usize> = before * WIDE..(before + 1) * WIDE;
    let mut required = Rng::with_seed(!place as u64).choose_multiple(layer, 3);
    required.sort_unstable();
    required
}

fn layered(layers: usize) -> Specs {
    static SPECS: OnceLock<Specs> = OnceLock::new();
    let all = SPECS.get_or_init(|| custom(MOST * WIDE, |place| Sleeping(nap(place)), requires));
    &all[..layers * WIDE]
}

fn chain(count: usize) -> Specs {
    static SPECS: OnceLock<Specs> = OnceLock::new();
    let before = |place: usize| place.checked_sub(1).into_iter().collect();
    &SPECS.get_or_init(|| custom(MOST, |_| Sleeping(nap(0)), before))[..count]
}

fn diamond(layers: usize) -> Specs {
    static SPECS: OnceLock<Specs> = OnceLock::new();
    let before = |place: usize| match (place / 2).checked_sub(1) {
        Some(layer) => vec![2 * layer, 2 * layer + 1],
        None => Vec::new(),
    };
    &SPECS.get_or_init(|| custom(48, |_| Plain, before))[..2 * layers]
}

/// The sleeps of the way through so many layers that takes the longest.
fn longest(layers: usize) -> Vec<Duration> {
    let mut ways: Vec<(Duration, usize)> = Vec::with_capacity(layers * WIDE);
    for place in 0..layers * WIDE {
        let before = requires(place).into_iter().max_by_key(|other| ways[*other].0);
        let until = before.map_or(Duration::ZERO, |other| ways[other].0);
        ways.push((until + nap(place) + ROUNDED, before.unwrap_or(place)));
    }
    let mut way = Vec::with_capacity(layers);
    let mut place = (0..ways.len()).max_by_key(|place| ways[*place].0).unwrap_or_default();
    loop {
        way.push(nap(place));
        match ways[place].1 {
            before if before != place => place = before,
            _ => return way,
        }
    }
}

/// What tokio adds to every sleep, about.
const ROUNDED: Duration = Duration::from_millis(1);

fn along(way: &[Duration]) -> Timed {
    let way = way.to_vec();
    async move {
        let start = Instant::now();
        for nap in way {
            sleep(nap).await;
        }
        Ok(start.elapsed())
    }
    .boxed()
}

/// Each layer when the one before is done.
async fn barriers(layers: usize) -> Result<Duration, BoxError> {
    let start = Instant::now();
    for layer in 0..layers {
        work::join_set(WIDE, |place| sleep(nap(layer * WIDE + place))).await?;
    }
    Ok(start.elapsed())
}

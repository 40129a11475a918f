//! Asking about plugins that are loaded, each name once and in no order. A timing: it fails nothing.

use std::hint::black_box;
use std::time::Duration;

use dashmap::DashMap;
use fastrand::Rng;
use futures::FutureExt;
use plux::{BoxError, Loaded, PluginManager};
use plux_benches::{Goal, Group, NoOp, Row, all, compare, manager, specs};
use rustc_hash::FxBuildHasher;
use tokio::sync::Mutex;
use tokio::time::Instant;

const GROUPS: &[Group] = &[Group {
    sizes: &[100, 1_000, 10_000, 100_000],
    rows: &[
        Row::new("`DashMap<String, _>`, `get`", |size| {
            timed(size, |asked| asked.each(|name| asked.map.get(name).map(|place| *place))).boxed()
        }),
        Row::new("`DashMap<String, _>` with the hasher of plux, `get`", |size| {
            timed(size, |asked| asked.each(|name| asked.fx_map.get(name).map(|place| *place)))
                .boxed()
        }),
        Row::new("`state` by name", |size| {
            timed(size, |asked| asked.each(|name| asked.manager.state(name))).boxed()
        })
        .with_goal(|_| Goal::Ratio(1.0)),
        Row::new("`get` by name", |size| {
            timed(size, |asked| asked.each(|name| asked.manager.get(name))).boxed()
        }),
        Row::new("the plugin of a handle", |size| {
            timed(size, |asked| {
                for handle in &asked.handles {
                    black_box(handle.plugin());
                }
            })
            .boxed()
        })
        .with_goal(|_| Goal::Ratio(0.1)),
        Row::new("`load` by name", |size| load(size).boxed()).with_goal(|_| Goal::Ratio(1.3)),
    ],
    rounds: |size| (1_000_000 / size).clamp(21, 2_001),
}];

fn main() -> Result<(), BoxError> {
    compare("state", "plugins", "G8", GROUPS)
}

/// What is asked. It is made once for a size, and stays.
struct Asked {
    /// In the order in which they are asked for.
    names: Vec<String>,
    handles: Vec<Loaded<dyn NoOp>>,
    manager: PluginManager<dyn NoOp>,
    map: DashMap<String, usize>,
    fx_map: DashMap<String, usize, FxBuildHasher>,
}

impl Asked {
    async fn of(size: usize) -> Result<&'static Self, BoxError> {
        static MADE: Mutex<Vec<&'static Asked>> = Mutex::const_new(Vec::new());
        let mut made = MADE.lock().await;
        if let Some(asked) = made.iter().find(|asked| asked.names.len() == size) {
            return Ok(asked);
        }
        let asked: &Self = Box::leak(Box::new(Self::make(size).await?));
        made.push(asked);
        Ok(asked)
    }

    async fn make(size: usize) -> Result<Self, BoxError> {
        let manager = manager(specs(size));
        let mut handles = manager.load_all().await.loaded().to_vec();
        all(size, handles.len())?;
        Rng::with_seed(11).shuffle(&mut handles);
        let names: Vec<_> = handles.iter().map(|handle| handle.name().to_string()).collect();
        let places = || names.iter().cloned().zip(0..);
        let (map, fx_map) = (places().collect(), places().collect());
        Ok(Self { names, handles, manager, map, fx_map })
    }

    fn each<T>(&self, ask: impl Fn(&str) -> Option<T>) {
        for name in &self.names {
            black_box(ask(name).is_some());
        }
    }
}

async fn timed(size: usize, ask: fn(&Asked)) -> Result<Duration, BoxError> {
    let asked = Asked::of(size).await?;
    let start = Instant::now();
    ask(asked);
    Ok(start.elapsed())
}

async fn load(size: usize) -> Result<Duration, BoxError> {
    let asked = Asked::of(size).await?;
    let start = Instant::now();
    for name in &asked.names {
        black_box(asked.manager.load(name).await?);
    }
    Ok(start.elapsed())
}

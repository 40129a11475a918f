//! In which order plugins load, and what of a graph can not be used.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use plux::{BoxError, GraphError, LoadError, PluginManager};
use tokio::time::{Instant, timeout};

use crate::scripted::{PATIENCE, Plugin, Script, idle, manager, spawn, state};

/// A plugin that takes so many milliseconds and notes when it began and ended.
fn timed(name: &str, millis: u64, times: &Arc<Mutex<BTreeMap<String, [u64; 2]>>>) -> Plugin {
    let (times, name_) = (Arc::clone(times), name.to_owned());
    let zero = Instant::now();
    Plugin::new(name).yields(move || {
        let (times, name) = (Arc::clone(&times), name_.clone());
        async move {
            let begun = zero.elapsed().as_millis() as u64;
            tokio::time::sleep(Duration::from_millis(millis)).await;
            let ended = zero.elapsed().as_millis() as u64;
            times.lock().unwrap().insert(name, [begun, ended]);
            Ok(())
        }
    })
}

#[tokio::test(start_paused = true)]
async fn p20_a_plugin_loads_the_moment_its_requirements_have() {
    // Levels would be {a, b}, {c, d}, {e, f}, and take 50 + 50 + 50.
    let times = Arc::default();
    let plugin = |name, millis| timed(name, millis, &times);
    let manager = manager([
        plugin("a", 50),
        plugin("b", 10),
        plugin("c", 10).requires("a"),
        plugin("d", 50).requires("b"),
        plugin("e", 10).requires("c"),
        plugin("f", 20).requires("d").wants("b"),
    ]);
    let begun = Instant::now();
    assert!(manager.load_all().await.is_ok());
    assert_eq!(begun.elapsed(), Duration::from_millis(80), "the critical path is b, d, f");
    let times = times.lock().unwrap();
    let times: Vec<_> = times.iter().map(|(name, time)| (name.as_str(), *time)).collect();
    assert_eq!(
        times,
        [
            ("a", [0, 50]),
            ("b", [0, 10]),
            ("c", [50, 60]),
            ("d", [10, 60]),
            ("e", [60, 70]),
            ("f", [60, 80]),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn p20_loading_one_loads_what_it_pulls_in_and_nothing_else_in_the_same_order() {
    let times = Arc::default();
    let plugin = |name, millis| timed(name, millis, &times);
    let manager = manager([
        plugin("a", 10).requires("b").wants("c").after("d"),
        plugin("b", 30).after("c"),
        plugin("c", 20),
        plugin("d", 10),
        plugin("e", 10),
    ]);
    let begun = Instant::now();
    assert!(manager.load("a").await.is_ok());
    assert_eq!(begun.elapsed(), Duration::from_millis(60), "`after` orders what takes part");
    assert_eq!([state(&manager, "d"), state(&manager, "e")], ["resolved", "resolved"]);
    assert_eq!(manager.loaded().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn p20_each_kind_of_dependency_orders_a_load_of_all() {
    for kind in [Plugin::requires, Plugin::wants, Plugin::after] {
        let times = Arc::default();
        let manager = manager([kind(timed("a", 10, &times), "b"), timed("b", 10, &times)]);
        assert!(manager.load_all().await.is_ok());
        let times = times.lock().unwrap();
        assert_eq!([times["b"], times["a"]], [[0, 10], [10, 20]]);
    }
}

#[tokio::test(start_paused = true)]
async fn p20_a_chain_and_a_fan_take_as_long_as_their_longest_path() {
    let name = |at: usize| format!("p{at:03}");
    let chain = (0..100).map(|at| {
        let plugin = Plugin::new(&name(at)).takes(10);
        if at == 0 { plugin } else { plugin.requires(&name(at - 1)) }
    });
    let begun = Instant::now();
    assert_eq!(manager(chain).load_all().await.loaded().len(), 100);
    assert_eq!(begun.elapsed(), Duration::from_millis(1_000));

    let leaves = (1..99).map(|at| Plugin::new(&name(at)).takes(10).requires(&name(0)));
    let last = (1..99).fold(Plugin::new(&name(99)), |last, at| last.requires(&name(at)));
    let fan = leaves.chain([Plugin::new(&name(0)).takes(10), last.takes(10)]);
    let begun = Instant::now();
    assert_eq!(manager(fan).load_all().await.loaded().len(), 100);
    assert_eq!(begun.elapsed(), Duration::from_millis(30));
}

#[tokio::test(start_paused = true)]
async fn p20_a_plugin_that_hangs_holds_back_only_what_depends_on_it() {
    let manager = manager([
        Plugin::new("hung").hangs(),
        Plugin::new("needs-hung").requires("hung"),
        Plugin::new("other").takes(10),
        Plugin::new("needs-other").requires("other").takes(10),
    ]);
    let all = manager.clone();
    spawn(async move { all.load_all().await });
    tokio::time::sleep(Duration::from_millis(25)).await;
    let states = ["hung", "needs-hung", "other", "needs-other"].map(|name| state(&manager, name));
    assert_eq!(states, ["loading", "resolved", "loaded", "loaded"]);
}

#[tokio::test(start_paused = true)]
async fn p20_what_has_loaded_holds_nobody_back_for_what_it_wants() {
    let first = AtomicBool::new(true);
    let wanted = Plugin::new("wanted").yields(move || {
        let first = first.swap(false, Ordering::SeqCst);
        async move { if first { Err::<(), _>("no luck".into()) } else { pending().await } }
    });
    let b = Plugin::new("b").wants("wanted");
    let manager =
        manager([Plugin::new("a").requires("b"), b, Plugin::new("c").requires("b"), wanted]);
    assert!(manager.load("b").await.is_ok());
    let alone = timeout(PATIENCE, manager.load("c")).await;
    assert!(alone.expect("it waits for what another wants").is_ok());
    let all = manager.clone();
    spawn(async move { all.load_all().await });
    idle().await;
    let states = ["a", "b", "wanted"].map(|name| state(&manager, name));
    assert_eq!(states, ["loaded", "loaded", "loading"]);
}

/// Blocks its thread until so many loads are in it at once.
#[derive(Default)]
struct Rendezvous {
    inside: Mutex<usize>,
    changed: Condvar,
}

impl Rendezvous {
    /// Whether the others came.
    fn meet(&self, party: usize) -> bool {
        let mut inside = self.inside.lock().unwrap();
        *inside += 1;
        self.changed.notify_all();
        let outcome = self.changed.wait_timeout_while(inside, PATIENCE, |inside| *inside < party);
        !outcome.unwrap().1.timed_out()
    }
}

fn meeting(plugin: Plugin, point: &Arc<Rendezvous>) -> Plugin {
    let point = Arc::clone(point);
    plugin.yields(move || {
        let point = Arc::clone(&point);
        async move { if point.meet(2) { Ok(()) } else { Err("nobody came".into()) } }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p20_loads_that_compute_use_every_worker() {
    let point = Arc::new(Rendezvous::default());
    let manager = manager(["a", "b"].map(|name| meeting(Plugin::new(name), &point)));
    // From a worker: what it spawns would wait for it, were it to load anything itself.
    let report = spawn(async move { manager.load_all().await }).await.unwrap();
    assert!(report.is_ok(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p20_dependents_that_compute_use_every_worker() {
    for pending in [false, true] {
        let point = Arc::new(Rendezvous::default());
        let root = if pending { Plugin::new("root").takes(1) } else { Plugin::new("root") };
        let leaves = ["a", "b"].map(|name| meeting(Plugin::new(name).requires("root"), &point));
        let manager = manager(leaves.into_iter().chain([root]));
        let report = spawn(async move { manager.load_all().await }).await.unwrap();
        assert!(report.is_ok(), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p20_what_a_pending_load_leaves_behind_is_taken_up_by_another() {
    let point = Arc::new(Rendezvous::default());
    let computing = ["y", "z"].map(|name| meeting(Plugin::new(name), &point));
    let waiting = (0..10).map(|at| Plugin::new(&format!("w{at}")).takes(1));
    let manager = manager(waiting.chain(computing));
    let report = spawn(async move { manager.load_all().await }).await.unwrap();
    assert!(report.is_ok(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p20_no_plugin_of_a_random_graph_is_lost_or_loaded_twice() {
    let mut seed = 1_u64;
    let mut below = |end: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % end
    };
    for round in 0..60 {
        let mut runs = Vec::new();
        let plugins: Vec<_> = (0..60_u64)
            .map(|at| {
                let mut plugin = Plugin::new(&format!("p{at}"));
                for _ in 0..below(4).min(at) {
                    let kind = [Plugin::requires, Plugin::wants, Plugin::after][below(3) as usize];
                    plugin = kind(plugin, &format!("p{}", below(at)));
                }
                let yields = below(3);
                plugin = plugin.yields(move || async move {
                    for _ in 0..yields {
                        tokio::task::yield_now().await;
                    }
                    Ok(())
                });
                runs.push(plugin.runs());
                plugin
            })
            .collect();
        let manager = manager(plugins);
        let (one, all) = (manager.clone(), manager.clone());
        let one = spawn(async move { one.load("p59").await.map(drop) });
        let all = spawn(async move { all.load_all().await.loaded().len() });
        assert_eq!(manager.load_all().await.loaded().len(), 60, "round {round}");
        assert_eq!(all.await.unwrap(), 60, "round {round}");
        assert!(one.await.unwrap().is_ok(), "round {round}");
        assert!(runs.iter().all(|runs| runs.all() == [1, 1, 1]), "round {round}");
    }
}

async fn graph_error(manager: &PluginManager<dyn Script>, name: &str) -> Arc<GraphError> {
    match manager.load(name).await.unwrap_err() {
        LoadError::Graph(error) => error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn p21_a_cycle_is_spelled_with_origins_and_the_rest_loads() {
    let plugins = [
        Plugin::new("a").requires("b"),
        Plugin::new("b").after("c"),
        Plugin::new("c").wants("a"),
        Plugin::new("needs").requires("b"),
        Plugin::new("orders").after("b").wants("a"),
        Plugin::new("plain"),
    ];
    let origins = plugins.each_ref().map(Plugin::origin);
    let runs = plugins.each_ref().map(Plugin::runs);
    let manager = manager(plugins);
    let error = graph_error(&manager, "b").await;
    let GraphError::Cycle { path } = error.as_ref() else { panic!("{error}") };
    let path: Vec<_> = path.iter().map(|(id, origin)| (id.name.as_str(), *origin)).collect();
    assert_eq!(path, [("a", origins[0]), ("b", origins[1]), ("c", origins[2])]);
    let step =
        |at: usize, name| format!("scripted:{name} ({}:{}) → ", origins[at].file, origins[at].line);
    let text =
        format!("dependency cycle: {}{}{}scripted:a", step(0, "a"), step(1, "b"), step(2, "c"));
    assert_eq!(error.to_string(), text);

    let report = manager.load_all().await;
    let loaded: Vec<_> = report.loaded().iter().map(|it| it.name().as_str()).collect();
    assert_eq!(loaded, ["orders", "plain"]);
    let failed: Vec<_> = report.failed().iter().map(|(id, _)| id.name.as_str()).collect();
    assert_eq!(failed, ["a", "b", "c", "needs"]);
    assert!(report.skipped().is_empty());
    let needs = report.failed()[3].1.to_string();
    assert!(needs.contains("scripted:b") && needs.contains(&text), "{needs}");
    assert!(state(&manager, "needs").contains(&text));
    assert_eq!(runs.map(|runs| runs.loads()), [0, 0, 0, 0, 1, 1]);
}

#[tokio::test]
async fn p21_a_plugin_that_requires_itself_is_a_cycle_of_one() {
    let manager = manager([Plugin::new("a").requires("a")]);
    let error = graph_error(&manager, "a").await;
    assert!(matches!(error.as_ref(), GraphError::Cycle { path } if path.len() == 1), "{error}");
}

#[tokio::test]
async fn p21_an_unknown_requirement_is_told_with_place_and_way_out_and_the_rest_loads() {
    let plugins = [
        Plugin::new("a").requires("stores"),
        Plugin::new("b").requires("a"),
        Plugin::new("c").wants("nobody").after("nothing"),
        Plugin::new("store"),
    ];
    let origin = plugins[0].origin();
    let manager = manager(plugins);
    let error = graph_error(&manager, "a").await;
    let GraphError::Unknown { id, origin: place, requirement, near } = error.as_ref() else {
        panic!("{error}");
    };
    assert_eq!((id.name.as_str(), *place, requirement.name.as_str()), ("a", origin, "stores"));
    assert_eq!(near.0, ["store"]);
    let text = error.to_string();
    assert!(text.contains("did you mean `store`") && text.contains("plux::link!"), "{text}");
    let needs = graph_error(&manager, "b").await;
    assert!(needs.to_string().contains(&text), "{needs}");
    let report = manager.load_all().await;
    let loaded: Vec<_> = report.loaded().iter().map(|it| it.name().as_str()).collect();
    assert_eq!(loaded, ["c", "store"]);
    assert_eq!(report.failed().len(), 2);
}

fn panics() -> Result<(), BoxError> {
    panic!("no luck")
}

#[tokio::test(start_paused = true)]
async fn p22_dependents_by_requires_are_skipped_and_others_are_not() {
    let bad: [fn(Plugin) -> Plugin; 4] = [
        Plugin::fails,
        Plugin::disabled,
        |plugin| plugin.factory(|| Err("no parts".into())),
        |plugin| plugin.yields(|| async { panics() }),
    ];
    for (at, bad) in bad.into_iter().enumerate() {
        let plugins = [
            bad(Plugin::new("bad")),
            Plugin::new("needs").requires("bad").requires("good"),
            Plugin::new("far").requires("needs"),
            Plugin::new("wants").wants("bad"),
            Plugin::new("after").after("bad"),
            Plugin::new("good"),
        ];
        let runs = plugins.each_ref().map(Plugin::runs);
        let manager = manager(plugins);
        let report = manager.load_all().await;
        let loaded: Vec<_> = report.loaded().iter().map(|it| it.name().as_str()).collect();
        assert_eq!(loaded, ["after", "good", "wants"], "{at}");
        assert_eq!(state(&manager, "needs"), "skipped because of scripted:bad", "{at}");
        assert_eq!(state(&manager, "far"), "skipped because of scripted:needs", "{at}");
        assert_eq!(runs[1].all(), [0, 0, 0], "no code of a skipped plugin runs");
        assert_eq!(runs[2].all(), [0, 0, 0], "no code of a skipped plugin runs");
        let error = manager.load("far").await.unwrap_err();
        assert!(matches!(&error, LoadError::Skipped { because, .. } if because.name == "needs"));
    }
}

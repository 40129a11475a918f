//! Functions that are plugins, called like a function. How they load is in `functions_loading.rs`.

use std::future::pending;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use plux::{
    BoxError, FnPlugin, ListFinder, LoadReport, Name, Namespace, PluginManager, PluginSpec,
    PluginState, async_trait,
};
use tokio::sync::{Barrier, Semaphore};

use crate::scripted::spawn;

/// What functions are given.
pub(crate) struct Aws {
    region: &'static str,
}

const AWS: Aws = Aws { region: "eu-south-1" };

pub(crate) fn manager<A: ?Sized + 'static, R: 'static>(
    namespace: &str,
) -> PluginManager<dyn FnPlugin<A, R>> {
    let namespace = Namespace::new(namespace).unwrap();
    PluginManager::<dyn FnPlugin<A, R>>::functions(namespace).build()
}

pub(crate) fn loaded<A: ?Sized + 'static, R: 'static>(
    report: &LoadReport<dyn FnPlugin<A, R>>,
) -> Vec<&str> {
    report.loaded().iter().map(|plugin| plugin.name().as_str()).collect()
}

mod forms {
    use super::{Aws, BoxError, io};

    #[plux::plugin(namespace = "it.functions.forms")]
    fn plain(aws: &Aws) -> String {
        format!("plain in {}", aws.region)
    }

    #[plux::plugin(namespace = "it.functions.forms")]
    async fn waits(aws: &Aws) -> String {
        tokio::task::yield_now().await;
        format!("waits in {}", aws.region)
    }

    #[plux::plugin(namespace = "it.functions.forms")]
    fn fallible(aws: &Aws) -> io::Result<String> {
        Ok(format!("fallible in {}", aws.region))
    }

    #[plux::plugin(namespace = "it.functions.forms", name = "all-of-it")]
    async fn fallible_and_waits(aws: &Aws) -> Result<String, BoxError> {
        tokio::task::yield_now().await;
        Ok(format!("all of it in {}", aws.region))
    }

    #[plux::plugin(namespace = "it.functions.nothing")]
    fn nothing() {}

    #[plux::plugin(namespace = "it.functions.nothing")]
    async fn nothing_fallible() -> Result<(), BoxError> {
        Ok(())
    }

    #[plux::plugin(namespace = "it.functions.text")]
    fn length(text: &str) -> usize {
        text.len()
    }
}

#[tokio::test]
async fn p01_p27_a_function_of_every_form_is_called_with_its_argument_and_result_typed() {
    let manager = manager::<Aws, String>("it.functions.forms");
    let report = manager.load_all().await;
    assert!(report.is_ok(), "{report}");
    let mut said = Vec::new();
    for plugin in report.loaded() {
        said.push((plugin.name().as_str(), plugin.plugin().call(&AWS).await.unwrap()));
    }
    let expected = [
        ("all-of-it", "all of it in eu-south-1"),
        ("fallible", "fallible in eu-south-1"),
        ("plain", "plain in eu-south-1"),
        ("waits", "waits in eu-south-1"),
    ];
    assert_eq!(said, expected.map(|(name, text)| (name, text.to_owned())));
}

#[tokio::test]
async fn p25_p27_the_unit_stands_for_no_argument_and_no_result_and_types_may_be_unsized() {
    let manager_of_nothing = manager::<(), ()>("it.functions.nothing");
    let report = manager_of_nothing.load_all().await;
    assert_eq!(loaded(&report), ["nothing", "nothing-fallible"]);
    for plugin in report.loaded() {
        let (): () = plugin.plugin().call(&()).await.unwrap();
        let () = plugin.output();
    }
    let length = manager::<str, usize>("it.functions.text").load("length").await.unwrap();
    assert_eq!(length.plugin().call("four").await.unwrap(), 4);
}

#[test]
fn p07_p27_functions_are_listed_without_running_any_code_of_theirs() {
    let manager = manager::<(), ()>("it.functions.listed");
    assert_eq!(manager.names().unwrap(), ["first", "given-name"]);
    assert!(manager.contains("first").unwrap());
    let specs = manager.specs().unwrap();
    assert_eq!(specs[0].id().to_string(), "it.functions.listed:first");
    assert_eq!(specs[1].dependencies().len(), 3);
    assert!(specs[0].origin().file.ends_with("it/functions.rs"), "{}", specs[0].origin());
    let record = String::from_utf8_lossy(specs[0].record());
    assert!(record.contains(r#""namespace":"it.functions.listed""#), "{record}");
    assert!(record.contains(r#""extension_point":"plux::fn_plugin::FnPlugin""#), "{record}");
}

mod listed {
    #[plux::plugin(
        namespace = "it.functions.listed",
        name = "given-name",
        requires = ["first"],
        wants = ["second"],
        after = ["it.functions.text:length"],
        should_load = never,
        load = never_loads
    )]
    fn other_name() {
        panic!("called by a listing")
    }

    #[plux::plugin(namespace = "it.functions.listed", should_load = never)]
    async fn first() {
        panic!("called by a listing")
    }

    async fn never() -> Result<bool, super::BoxError> {
        panic!("asked by a listing")
    }

    async fn never_loads() -> Result<(), super::BoxError> {
        panic!("loaded by a listing")
    }
}

#[test]
fn p27_a_manager_of_functions_is_given_their_namespace() {
    let namespace = Namespace::literal("it.functions.forms");
    let builder = PluginManager::<dyn FnPlugin<Aws, ()>>::functions(namespace.clone());
    assert!(format!("{builder:?}").contains("it.functions.forms"), "{builder:?}");
    assert_eq!(builder.build().namespace(), &namespace);
}

mod counted {
    use super::{AtomicU32, BoxError, Ordering};

    pub(super) static CALLED: AtomicU32 = AtomicU32::new(0);
    pub(super) static LOADED: AtomicU32 = AtomicU32::new(0);

    #[plux::plugin(namespace = "it.functions.counted", load = load)]
    fn counted() -> u32 {
        CALLED.fetch_add(1, Ordering::Relaxed) + 1
    }

    async fn load() -> Result<(), BoxError> {
        LOADED.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::test]
async fn p27_a_load_does_not_call_the_function_and_a_call_does_so_each_time() {
    let manager = manager::<(), u32>("it.functions.counted");
    let counted = manager.load("counted").await.unwrap();
    manager.load("counted").await.unwrap();
    assert_eq!(counted::LOADED.load(Ordering::Relaxed), 1);
    // A call that nobody polls is none.
    drop(counted.plugin().call(&()));
    assert_eq!(counted::CALLED.load(Ordering::Relaxed), 0);
    for time in 1..=3 {
        assert_eq!(counted.plugin().call(&()).await.unwrap(), time);
    }
    assert_eq!(counted::LOADED.load(Ordering::Relaxed), 1);
}

mod at_once {
    use super::{Barrier, LazyLock};

    pub(super) const CALLS: usize = 100;
    static ALL: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(CALLS));

    /// Returns when all are in it.
    #[plux::plugin(namespace = "it.functions.at.once")]
    async fn meets(number: &usize) -> usize {
        ALL.wait().await;
        *number
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p27_a_function_is_called_any_number_of_times_at_once() {
    let meets = manager::<usize, usize>("it.functions.at.once").load("meets").await.unwrap();
    let calls = (0..at_once::CALLS).map(|number| {
        let meets = meets.clone();
        spawn(async move { meets.plugin().call(&number).await })
    });
    for (number, call) in calls.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(call.await.unwrap().unwrap(), number);
    }
}

mod failing {
    use super::io;

    #[plux::plugin(namespace = "it.functions.failing")]
    fn divides(by: &u32) -> Result<u32, std::num::TryFromIntError> {
        u8::try_from(*by).map(|by| 100 / u32::from(by))
    }

    #[plux::plugin(namespace = "it.functions.failing")]
    async fn waits_and_divides(by: &u32) -> io::Result<u32> {
        tokio::task::yield_now().await;
        100_u32.checked_div(*by).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
    }
}

#[tokio::test]
async fn p27_the_error_of_a_call_is_the_callers_and_the_plugin_stays_loaded() {
    let manager = manager::<u32, u32>("it.functions.failing");
    let divides = manager.load("divides").await.unwrap();
    let error = divides.plugin().call(&256).await.unwrap_err();
    assert!(error.downcast_ref::<std::num::TryFromIntError>().is_some(), "{error}");
    assert_eq!(divides.plugin().call(&4).await.unwrap(), 25);
    let waits = manager.load("waits-and-divides").await.unwrap();
    let error = waits.plugin().call(&0).await.unwrap_err();
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    assert_eq!(kind, Some(io::ErrorKind::InvalidInput));
    assert_eq!(waits.plugin().call(&5).await.unwrap(), 20);
    assert!(matches!(manager.state("divides"), Some(PluginState::Loaded)));
}

#[tokio::test]
async fn p27_a_panic_of_a_call_is_the_callers_and_the_plugin_can_be_called_again() {
    let divides = manager::<u32, u32>("it.functions.failing").load("divides").await.unwrap();
    let called = divides.clone();
    let panic = spawn(async move { called.plugin().call(&0).await }).await.unwrap_err();
    assert!(panic.is_panic(), "{panic}");
    assert_eq!(divides.plugin().call(&10).await.unwrap(), 10);
}

mod dropped {
    use super::{Arc, LazyLock, Semaphore, pending};

    pub(super) static BEGUN: Semaphore = Semaphore::const_new(0);
    pub(super) static ALIVE: LazyLock<Arc<()>> = LazyLock::new(Arc::default);

    #[plux::plugin(namespace = "it.functions.dropped")]
    async fn hangs() {
        let _alive = Arc::clone(&ALIVE);
        BEGUN.add_permits(1);
        pending().await
    }
}

#[tokio::test]
async fn p27_a_call_that_is_dropped_ends_where_it_stands() {
    let hangs = manager::<(), ()>("it.functions.dropped").load("hangs").await.unwrap();
    let call = spawn(async move { hangs.plugin().call(&()).await });
    dropped::BEGUN.acquire().await.unwrap().forget();
    assert_eq!(Arc::strong_count(&dropped::ALIVE), 2);
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(Arc::strong_count(&dropped::ALIVE), 1);
}

#[tokio::test]
async fn p25_p27_a_function_can_be_called_when_its_manager_is_gone() {
    let plain = manager::<Aws, String>("it.functions.forms").load("plain").await.unwrap();
    assert_eq!(plain.plugin().call(&AWS).await.unwrap(), "plain in eu-south-1");
}

/// A function that is made at run time, of what it keeps.
struct Adds(u32);

#[async_trait]
impl FnPlugin<u32, u32> for Adds {
    async fn call(&self, to: &u32) -> Result<u32, BoxError> {
        self.0.checked_add(*to).ok_or_else(|| "too much".into())
    }
}

#[tokio::test]
async fn p27_a_function_may_be_made_at_run_time() {
    let namespace = Namespace::literal("it.functions.made");
    let specs = [("one", 1), ("two", 2)].map(|(name, number)| {
        let name = Name::literal(name);
        PluginSpec::new::<dyn FnPlugin<u32, u32>>(namespace.clone(), name, move || {
            Ok(Arc::new(Adds(number)))
        })
    });
    let manager = PluginManager::<dyn FnPlugin<u32, u32>>::functions(namespace)
        .finder(ListFinder::new(specs))
        .build();
    let mut sum = 0;
    for plugin in manager.load_all().await.loaded() {
        sum = plugin.plugin().call(&sum).await.unwrap();
    }
    assert_eq!(sum, 3);
    let two = manager.get("two").unwrap();
    assert!(two.plugin().call(&u32::MAX).await.is_err());
}

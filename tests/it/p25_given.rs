//! What a manager is given, and what it keeps, with destructors that panic.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use plux::{
    BoxError, EntryError, Event, FindError, Found, Listener, Name, Namespace, PluginFilter,
    PluginFinder, PluginManager, PluginSpec,
};

use crate::panic::Written;
use crate::scripted::idle;

#[plux::extension_point(namespace = "it.given", context = Cursed)]
trait Gives {}

type Ends = Arc<Mutex<Vec<&'static str>>>;

/// Notes its end, and then panics.
struct Cursed(&'static str, Ends);

impl Drop for Cursed {
    fn drop(&mut self) {
        self.1.lock().push(self.0);
        panic!("the end of {}", self.0);
    }
}

impl fmt::Debug for Cursed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Cursed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Cursed {}

impl Listener for Cursed {
    fn on_event(&self, _: &Event) {}
}

impl PluginFilter<dyn Gives> for Cursed {}

struct Finds(Ends, #[expect(dead_code, reason = "it is there to be dropped")] Cursed);

impl PluginFinder for Finds {
    fn find(&self, namespace: &Namespace) -> Result<Found, BoxError> {
        let ends = Arc::clone(&self.0);
        let plugin = move || Ok(Arc::new(Fails(Arc::clone(&ends))) as Arc<dyn Gives>);
        let spec = PluginSpec::new(namespace.clone(), Name::literal("fails"), plugin);
        let error = |entry, what| EntryError::new(entry, Cursed(what, Arc::clone(&self.0)));
        let errors = vec![error("entry", "named entry"), error("line 9", "nameless entry")];
        Ok(Found { specs: vec![spec.into()], errors })
    }
}

struct Fails(Ends);

#[plux::async_trait]
impl Gives for Fails {
    async fn load(&self, _: &Cursed) -> Result<(), BoxError> {
        Err(Cursed("failure", Arc::clone(&self.0)).into())
    }
}

#[tokio::test(start_paused = true)]
async fn p24_p25_what_a_manager_was_given_and_keeps_may_panic_when_it_is_dropped() {
    let ends = Ends::default();
    let cursed = |what| Cursed(what, Arc::clone(&ends));
    let (written, _guard) = Written::listen();
    let manager = PluginManager::<dyn Gives>::builder(cursed("context"))
        .finder(Finds(Arc::clone(&ends), cursed("finder")))
        .filter(cursed("filter"))
        .filter(cursed("other filter"))
        .listener(cursed("listener"))
        .listener(cursed("other listener"))
        .build();
    assert_eq!(manager.load_all().await.failed().len(), 2);
    idle().await;
    assert!(ends.lock().is_empty());
    let before = written.lines().len();
    drop(manager);
    idle().await;
    let mut ended = std::mem::take(&mut *ends.lock());
    let place = |what| ended.iter().position(|it| *it == what).unwrap();
    for kept in ["failure", "named entry", "nameless entry"] {
        assert!(place(kept) < place("context"), "{ended:?}");
    }
    ended.sort_unstable();
    let all = [
        "context",
        "failure",
        "filter",
        "finder",
        "listener",
        "named entry",
        "nameless entry",
        "other filter",
        "other listener",
    ];
    assert_eq!(ended, all);
    let lines = &written.lines()[before..];
    for what in all {
        let told =
            lines.iter().filter(|line| line.contains(&format!(": the end of {what}"))).count();
        assert!(told == 1, "{what}: {lines:?}");
    }
}

#[test]
fn p24_a_spec_that_is_left_out_and_panics_by_that_is_the_finders_failure() {
    let ends = Ends::default();
    let cursed = Cursed("factory", Arc::clone(&ends));
    let fails = move || Err(cursed.to_string().into());
    let (elsewhere, name) = (Namespace::literal("elsewhere"), Name::literal("a"));
    let other = PluginSpec::new::<dyn Gives>(elsewhere, name, fails);
    struct Once(Mutex<Option<PluginSpec>>);
    impl PluginFinder for Once {
        fn find(&self, _: &Namespace) -> Result<Found, BoxError> {
            Ok(self.0.lock().take().into_iter().map(Into::into).collect())
        }
    }
    let builder = PluginManager::<dyn Gives>::builder(Cursed("context", Arc::clone(&ends)));
    let manager = builder.finder(Once(Mutex::new(Some(other)))).build();
    let error = manager.names().unwrap_err();
    let FindError::Panicked { panic, .. } = &error else { panic!("{error}") };
    assert_eq!(panic.message, "the end of factory");
    assert!(manager.names().unwrap().is_empty(), "the next question asks again");
}

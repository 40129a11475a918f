//! Plugins whose steps a test writes, and how often each step ran.
//!
//! Trap: `idle` is for a paused clock only. There it returns when every task waits; on a running
//! clock it would be a guess.

use std::any::Any;
use std::future::{Future, pending};
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use plux::{
    BoxError, Dependency, DependencyKind, Event, EventKind, ListFinder, Listener, LoadError,
    LoadFailure, Name, Namespace, Origin, PluginManager, PluginSpec,
};
use tokio::task::JoinHandle;
use tokio::time::sleep;

pub(crate) const NAMESPACE: Namespace = Namespace::literal("scripted");

/// After so long a test has failed; one that passes never waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// What a scripted load yields.
pub(crate) type Output = Box<dyn Any + Send + Sync>;

#[plux::extension_point(namespace = "scripted", output = Output)]
pub(crate) trait Script {}

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;
type Step<T> = Arc<dyn Fn() -> Answer<T> + Send + Sync>;

struct Scripted {
    should_load: Step<bool>,
    load: Step<Output>,
}

#[plux::async_trait]
impl Script for Scripted {
    async fn should_load(&self, (): &()) -> Result<bool, BoxError> {
        (self.should_load)().await
    }

    async fn load(&self, (): &()) -> Result<Output, BoxError> {
        (self.load)().await
    }
}

/// How often the steps of one plugin were begun.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    factory: AtomicUsize,
    should_load: AtomicUsize,
    load: AtomicUsize,
}

impl Runs {
    /// Factory, `should_load`, `load`.
    pub(crate) fn all(&self) -> [usize; 3] {
        [&self.factory, &self.should_load, &self.load].map(|count| count.load(Ordering::SeqCst))
    }

    pub(crate) fn loads(&self) -> usize {
        self.all()[2]
    }
}

/// A plugin to be: it loads at once, unless it is told otherwise.
pub(crate) struct Plugin {
    name: Name,
    origin: Origin,
    dependencies: Vec<Dependency>,
    runs: Arc<Runs>,
    factory: Arc<dyn Fn() -> Result<(), BoxError> + Send + Sync>,
    should_load: Step<bool>,
    load: Step<Output>,
}

impl Plugin {
    #[track_caller]
    pub(crate) fn new(name: &str) -> Self {
        let place = Location::caller();
        Self {
            name: Name::new(name).unwrap(),
            origin: Origin::new("scripted-tests", "1.0.0", "it", place.file(), place.line()),
            dependencies: Vec::new(),
            runs: Arc::default(),
            factory: Arc::new(|| Ok(())),
            should_load: Arc::new(|| Box::pin(async { Ok(true) })),
            load: Arc::new(|| Box::pin(async { Ok(Box::new(()) as Output) })),
        }
    }

    pub(crate) fn requires(self, name: &str) -> Self {
        self.depends(DependencyKind::Requires, name)
    }

    pub(crate) fn wants(self, name: &str) -> Self {
        self.depends(DependencyKind::Wants, name)
    }

    pub(crate) fn after(self, name: &str) -> Self {
        self.depends(DependencyKind::After, name)
    }

    pub(crate) fn depends(mut self, kind: DependencyKind, name: &str) -> Self {
        let name = Name::new(name).unwrap();
        self.dependencies.push(Dependency { kind, namespace: None, name, reaction: None });
        self
    }

    pub(crate) fn factory(
        mut self,
        factory: impl Fn() -> Result<(), BoxError> + Send + Sync + 'static,
    ) -> Self {
        self.factory = Arc::new(factory);
        self
    }

    pub(crate) fn should_load<F>(mut self, step: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<bool, BoxError>> + Send + 'static,
    {
        self.should_load = Arc::new(move || Box::pin(step()));
        self
    }

    /// A load that yields a value of the test's.
    pub(crate) fn yields<T, F>(mut self, step: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        T: Any + Send + Sync,
        F: Future<Output = Result<T, BoxError>> + Send + 'static,
    {
        self.load = Arc::new(move || {
            let load = step();
            Box::pin(async move { Ok(Box::new(load.await?) as Output) })
        });
        self
    }

    pub(crate) fn takes(self, millis: u64) -> Self {
        self.yields(move || async move {
            sleep(Duration::from_millis(millis)).await;
            Ok(())
        })
    }

    pub(crate) fn fails(self) -> Self {
        self.yields(|| async { Err::<(), _>("no luck".into()) })
    }

    pub(crate) fn hangs(self) -> Self {
        self.yields(pending::<Result<(), BoxError>>)
    }

    pub(crate) fn disabled(self) -> Self {
        self.should_load(|| async { Ok(false) })
    }

    pub(crate) fn runs(&self) -> Arc<Runs> {
        Arc::clone(&self.runs)
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    pub(crate) fn spec(self) -> PluginSpec {
        let Self { name, origin, dependencies, runs, factory, should_load, load } = self;
        let make = move || {
            runs.factory.fetch_add(1, Ordering::SeqCst);
            factory()?;
            Ok(Arc::new(Scripted {
                should_load: counted(&runs, |runs| &runs.should_load, &should_load),
                load: counted(&runs, |runs| &runs.load, &load),
            }) as Arc<dyn Script>)
        };
        let spec = PluginSpec::new::<dyn Script>(NAMESPACE, name, make).with_origin(origin);
        dependencies.into_iter().fold(spec, PluginSpec::with_dependency)
    }
}

fn counted<T: 'static>(
    runs: &Arc<Runs>,
    count: fn(&Runs) -> &AtomicUsize,
    step: &Step<T>,
) -> Step<T> {
    let (runs, step) = (Arc::clone(runs), Arc::clone(step));
    Arc::new(move || {
        count(&runs).fetch_add(1, Ordering::SeqCst);
        step()
    })
}

pub(crate) fn finder(plugins: impl IntoIterator<Item = Plugin>) -> ListFinder {
    ListFinder::new(plugins.into_iter().map(Plugin::spec))
}

pub(crate) fn manager(plugins: impl IntoIterator<Item = Plugin>) -> PluginManager<dyn Script> {
    PluginManager::builder(()).finder(finder(plugins)).build()
}

/// A listener that keeps what it hears of each plugin: `a: loaded`.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    /// What it heard of one plugin.
    pub(crate) fn of(&self, name: &str) -> Vec<String> {
        let of = |line: &String| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned());
        self.0.lock().iter().filter_map(of).collect()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().clear();
    }
}

impl Listener for Heard {
    fn on_event(&self, event: &Event) {
        let fact = match &event.kind {
            EventKind::Resolved(origin) => format!("resolved {}", origin.package),
            EventKind::ResolveFailed(why) => format!("resolve failed: {why}"),
            EventKind::Initialized => "initialized".to_owned(),
            EventKind::InitFailed(failure) => format!("init failed: {}", failure.cause),
            EventKind::LoadStarted => "load started".to_owned(),
            EventKind::Loaded => "loaded".to_owned(),
            EventKind::LoadFailed(failure) => {
                format!("failed in {}: {}", failure.phase, failure.cause)
            }
            EventKind::Disabled(reason) => format!("disabled: {reason}"),
            EventKind::Skipped(because) => format!("skipped because of {}", because.name),
            other => panic!("{other:?}"),
        };
        self.0.lock().push(format!("{}: {fact}", event.id.name));
    }
}

/// What failed.
#[track_caller]
pub(crate) fn failure(error: LoadError) -> Arc<LoadFailure> {
    match error {
        LoadError::Failed(failure) => failure,
        other => panic!("{other}"),
    }
}

/// The state of a plugin as it prints.
pub(crate) fn state(manager: &PluginManager<dyn Script>, name: &str) -> String {
    manager.state(name).unwrap().to_string()
}

/// Returns when every task waits for a timer or for something outside.
pub(crate) async fn idle() {
    sleep(Duration::from_nanos(1)).await;
}

/// Runs a test's caller in a task of its own.
#[expect(clippy::disallowed_methods, reason = "a test is a host, and hosts spawn")]
pub(crate) fn spawn<F>(caller: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    tokio::spawn(caller)
}

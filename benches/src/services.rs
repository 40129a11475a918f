//! Services that are ready at once and then wait for their stop, and one that fails first.

use std::sync::{Arc, OnceLock};

use plux::{
    BoxError, Found, ListFinder, Name, Namespace, PluginFinder, PluginManager, PluginSpec, Service,
    ServiceContext, SpecRef, async_trait, extension_point, plugin,
};

use crate::running::Failures;

/// Whatever yields a service.
#[extension_point(namespace = "bench.services", output = Arc<dyn Service>)]
pub trait Idle {}

#[derive(Default)]
struct Waiting;

#[plugin(name = "waiting")]
impl Idle for Waiting {
    async fn load(&self, _context: &()) -> Result<Arc<dyn Service>, BoxError> {
        Ok(Arc::new(Waiting))
    }
}

#[async_trait]
impl Service for Waiting {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        cx.ready(());
        cx.stopping().await;
        Ok(())
    }
}

struct Linked(&'static [PluginSpec]);

impl PluginFinder for Linked {
    fn find(&self, _namespace: &Namespace) -> Result<Found, BoxError> {
        Ok(self.0.iter().map(SpecRef::Static).collect())
    }
}

const MOST: usize = 10_000;

/// What the service in this place is called.
pub fn service_name(place: usize) -> String {
    format!("service-{place:06}")
}

/// A manager of `count` such services; nothing is found yet. Their specs are leaked, as those of
/// linked plugins are constants.
pub fn idle(count: usize) -> PluginManager<dyn Idle> {
    PluginManager::<dyn Idle>::builder(()).finder(Linked(specs(count))).build()
}

/// The same and one more, which fails as it is told.
pub fn idle_and_failing(count: usize, failures: &Arc<Failures>) -> PluginManager<dyn Idle> {
    let failures = Arc::clone(failures);
    let failing = PluginSpec::new::<dyn Idle>(
        Namespace::literal("bench.services"),
        Name::literal("failing"),
        move || Ok(Arc::new(Failing(Arc::clone(&failures)))),
    );
    let specs = specs(count).iter().map(SpecRef::Static).chain([failing.into()]);
    PluginManager::<dyn Idle>::builder(()).finder(ListFinder::new(specs)).build()
}

struct Failing(Arc<Failures>);

#[async_trait]
impl Idle for Failing {
    async fn load(&self, _context: &()) -> Result<Arc<dyn Service>, BoxError> {
        Ok(Arc::new(Self(Arc::clone(&self.0))))
    }
}

#[async_trait]
impl Service for Failing {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        cx.ready(());
        self.0.run().await?;
        cx.stopping().await;
        Ok(())
    }
}

fn specs(count: usize) -> &'static [PluginSpec] {
    static SPECS: OnceLock<Vec<PluginSpec>> = OnceLock::new();
    let spec = |place: usize| {
        let name = Name::literal(service_name(place).leak());
        PluginSpec::new::<dyn Idle>(Namespace::literal("bench.services"), name, || {
            Ok(Arc::new(Waiting))
        })
    };
    &SPECS.get_or_init(|| (0..MOST).map(spec).collect())[..count]
}

//! Services that are ready at once and then wait for their stop.

use std::sync::{Arc, OnceLock};

use plux::{
    BoxError, Found, Name, Namespace, PluginFinder, PluginManager, PluginSpec, Service,
    ServiceContext, SpecRef, async_trait, extension_point, plugin,
};

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

/// A manager of `count` such services; nothing is found yet. Their specs are leaked, as those of
/// linked plugins are constants.
pub fn idle(count: usize) -> PluginManager<dyn Idle> {
    static SPECS: OnceLock<Vec<PluginSpec>> = OnceLock::new();
    let spec = |place: usize| {
        let name = Name::literal(format!("service-{place:06}").leak());
        PluginSpec::new::<dyn Idle>(Namespace::literal("bench.services"), name, || {
            Ok(Arc::new(Waiting))
        })
    };
    let specs = SPECS.get_or_init(|| (0..MOST).map(spec).collect());
    PluginManager::<dyn Idle>::builder(()).finder(Linked(&specs[..count])).build()
}

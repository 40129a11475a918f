//! Plugins that do nothing, any number of them.
//!
//! Their specs are leaked, as those of linked plugins are constants: what a spec costs is not what
//! plux costs for it. They come in no order, as the linker gives them.

use std::sync::{Arc, OnceLock};

use fastrand::Rng;
use plux::{
    BoxError, Found, Name, Namespace, PluginFinder, PluginManager, PluginSpec, SpecRef,
    extension_point, plugin,
};

/// What the plugins of the benches have in common: nothing.
#[extension_point(namespace = "bench.plugins")]
pub trait NoOp {}

/// The plainest plugin: no field, no `should_load`, no output.
#[derive(Default)]
pub struct Plain;

#[plugin(name = "plain")]
impl NoOp for Plain {}

/// A plugin with a field and a `should_load` of its own.
#[derive(Default)]
pub struct Asking {
    wanted: u64,
}

#[plugin(name = "asking")]
impl NoOp for Asking {
    async fn should_load(&self, _context: &()) -> Result<bool, BoxError> {
        Ok(self.wanted == 0)
    }
}

type Make = fn() -> Result<Arc<dyn NoOp>, BoxError>;

/// The most there are.
const MOST: usize = 100_000;

fn leaked(make: Make) -> &'static [PluginSpec] {
    let mut places: Vec<usize> = (0..MOST).collect();
    Rng::with_seed(7).shuffle(&mut places);
    let spec = |place: usize| {
        let name = Name::literal(format!("plugin-{place:06}").leak());
        PluginSpec::new::<dyn NoOp>(Namespace::literal("bench.plugins"), name, make)
    };
    Vec::leak(places.into_iter().map(spec).collect())
}

/// The first `count` plain ones.
pub fn specs(count: usize) -> &'static [PluginSpec] {
    static SPECS: OnceLock<&'static [PluginSpec]> = OnceLock::new();
    &SPECS.get_or_init(|| leaked(|| Ok(Arc::new(Plain))))[..count]
}

/// The first `count` that ask.
pub fn asking(count: usize) -> &'static [PluginSpec] {
    static SPECS: OnceLock<&'static [PluginSpec]> = OnceLock::new();
    &SPECS.get_or_init(|| leaked(|| Ok(Arc::new(Asking::default()))))[..count]
}

struct Linked(&'static [PluginSpec]);

impl PluginFinder for Linked {
    fn find(&self, _namespace: &Namespace) -> Result<Found, BoxError> {
        Ok(self.0.iter().map(SpecRef::Static).collect())
    }
}

/// A manager of these plugins, without a listener; nothing is found yet.
pub fn manager(specs: &'static [PluginSpec]) -> PluginManager<dyn NoOp> {
    PluginManager::<dyn NoOp>::builder(()).finder(Linked(specs)).build()
}

/// Makes `count` plain plugins and loads one after another, with nothing around it.
///
/// # Errors
/// None: they do nothing.
pub async fn bare(count: usize) -> Result<Vec<Arc<dyn NoOp>>, BoxError> {
    let make: Make = std::hint::black_box(|| Ok(Arc::new(Plain)));
    let mut plugins = Vec::with_capacity(count);
    for _ in 0..count {
        let plugin = make()?;
        plugin.load(&()).await?;
        plugins.push(plugin);
    }
    Ok(plugins)
}

//! Plugins that do nothing, or one thing, any number of them.
//!
//! Their specs are leaked, as those of linked plugins are constants: what a spec costs is not what
//! plux costs for it. Those that do nothing come in no order, as the linker gives them; of the others
//! the first so many are a whole, whatever they require.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use fastrand::Rng;
use plux::{
    BoxError, Dependency, DependencyKind, Found, Name, Namespace, PluginFinder, PluginManager,
    PluginManagerBuilder, PluginSpec, SpecRef, extension_point, plugin,
};

use crate::work;

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

/// A plugin whose load is pending once.
#[derive(Default)]
pub struct Yielding;

#[plugin(name = "yielding")]
impl NoOp for Yielding {
    async fn load(&self, _context: &()) -> Result<(), BoxError> {
        tokio::task::yield_now().await;
        Ok(())
    }
}

/// A plugin whose load takes so long, and no thread.
#[derive(Default)]
pub struct Sleeping(pub Duration);

#[plugin(name = "sleeping")]
impl NoOp for Sleeping {
    async fn load(&self, _context: &()) -> Result<(), BoxError> {
        tokio::time::sleep(self.0).await;
        Ok(())
    }
}

/// A plugin whose load computes.
#[derive(Default)]
pub struct Computing;

#[plugin(name = "computing")]
impl NoOp for Computing {
    async fn load(&self, _context: &()) -> Result<(), BoxError> {
        work::compute();
        Ok(())
    }
}

type Make = fn() -> Result<Arc<dyn NoOp>, BoxError>;

/// Specs as the benches hand them around.
pub type Specs = &'static [PluginSpec];

/// The most there are.
const MOST: usize = 100_000;

fn name(place: usize) -> Name {
    Name::literal(format!("plugin-{place:06}").leak())
}

fn leaked(make: Make) -> Specs {
    let mut places: Vec<usize> = (0..MOST).collect();
    Rng::with_seed(7).shuffle(&mut places);
    let spec =
        |place| PluginSpec::new::<dyn NoOp>(Namespace::literal("bench.plugins"), name(place), make);
    Vec::leak(places.into_iter().map(spec).collect())
}

/// The first `count` plain ones.
pub fn specs(count: usize) -> Specs {
    static SPECS: OnceLock<Specs> = OnceLock::new();
    &SPECS.get_or_init(|| leaked(|| Ok(Arc::new(Plain))))[..count]
}

/// The first `count` that ask.
pub fn asking(count: usize) -> Specs {
    static SPECS: OnceLock<Specs> = OnceLock::new();
    &SPECS.get_or_init(|| leaked(|| Ok(Arc::new(Asking::default()))))[..count]
}

/// As many as `count`, which are made by `make` and require those at the places that `requires` says.
pub fn custom<P: NoOp + 'static>(
    count: usize,
    make: impl Fn(usize) -> P + Copy + Send + Sync + 'static,
    requires: impl Fn(usize) -> Vec<usize>,
) -> Specs {
    let spec = |place| {
        let factory = move || Ok(Arc::new(make(place)) as Arc<dyn NoOp>);
        let namespace = Namespace::literal("bench.plugins");
        let spec = PluginSpec::new::<dyn NoOp>(namespace, name(place), factory);
        requires(place).into_iter().fold(spec, |spec, other| {
            let kind = DependencyKind::Requires;
            spec.with_dependency(Dependency {
                kind,
                namespace: None,
                name: name(other),
                reaction: None,
            })
        })
    };
    Vec::leak((0..count).map(spec).collect())
}

struct Linked(Specs);

impl PluginFinder for Linked {
    fn find(&self, _namespace: &Namespace) -> Result<Found, BoxError> {
        Ok(self.0.iter().map(SpecRef::Static).collect())
    }
}

/// Builds a manager of these plugins.
pub fn builder(specs: Specs) -> PluginManagerBuilder<dyn NoOp> {
    PluginManager::<dyn NoOp>::builder(()).finder(Linked(specs))
}

/// A manager of these plugins, with nothing configured; nothing is found yet.
pub fn manager(specs: Specs) -> PluginManager<dyn NoOp> {
    builder(specs).build()
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

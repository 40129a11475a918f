//! Loads that hang, fail and decline: limits, the report, another try.
//!
//! The trap: a plugin that does not want to load is disabled, not failed. `load_all` tries again what
//! failed; what is disabled stays so until it is reconsidered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plux::{BoxError, Disabled, LoadError, PluginManager, PluginState};

/// What the plugins find when they look around.
#[derive(Default)]
pub struct World {
    online: AtomicBool,
    licensed: AtomicBool,
}

/// Something that is looked up when it is loaded.
#[plux::extension_point(namespace = "example.sources", context = World, output = &'static str)]
pub trait Source {}

#[derive(Default)]
struct Weather;

#[plux::plugin]
impl Source for Weather {
    async fn load(&self, world: &World) -> Result<&'static str, BoxError> {
        match world.online.load(Ordering::Relaxed) {
            true => Ok("mild"),
            // Nobody answers; the manager's limit ends it.
            false => std::future::pending().await,
        }
    }
}

#[derive(Default)]
struct Maps;

#[plux::plugin(wants = ["weather"])]
impl Source for Maps {
    async fn load(&self, world: &World) -> Result<&'static str, BoxError> {
        let licensed = world.licensed.load(Ordering::Relaxed);
        licensed.then_some("a map").ok_or_else(|| Disabled::because("there is no licence").into())
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let manager = PluginManager::<dyn Source>::builder(World::default())
        .load_timeout(Duration::from_millis(50))
        .build();
    let report = manager.load_all().await;
    println!("{report}");
    assert!(matches!(report.failed(), [(id, LoadError::Failed(_))] if id.name == "weather"));
    assert!(matches!(manager.state("maps"), Some(PluginState::Disabled(_))));

    manager.context().online.store(true, Ordering::Relaxed);
    manager.context().licensed.store(true, Ordering::Relaxed);
    assert_eq!(*manager.load("weather").await?.output(), "mild");
    assert!(manager.load("maps").await.is_err(), "it is remembered");
    manager.reconsider("maps").await?;
    assert!(manager.load_all().await.is_ok());
    println!("maps: {}", manager.load("maps").await?.output());
    Ok(())
}

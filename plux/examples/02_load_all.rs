//! Many plugins at once: in the order of what they require, past the one that fails.
//!
//! The trap: a plugin that was skipped has not failed. The report tells the two apart.

use plux::{BoxError, PluginManager, PluginState};

/// Steps that prepare a program.
#[plux::extension_point(namespace = "example.steps")]
pub trait Step {}

/// Many plugins can be made from one type: a factory function for each.
struct Named(&'static str);

#[plux::async_trait]
impl Step for Named {
    async fn load(&self, (): &()) -> Result<(), BoxError> {
        println!("{} is done", self.0);
        Ok(())
    }
}

#[plux::plugin(extension = dyn Step)]
fn settings() -> Named {
    Named("settings")
}

#[plux::plugin(extension = dyn Step, requires = ["settings"])]
fn database() -> Named {
    Named("database")
}

#[derive(Default)]
struct License;

#[plux::plugin(name = "license")]
impl Step for License {
    async fn load(&self, (): &()) -> Result<(), BoxError> {
        Err("it has expired".into())
    }
}

#[plux::plugin(extension = dyn Step, requires = ["database", "license"])]
fn reports() -> Named {
    Named("reports")
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let manager = PluginManager::<dyn Step>::builder(()).build();
    let report = manager.load_all().await;
    println!("{report}");

    let loaded: Vec<_> = report.loaded().iter().map(|plugin| plugin.name().as_str()).collect();
    assert_eq!(loaded, ["database", "settings"]);
    assert_eq!(report.failed().len(), 1);
    assert!(
        matches!(manager.state("reports"), Some(PluginState::Skipped(id)) if id.name == "license")
    );
    Ok(())
}

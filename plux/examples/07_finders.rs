//! Plugins from more than one place: what is linked, and what a file lists.
//!
//! The trap: a finder's own error costs all plugins; that of one entry belongs into `Found::errors`.

use std::sync::Arc;

use plux::{
    BoxError, Chain, EntryError, Found, Name, Namespace, PluginFinder, PluginManager, PluginSpec,
    RegistryFinder,
};

/// A greeting in one language.
#[plux::extension_point(namespace = "example.greetings", output = String)]
pub trait Greeting {}

struct Says(String);

#[plux::async_trait]
impl Greeting for Says {
    async fn load(&self, (): &()) -> Result<String, BoxError> {
        Ok(self.0.clone())
    }
}

#[plux::plugin(extension = dyn Greeting)]
fn english() -> Says {
    Says("hello".to_owned())
}

/// A plugin for each line `name = greeting`.
struct Lines(&'static str);

fn spec(namespace: &Namespace, line: &'static str) -> Result<PluginSpec, BoxError> {
    let (name, text) = line.split_once(" = ").ok_or("it has no greeting")?;
    let make = move || Ok(Arc::new(Says(text.to_owned())) as Arc<dyn Greeting>);
    Ok(PluginSpec::new(namespace.clone(), Name::new(name)?, make))
}

impl PluginFinder for Lines {
    fn find(&self, namespace: &Namespace) -> Result<Found, BoxError> {
        let mut found = Found::default();
        for line in self.0.lines() {
            match spec(namespace, line) {
                Ok(spec) => found.specs.push(spec.into()),
                Err(error) => found.errors.push(EntryError::new(line, error)),
            }
        }
        Ok(found)
    }
}

#[tokio::main]
async fn main() {
    let chain = Chain::new().with(RegistryFinder).with(Lines("italian = ciao\nlatin"));
    let manager =
        PluginManager::<dyn Greeting>::builder(()).finder(chain).require(["english"]).build();
    let report = manager.load_all().await;
    println!("{report}");
    assert_eq!((report.loaded().len(), report.failed().len()), (2, 1));
}

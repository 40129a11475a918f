//! Plugins that are linked and not wanted: refused by a rule, by code, or for the whole process.
//!
//! The trap: what was refused stays disabled in its manager, also when the rule is gone. A rule has to
//! be there before the first load that it is to stop.

use plux::{BoxError, Disabled, FilterRule, PluginFilter, PluginManager, PluginSpec};

/// What a report can be written as.
#[plux::extension_point(namespace = "example.formats")]
pub trait Format {
    /// The memory that writing takes.
    fn megabytes(&self) -> u32;
}

struct Writer(u32);

#[plux::async_trait]
impl Format for Writer {
    fn megabytes(&self) -> u32 {
        self.0
    }
}

#[plux::plugin(extension = dyn Format)]
fn text() -> Writer {
    Writer(1)
}

#[plux::plugin(extension = dyn Format)]
fn text_legacy() -> Writer {
    unreachable!("refused before it is made")
}

#[plux::plugin(extension = dyn Format)]
fn video() -> Writer {
    Writer(900)
}

/// Sees the plugin itself, before it is loaded.
struct Small;

impl PluginFilter<dyn Format> for Small {
    fn before_load(&self, _: &PluginSpec, plugin: &dyn Format) -> Result<(), Disabled> {
        match plugin.megabytes() {
            0..100 => Ok(()),
            much => Err(Disabled::because(format!("it needs {much} MB"))),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let legacy = FilterRule::builder().namespace("example.*").name("*-legacy").build()?;
    let manager = PluginManager::<dyn Format>::builder(()).filter(legacy).filter(Small).build();
    let report = manager.load_all().await;
    println!("{report}");
    assert_eq!(report.loaded().len(), 1);
    assert_eq!(report.disabled().len(), 2);

    // A rule for all managers of the process, for as long as its guard lives.
    let guard = FilterRule::builder().name("text").build()?.install();
    let other = PluginManager::<dyn Format>::builder(()).build();
    println!("{}", other.load("text").await.err().ok_or("it is refused")?);
    drop(guard);
    assert!(other.load("video").await.is_ok(), "the other manager has no filter of its own");
    Ok(())
}

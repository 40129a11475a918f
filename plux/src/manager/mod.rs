//! The manager: finds the plugins of a namespace, loads them, and owns what they yield.

mod loaded;

mod report;

mod closing;

mod limits;

mod waits;

mod shared;

mod calling;

mod load;

mod attempt;

mod members;

mod batch;

mod handle;

mod builder;

pub use builder::PluginManagerBuilder;
pub use handle::PluginManager;
pub use loaded::Loaded;
pub use report::LoadReport;

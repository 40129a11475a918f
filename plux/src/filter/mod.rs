//! Refusing: the filter's contract, rules of globs, the process-wide list, and the asking.

mod contract;

mod rule;

mod process;

mod stages;

pub use contract::PluginFilter;
pub use process::FilterGuard;
pub use rule::{FilterRule, FilterRuleBuilder, RuleError};
pub(crate) use stages::{Answer, Filters};

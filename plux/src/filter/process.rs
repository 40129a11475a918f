//! The process-wide list: rules that every manager asks before its own filters.
//!
//! Trap: rules may come and go while managers load, so the list is replaced as a whole, and who asks
//! works on the one it has taken. The flag is there so that an empty list costs no lock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;

use super::rule::FilterRule;
use crate::reason::Disabled;
use crate::spec::PluginSpec;

type List = Arc<[Arc<FilterRule>]>;

static LIST: RwLock<Option<List>> = RwLock::new(None);
static ANY: AtomicBool = AtomicBool::new(false);

/// Whether there is a rule.
#[inline]
pub(super) fn any() -> bool {
    ANY.load(Ordering::Acquire)
}

/// Asks the rules that are there now.
pub(super) fn before_init(spec: &PluginSpec) -> Result<(), Disabled> {
    let list = LIST.read().clone();
    match list.iter().flat_map(|list| list.iter()).find(|rule| rule.matches(spec)) {
        Some(rule) => {
            Err(Disabled::because(format!("refused by the process-wide filter rule {rule}")))
        }
        None => Ok(()),
    }
}

fn change(edit: impl FnOnce(&mut Vec<Arc<FilterRule>>)) {
    let mut list = LIST.write();
    let mut rules = list.as_deref().unwrap_or_default().to_vec();
    edit(&mut rules);
    ANY.store(!rules.is_empty(), Ordering::Release);
    *list = (!rules.is_empty()).then(|| rules.into());
}

impl FilterRule {
    /// Puts the rule on the process-wide list: all managers, also those that exist already, ask it
    /// before their own filters, until the guard is dropped.
    ///
    /// The list is read in each attempt to load a plugin. So a rule says nothing about what has loaded
    /// before it came, and what it has disabled stays so when it is gone; what has not been decided by
    /// then can load.
    ///
    /// ```
    /// use plux::FilterRule;
    ///
    /// # fn main() -> Result<(), plux::RuleError> {
    /// let guard = FilterRule::builder().origin("untrusted-*").build()?.install();
    /// // No manager of this process loads a plugin of such a package.
    /// drop(guard);
    /// // What was not asked for until now can be loaded again.
    /// # Ok(())
    /// # }
    /// ```
    pub fn install(self) -> FilterGuard {
        let rule = Arc::new(self);
        change(|rules| rules.push(Arc::clone(&rule)));
        FilterGuard { rule }
    }
}

/// Keeps a rule on the process-wide list; see [`FilterRule::install`]. When it is forgotten, the rule
/// stays for as long as the process.
#[must_use = "the rule is taken off the list when this is dropped"]
pub struct FilterGuard {
    rule: Arc<FilterRule>,
}

impl Drop for FilterGuard {
    fn drop(&mut self) {
        change(|rules| rules.retain(|rule| !Arc::ptr_eq(rule, &self.rule)));
    }
}

impl fmt::Debug for FilterGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FilterGuard({})", self.rule)
    }
}

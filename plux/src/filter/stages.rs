//! Asking: the process-wide rules, then the manager's own filters, and the first refusal counts.
//!
//! Trap: filters are user code. No lock is held while one runs, and what it throws ends here.

use super::contract::PluginFilter;
use super::process;
use crate::extension::ExtensionPoint;
use crate::given::Given;
use crate::reason::{Disabled, Phase};
use crate::spec::PluginSpec;
use crate::task::{self, Panic};

/// What filters say: the plugin may pass, or is refused; or one has panicked.
pub(crate) type Answer = Result<Result<(), Disabled>, Box<Panic>>;

/// The filters of one manager, in the order they are asked.
pub(crate) struct Filters<P: ExtensionPoint + ?Sized + 'static>(
    Vec<Given<Box<dyn PluginFilter<P>>>>,
);

impl<P: ExtensionPoint + ?Sized + 'static> Filters<P> {
    pub(crate) fn new(filters: Vec<Box<dyn PluginFilter<P>>>) -> Self {
        Self(filters.into_iter().map(|filter| Given::new("a filter", filter)).collect())
    }

    /// Whether anybody is to be asked about a spec: all that an attempt without filters pays, beside
    /// [`Filters::are_own`].
    pub(crate) fn are_there(&self) -> bool {
        self.are_own() | process::any()
    }

    /// Whether anybody is to be asked about a plugin.
    pub(crate) fn are_own(&self) -> bool {
        !self.0.is_empty()
    }

    /// Asks about a plugin whose factory has not run.
    pub(crate) fn before_init(&self, spec: &PluginSpec) -> Answer {
        match process::before_init(spec) {
            Ok(()) => self.ask(Phase::BeforeInit, spec, |filter| filter.before_init(spec)),
            refused => Ok(refused),
        }
    }

    /// Asks about a plugin that is there.
    pub(crate) fn before_load(&self, spec: &PluginSpec, plugin: &P) -> Answer {
        self.ask(Phase::BeforeLoad, spec, |filter| filter.before_load(spec, plugin))
    }

    fn ask(
        &self,
        phase: Phase,
        spec: &PluginSpec,
        ask: impl Fn(&dyn PluginFilter<P>) -> Result<(), Disabled>,
    ) -> Answer {
        let (namespace, name) = (spec.namespace(), spec.name());
        let _in_phase = tracing::debug_span!("plugin", %phase, %namespace, %name).entered();
        for filter in &self.0 {
            match task::catch(|| ask(filter.as_ref())) {
                Ok(Ok(())) => {}
                refused => return refused,
            }
        }
        Ok(Ok(()))
    }
}

//! Building a manager.

use std::fmt;
use std::num::NonZeroUsize;
use std::panic::Location;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::ReentrantMutex;

use super::closing::Closing;
use super::handle::PluginManager;
use super::limits::Limits;
use super::shared::Shared;
use crate::extension::{ExtensionPoint, namespace_of};
use crate::filter::{Filters, PluginFilter};
use crate::finder::{PluginFinder, RegistryFinder};
use crate::fn_plugin::FnPlugin;
use crate::given::Given;
use crate::listener::{Hub, Listener};
use crate::name::Namespace;
use crate::task;

/// Builds a [`PluginManager`]; see [`PluginManager::builder`].
#[must_use = "a builder does nothing until build() is called"]
pub struct PluginManagerBuilder<P: ExtensionPoint + ?Sized + 'static> {
    context: P::Context,
    namespace: Namespace,
    finder: Box<dyn PluginFinder>,
    filters: Vec<Box<dyn PluginFilter<P>>>,
    limits: Limits,
    listeners: Vec<Box<dyn Listener>>,
    required: Vec<String>,
}

impl<P: ExtensionPoint + ?Sized + 'static> PluginManager<P> {
    /// Builds a manager; `context` is what it hands to every plugin.
    ///
    /// The contract of functions names no namespace. A manager of them is built by
    /// [`functions`](PluginManager::functions); this does not compile:
    ///
    /// ```compile_fail,E0080
    /// use plux::{FnPlugin, PluginManager};
    ///
    /// let manager = PluginManager::<dyn FnPlugin<u32, String>>::builder(()).build();
    /// ```
    pub fn builder(context: P::Context) -> PluginManagerBuilder<P> {
        let namespace = Namespace::literal(const { namespace_of::<P>() });
        PluginManagerBuilder::new(context, namespace)
    }
}

impl<A: ?Sized + 'static, R: 'static> PluginManager<dyn FnPlugin<A, R>> {
    /// Builds a manager of the functions in `namespace`, which take `&A` and yield `R`.
    ///
    /// ```
    /// use plux::{FnPlugin, Namespace, PluginManager};
    ///
    /// let namespace = Namespace::literal("doc.labels");
    /// let labels = PluginManager::<dyn FnPlugin<u32, String>>::functions(namespace).build();
    /// ```
    pub fn functions(namespace: Namespace) -> PluginManagerBuilder<dyn FnPlugin<A, R>> {
        PluginManagerBuilder::new((), namespace)
    }
}

impl<P: ExtensionPoint + ?Sized + 'static> PluginManagerBuilder<P> {
    fn new(context: P::Context, namespace: Namespace) -> Self {
        Self {
            context,
            namespace,
            finder: Box::new(RegistryFinder),
            filters: Vec::new(),
            limits: Limits::default(),
            listeners: Vec::new(),
            required: Vec::new(),
        }
    }

    /// Manages another namespace than the one that the extension point names.
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    /// Takes specs from `finder` instead of the [`RegistryFinder`].
    pub fn finder(mut self, finder: impl PluginFinder) -> Self {
        self.finder = Box::new(finder);
        self
    }

    /// Adds a filter, which may refuse plugins: a [`FilterRule`](crate::FilterRule) or one of one's
    /// own. Filters are asked in the order they were added, after the [process-wide
    /// rules](crate::FilterRule::install), which these do not replace; the first refusal counts.
    pub fn filter(mut self, filter: impl PluginFilter<P>) -> Self {
        self.filters.push(Box::new(filter));
        self
    }

    /// Lets so many loads be under way at once; no limit unless set. All that a load asks for and waits
    /// for goes in its place, however much it is and also of another manager: a load that waited for
    /// a place while it has one could wait for itself.
    pub fn max_concurrent(mut self, loads: NonZeroUsize) -> Self {
        self.limits.set_places(loads);
        self
    }

    /// The time for a factory; no limit unless set. Factories then run on threads of their own, so
    /// that one which blocks can be given up; it is left to itself, and what it makes is dropped.
    ///
    /// A plugin that has not done with a phase in its time has failed in it, with
    /// [`FailureCause::Late`](crate::FailureCause::Late). The limits need a runtime whose time is
    /// enabled.
    pub fn init_timeout(mut self, time: Duration) -> Self {
        self.limits.init = Some(time);
        self
    }

    /// The time for `should_load`, from its first poll; no limit unless set. When it is over the
    /// future is dropped. One that blocks its thread can not be dropped, and is waited for.
    pub fn should_load_timeout(mut self, time: Duration) -> Self {
        self.limits.should_load = Some(time);
        self
    }

    /// The time for `load`, from its first poll; no limit unless set. As
    /// [`should_load_timeout`](Self::should_load_timeout).
    ///
    /// A load that waits for itself by way of a task that it has spawned is not found out; this is what
    /// ends it. So set it where loads spawn tasks that load.
    pub fn load_timeout(mut self, time: Duration) -> Self {
        self.limits.load = Some(time);
        self
    }

    /// Adds a listener. Listeners are called in the order they were added.
    pub fn listener(mut self, listener: impl Listener) -> Self {
        self.listeners.push(Box::new(listener));
        self
    }

    /// Requires that there are plugins of these names, whatever comes of them: a name that is missing is
    /// told of by [`load_all`](PluginManager::load_all), fails
    /// [`try_load_all`](PluginManager::try_load_all) before anything begins, and refuses the
    /// [supervisor](crate::SupervisorBuilder::build) that is given the manager. So a crate that nothing
    /// names, and that is not linked for that, is found out at start.
    ///
    /// ```
    /// use plux::{FnService, LoadError, PluginManager};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let manager = PluginManager::<dyn FnService>::builder(()).require(["s3", "sqs"]).build();
    /// let report = manager.load_all().await;
    /// assert!(!report.is_ok());
    /// assert!(matches!(report.missing(), [LoadError::Required { .. }, LoadError::Required { .. }]));
    /// # }
    /// ```
    pub fn require(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.required.extend(names.into_iter().map(Into::into));
        self
    }

    /// Makes the manager. Nothing is searched or loaded yet.
    #[track_caller]
    pub fn build(mut self) -> PluginManager<P> {
        self.required.sort_unstable();
        self.required.dedup();
        let finder_name = task::catch(|| self.finder.name()).unwrap_or("without a name");
        PluginManager::new(Arc::new(Shared {
            table: OnceLock::new(),
            finding: ReentrantMutex::default(),
            finder: Given::new("the finder", self.finder),
            finder_name,
            namespace: self.namespace,
            filters: Filters::new(self.filters),
            limits: self.limits,
            hub: Hub::new(self.listeners),
            closing: Closing::new(),
            required: self.required,
            place: Location::caller(),
            context: Given::new("the context", self.context),
        }))
    }
}

impl<P: ExtensionPoint + ?Sized + 'static> fmt::Debug for PluginManagerBuilder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginManagerBuilder")
            .field("namespace", &self.namespace)
            .field("filters", &self.filters.len())
            .field("max_concurrent", &self.limits.places())
            .field("init_timeout", &self.limits.init)
            .field("should_load_timeout", &self.limits.should_load)
            .field("load_timeout", &self.limits.load)
            .finish_non_exhaustive()
    }
}

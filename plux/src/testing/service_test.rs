//! A test of one service: what is tested, and what stands in for what it depends on.

use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::finding::Finding;
use super::probe::{here, valid};
use super::recorder::Recorder;
use super::scripted::Scripted;
use super::stand_in::StandIn;
use super::subject::{Subject, load_with};
use super::trial::{Setting, Trial};
use super::watched::Ends;
use crate::extension::{ExtensionPoint, namespace_of};
use crate::finder::ListFinder;
use crate::manager::PluginManager;
use crate::name::{Name, Namespace};
use crate::options::{GracePeriod, ServiceOptions};
use crate::origin::Origin;
use crate::restart::{Reaction, RestartPolicy};
use crate::service::Service;
use crate::spec::{Dependency, DependencyKind, PluginSpec, SpecRef};
use crate::supervisor::{Supervisor, SupervisorBuilder};
use crate::task::install_panic_hook;

/// Tests one service, with stand-ins for what it depends on. Meant for a paused clock, on which the
/// times that a service is given pass at once.
///
/// ```
/// use plux::testing::ServiceTest;
/// use plux::{BoxError, FnService, ServiceContext};
///
/// struct Store(Vec<&'static str>);
///
/// #[plux::service(requires = ["store"])]
/// async fn shop(cx: ServiceContext) -> Result<(), BoxError> {
///     let store = cx.dependency::<Store>("store")?.get()?;
///     cx.ready(store.0.len());
///     cx.stopping().await;
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), BoxError> {
/// let test = ServiceTest::plugin::<dyn FnService>("shop", ())
///     .given("store", || Store(vec!["tea", "coffee"]))
///     .publishes::<usize>();
/// test.check().await?; // starts, restarts, loses what it requires, stops, and leaves nothing
///
/// let trial = test.start().await?;
/// assert_eq!(*trial.handle::<usize>()?.get()?, 2);
/// trial.finish().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct ServiceTest {
    name: Name,
    origin: Origin,
    subject: Subject,
    options: ServiceOptions,
    stand_ins: Vec<StandIn>,
    publishes: fn(&Trial) -> Result<(), Finding>,
}

impl ServiceTest {
    /// Of a service, which requires all that it is [given](Self::given).
    ///
    /// # Panics
    /// When the name is not valid.
    #[track_caller]
    pub fn of(name: &str, service: impl Service) -> Self {
        Self::new(name, Subject::Service(Arc::new(service)))
    }

    /// Of a service that is registered in the namespace of `P`, and loaded with `context`. What it
    /// depends on is what its attribute says.
    ///
    /// # Panics
    /// When the name is not valid.
    #[track_caller]
    pub fn plugin<P>(name: &str, context: P::Context) -> Self
    where
        P: ExtensionPoint + ?Sized + 'static,
        P::Output: Service,
    {
        let namespace = Namespace::literal(const { namespace_of::<P>() });
        let load = load_with::<P>(context);
        Self::new(name, Subject::Plugin { spec: None, namespace, load })
    }

    /// Of the service of a plugin for `P` that need not be registered, loaded with `context`.
    ///
    /// ```
    /// use plux::testing::{Finding, Probe, Recorder, Scripted, ServiceTest, Step};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let deaf = Probe::new("deaf").run(.., [Step::Ready, Step::IgnoreStop]);
    /// let test = ServiceTest::spec::<dyn Scripted>(deaf.spec(&Recorder::new()), ());
    /// assert!(matches!(test.check().await, Err(Finding::IgnoresStop { .. })));
    /// # }
    /// ```
    #[track_caller]
    pub fn spec<P>(spec: impl Into<SpecRef>, context: P::Context) -> Self
    where
        P: ExtensionPoint + ?Sized + 'static,
        P::Output: Service,
    {
        let spec = spec.into();
        let (name, namespace) = (spec.name().clone(), spec.namespace().clone());
        let load = load_with::<P>(context);
        Self::new(name.as_str(), Subject::Plugin { spec: Some(spec), namespace, load })
    }

    #[track_caller]
    fn new(name: &str, subject: Subject) -> Self {
        Self {
            name: valid(name),
            origin: here(Location::caller()),
            subject,
            options: ServiceOptions::NONE,
            stand_ins: Vec::new(),
            publishes: |_| Ok(()),
        }
    }

    /// Has a service stand in for `name`, or `namespace:name`: each of its runs publishes what `make`
    /// makes.
    ///
    /// # Panics
    /// When the name is not valid.
    #[track_caller]
    pub fn given<T: Any + Send + Sync>(
        mut self,
        name: &str,
        make: impl Fn() -> T + Send + Sync + 'static,
    ) -> Self {
        let origin = here(Location::caller());
        let (namespace, bare) = match name.split_once(':') {
            Some((namespace, bare)) => (Some(valid(namespace)), bare),
            None => (None, name),
        };
        let namespace = namespace.and_then(|name| Namespace::new(name.as_str()).ok());
        self.stand_ins.push(StandIn::new(namespace, valid(bare), origin, make));
        self
    }

    /// Sets options of the service, as a host would.
    pub fn options(mut self, options: ServiceOptions) -> Self {
        self.options = options;
        self
    }

    /// Has every start look whether a `T` was published.
    pub fn publishes<T: Send + Sync + 'static>(mut self) -> Self {
        self.publishes = |trial| trial.handle::<T>().map(drop);
        self
    }

    /// Starts the service, and what stands in for what it depends on.
    ///
    /// # Errors
    /// [`Finding`]: it can not be tested so, or did not become ready in its time.
    pub async fn start(&self) -> Result<Trial, Finding> {
        // The places of panics say more than their messages.
        install_panic_hook();
        let ends = Ends::default();
        let tested = self.subject.spec(&self.name, self.origin, &self.stand_ins, &ends)?;
        let options = self.options.or(tested.service());
        let edges = self.edges(&tested, options)?;
        let recorder = Recorder::new();
        let mut builder = Supervisor::builder().listener(recorder.clone());
        if options.grace_period == Some(GracePeriod::Unlimited) {
            builder = builder.shutdown_timeout(super::trial::LONG);
        }
        let supervisor =
            self.managers(builder, tested).service(self.name.as_str(), options).build()?;
        let (name, publishes) = (self.name.as_str().into(), self.publishes);
        Trial::begin(Setting { name, options, edges, publishes }, supervisor, recorder, ends).await
    }

    /// Everything that can be looked at without knowing what the service does: that it becomes ready in
    /// its time, publishes [what it should](Self::publishes), ends within its grace period when it is
    /// told to, comes back from a restart and from a stop, does what its edges say when what it requires
    /// is lost, and leaves no task.
    ///
    /// # Errors
    /// The first [`Finding`].
    pub async fn check(&self) -> Result<(), Finding> {
        let trial = self.start().await?;
        trial.restart().await?;
        for stand_in in &self.stand_ins {
            trial.lose(&stand_in.to_string()).await?;
            trial.start_again().await?;
        }
        trial.stop().await?;
        trial.start_again().await?;
        trial.finish().await
    }

    /// What each stand-in is to it, and what its loss does.
    fn edges(
        &self,
        tested: &PluginSpec,
        options: ServiceOptions,
    ) -> Result<Vec<(StandIn, Reaction)>, Finding> {
        let name: Arc<str> = self.name.as_str().into();
        let is = |edge: &Dependency, stand_in: &StandIn| {
            let named = edge.namespace.as_ref().unwrap_or(tested.namespace());
            let given = stand_in.namespace.as_ref().unwrap_or(tested.namespace());
            edge.name == stand_in.name && named == given
        };
        for edge in tested.dependencies() {
            let given = self.stand_ins.iter().any(|stand_in| is(edge, stand_in));
            if edge.kind == DependencyKind::Requires && !given {
                let dependency = edge.name.to_string();
                return Err(Finding::NoStandIn { name, dependency });
            }
        }
        let own = options.reaction.unwrap_or(match options.restart {
            Some(RestartPolicy::Temporary) => Reaction::Stop,
            _ => Reaction::Restart,
        });
        let edge = |stand_in: &StandIn| {
            let edge = tested.dependencies().iter().find(|edge| is(edge, stand_in));
            let reaction = match edge {
                None => {
                    let (name, dependency) = (Arc::clone(&name), stand_in.to_string());
                    return Err(Finding::NotADependency { name, dependency });
                }
                Some(edge) if edge.kind == DependencyKind::Requires => edge.reaction.unwrap_or(own),
                Some(_) => Reaction::Keep,
            };
            Ok((stand_in.clone(), reaction))
        };
        self.stand_ins.iter().map(edge).collect()
    }

    /// One manager for each namespace; that of the tested service is let go of first.
    fn managers(&self, mut builder: SupervisorBuilder, tested: PluginSpec) -> SupervisorBuilder {
        let own = tested.namespace().clone();
        let mut specs = vec![(own.clone(), vec![tested])];
        for stand_in in &self.stand_ins {
            let namespace = stand_in.namespace.as_ref().unwrap_or(&own);
            let spec = stand_in.spec(namespace);
            match specs.iter_mut().find(|(other, _)| other == namespace) {
                Some((_, specs)) => specs.push(spec),
                None => specs.push((namespace.clone(), vec![spec])),
            }
        }
        for (namespace, specs) in specs {
            let manager = PluginManager::<dyn Scripted>::builder(()).namespace(namespace);
            builder = builder.manager(manager.finder(ListFinder::new(specs)).build());
        }
        builder
    }
}

impl fmt::Debug for ServiceTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceTest({})", self.name)
    }
}

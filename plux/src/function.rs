//! A function as a service: what `#[service]` makes of one, and where it goes unless told.
//!
//! Trap: the library can not name itself `plux`, so the attribute here is told where plux is.

use std::future::Future;
use std::sync::Arc;

use futures::future::BoxFuture;

use crate::error::BoxError;
use crate::extension::ExtensionPoint;
use crate::service::{Service, ServiceContext};

/// The extension point of the services that [`#[service]`](macro@crate::service) makes of functions,
/// unless the attribute names another: namespace `plux.services`, no context.
///
/// ```
/// use plux::{BoxError, FnService, PluginManager, ServiceContext, Supervisor};
///
/// #[plux::service]
/// async fn clock(cx: ServiceContext) -> Result<(), BoxError> {
///     cx.ready(());
///     cx.stopping().await;
///     Ok(())
/// }
///
/// # fn main() -> Result<(), BoxError> {
/// let manager = PluginManager::<dyn FnService>::builder(()).build();
/// assert!(manager.contains("clock")?);
/// let supervisor = Supervisor::builder().manager(manager).build()?;
/// # Ok(())
/// # }
/// ```
#[plux_macros::extension_point(
    namespace = "plux.services",
    output = Arc<dyn Service>,
    crate = crate
)]
pub trait FnService {}

/// An output that a service can be put into: `Arc<dyn Service>`, `Box<dyn Service>`, or a type of
/// one's own. `#[service]` needs it of its extension point's output.
///
/// ```
/// use std::sync::Arc;
/// use plux::{FromService, Service};
///
/// /// What our namespace yields: a service with what is served.
/// pub struct Listing {
///     pub service: Arc<dyn Service>,
///     pub price: u32,
/// }
///
/// impl FromService for Listing {
///     fn from_service<S: Service>(service: S) -> Self {
///         Self { service: Arc::new(service), price: 0 }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a function service can not be put into `{Self}`",
    label = "the output of this extension point is `{Self}`",
    note = "`#[plux::service]` fits an output of `Arc<dyn Service>`, `Box<dyn Service>`, or a type \
            that implements `plux::FromService`"
)]
pub trait FromService {
    /// Puts the service into the output.
    fn from_service<S: Service>(service: S) -> Self;
}

impl FromService for Arc<dyn Service> {
    fn from_service<S: Service>(service: S) -> Self {
        Arc::new(service)
    }
}

impl FromService for Box<dyn Service> {
    fn from_service<S: Service>(service: S) -> Self {
        Box::new(service)
    }
}

type Run<'a> = BoxFuture<'a, Result<(), BoxError>>;

/// The service that a function is; for generated code. It has no type parameters, so that a function
/// which does not fit is one error.
pub struct FunctionService(Box<dyn Fn(ServiceContext) -> Run<'static> + Send + Sync>);

impl FunctionService {
    /// Takes the function, which is called once per incarnation.
    pub fn new<R>(function: impl Fn(ServiceContext) -> R + Send + Sync + 'static) -> Self
    where
        R: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self(Box::new(move |cx| Box::pin(function(cx))))
    }
}

impl Service for FunctionService {
    fn run<'life, 'run>(&'life self, cx: ServiceContext) -> Run<'run>
    where
        'life: 'run,
        Self: 'run,
    {
        (self.0)(cx)
    }
}

/// The context of a namespace, kept by a function service for all of its runs; for generated code.
pub struct KeptContext<C> {
    context: C,
    clone: fn(&C) -> C,
}

impl<C: Clone> KeptContext<C> {
    /// Keeps a clone; each run is lent another.
    pub fn new(context: &C) -> Self {
        Self { context: context.clone(), clone: C::clone }
    }
}

impl<C: Send + Sync + 'static> KeptContext<C> {
    /// The function without its second parameter.
    pub fn given_to<R>(
        self,
        function: impl Fn(ServiceContext, C) -> R + Send + Sync + 'static,
    ) -> impl Fn(ServiceContext) -> R + Send + Sync + 'static {
        move |cx| function(cx, (self.clone)(&self.context))
    }
}

/// An extension point that takes functions, because its trait requires nothing of a plugin but its
/// load. `#[extension_point]` implements it where that is so.
#[diagnostic::on_unimplemented(
    message = "a function can not be a plugin of `{Self}`",
    label = "takes no functions",
    note = "functions fit an extension point whose trait has a default for every method and no \
            supertraits but `Send` and `Sync`"
)]
pub trait FunctionPoint: ExtensionPoint {
    /// The plugin whose load is `load`.
    fn plugin<F>(load: F) -> Arc<Self>
    where
        F: Fn(&Self::Context) -> Self::Output + Send + Sync + 'static;
}

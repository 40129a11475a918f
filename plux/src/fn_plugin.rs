//! A function as a plugin: its contract, and what `#[plugin(namespace = "…")]` makes of one.
//!
//! Trap: a call is made in the caller's task and belongs to the caller, unlike all other code of a
//! plugin; nothing is caught or bounded here.

use std::future::Future;
use std::pin::Pin;

use async_trait::async_trait;
use futures::future::{self, BoxFuture};

use crate::error::BoxError;
use crate::extension::ExtensionPoint;
use crate::name::Namespace;

/// The contract of the functions that take `&A` and yield `R`, in a namespace of functions.
///
/// [`#[plugin(namespace = "…")]`](macro@crate::plugin) makes a plugin of a function. `A` is the type
/// whose reference it takes, `()` when it takes nothing; `R` is what it returns, or what it returns
/// as `Ok` when its return type is a `Result`.
///
/// | function | extension point |
/// |---|---|
/// | `fn f()`, `async fn f()` | `dyn FnPlugin<(), ()>` |
/// | `fn f() -> u16` | `dyn FnPlugin<(), u16>` |
/// | `fn f(text: &str) -> usize` | `dyn FnPlugin<str, usize>` |
/// | `async fn f(aws: &Aws) -> Result<(), BoxError>` | `dyn FnPlugin<Aws, ()>` |
/// | `fn f(aws: &Aws) -> io::Result<u64>` | `dyn FnPlugin<Aws, u64>` |
///
/// A return type is a `Result` when its last segment is called so; an alias of another name is a value
/// like any other. The error may be whatever a [`BoxError`] can be made of. The result is owned: it does
/// not borrow from the argument.
///
/// The contract names no namespace, so the manager is [given one](crate::PluginManager::functions). A
/// namespace holds functions of one
/// type. What a manager finds there of another type is a failure in
/// [`Phase::Resolve`](crate::Phase::Resolve) that names both types and both places
/// ([`FailureCause::Mismatch`](crate::FailureCause::Mismatch)), at each `load_all`; the others load.
///
/// ```
/// use plux::{BoxError, FnPlugin, Namespace, PluginManager};
///
/// pub struct Aws {
///     pub verbose: bool,
/// }
///
/// #[plux::plugin(namespace = "doc.configurators")]
/// async fn logging(aws: &Aws) -> Result<&'static str, BoxError> {
///     Ok(if aws.verbose { "debug" } else { "info" })
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let namespace = Namespace::literal("doc.configurators");
/// let manager = PluginManager::<dyn FnPlugin<Aws, &'static str>>::functions(namespace).build();
/// let logging = manager.load("logging").await?;
/// assert_eq!(logging.plugin().call(&Aws { verbose: true }).await?, "debug");
/// # Ok(())
/// # }
/// ```
///
/// The context and the output of the namespace are `()`: what a function is given, it is given by the
/// call. For a plugin that is made at run time ([`PluginSpec::new`](crate::PluginSpec::new)) the trait
/// is implemented as any other, with [`async_trait`](macro@crate::async_trait).
#[async_trait]
pub trait FnPlugin<A: ?Sized + 'static, R: 'static>: Send + Sync + 'static {
    /// Calls the function, as often as one likes and any number of times at once.
    ///
    /// The call runs in the caller's task, when its future is polled, also where the function is not
    /// async; one that blocks or computes for long holds up that task. It is not one of the
    /// manager's: it has no time limit, and goes on when the manager is dropped.
    ///
    /// # Errors
    /// What the function fails with. A function that does not return a `Result` has no errors.
    ///
    /// # Panics
    /// When the function does. A panic is not caught, as in any call of a function; the plugin can be
    /// called again.
    ///
    /// # Cancel safety
    /// That of the function: dropping the future drops the function's where it stands.
    async fn call(&self, argument: &A) -> Result<R, BoxError>;

    /// Whether the plugin wants to be loaded: `false` disables it. It does, unless it says otherwise.
    ///
    /// # Errors
    /// What keeps the plugin from deciding; the load has then failed.
    async fn should_load(&self) -> Result<bool, BoxError> {
        Ok(true)
    }

    /// What is to be done once before the function can be called: nothing, unless it says otherwise.
    /// The function itself is not called by a load.
    ///
    /// # Errors
    /// What keeps the plugin from loading.
    async fn load(&self) -> Result<(), BoxError> {
        Ok(())
    }

    #[doc(hidden)]
    fn __plux_asks_should_load(&self) -> bool {
        true
    }
}

#[diagnostic::do_not_recommend]
impl<A: ?Sized + 'static, R: 'static> ExtensionPoint for dyn FnPlugin<A, R> + '_ {
    const NAMESPACE: Option<Namespace> = None;
    const PATH: &'static str = concat!(module_path!(), "::FnPlugin");
    type Context = ();
    type Output = ();

    fn asks_should_load(&self) -> bool {
        self.__plux_asks_should_load()
    }

    fn should_load<'a>(&'a self, (): &'a ()) -> BoxFuture<'a, Result<bool, BoxError>> {
        FnPlugin::should_load(self)
    }

    fn load<'a>(&'a self, (): &'a ()) -> BoxFuture<'a, Result<(), BoxError>> {
        FnPlugin::load(self)
    }
}

type Call<A, R> = for<'a> fn(&'a A) -> BoxFuture<'a, Result<R, BoxError>>;
type Hook<T> = fn() -> BoxFuture<'static, Result<T, BoxError>>;

/// The plugin that a function is; for generated code.
pub struct FunctionPlugin<A: ?Sized + 'static, R: 'static> {
    call: Call<A, R>,
    should_load: Option<Hook<bool>>,
    load: Option<Hook<()>>,
}

impl<A: ?Sized + 'static, R: 'static> FunctionPlugin<A, R> {
    /// Takes the function, which nothing but `call` calls.
    pub fn new(call: Call<A, R>) -> Self {
        Self { call, should_load: None, load: None }
    }

    /// Takes its own `should_load`.
    #[must_use]
    pub fn with_should_load(self, should_load: Hook<bool>) -> Self {
        Self { should_load: Some(should_load), ..self }
    }

    /// Takes its own `load`.
    #[must_use]
    pub fn with_load(self, load: Hook<()>) -> Self {
        Self { load: Some(load), ..self }
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send + 'a>>;

/// Forwards as it is: no second box.
impl<A: ?Sized + 'static, R: 'static> FnPlugin<A, R> for FunctionPlugin<A, R> {
    fn call<'life, 'of, 'call>(&'life self, argument: &'of A) -> Answer<'call, R>
    where
        'life: 'call,
        'of: 'call,
        Self: 'call,
    {
        (self.call)(argument)
    }

    fn should_load<'life, 'call>(&'life self) -> Answer<'call, bool>
    where
        'life: 'call,
        Self: 'call,
    {
        self.should_load.map_or_else(|| now(|| true), |should_load| should_load())
    }

    fn load<'life, 'call>(&'life self) -> Answer<'call, ()>
    where
        'life: 'call,
        Self: 'call,
    {
        self.load.map_or_else(|| now(|| ()), |load| load())
    }

    fn __plux_asks_should_load(&self) -> bool {
        self.should_load.is_some()
    }
}

/// A return type that is called `Result`; for generated code.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called a `Result` and is none",
    label = "not `std::result::Result`",
    note = "give the type another name, and it is a value like any other"
)]
pub trait Fallible {
    /// What it holds as `Ok`.
    type Value;
}

impl<T, E> Fallible for Result<T, E> {
    type Value = T;
}

/// The call of an async function that has no errors; for generated code, as those below.
pub fn wait<'a, T>(
    called: impl Future<Output = T> + Send + 'a,
) -> BoxFuture<'a, Result<T, BoxError>> {
    Box::pin(async { Ok(called.await) })
}

/// The call of an async function.
pub fn try_wait<'a, T, E: Into<BoxError>>(
    called: impl Future<Output = Result<T, E>> + Send + 'a,
) -> BoxFuture<'a, Result<T, BoxError>> {
    Box::pin(async { called.await.map_err(Into::into) })
}

/// The call of a function that has no errors, made when it is polled.
pub fn now<'a, T>(call: impl FnOnce() -> T + Send + 'a) -> BoxFuture<'a, Result<T, BoxError>> {
    Box::pin(future::lazy(|_| Ok(call())))
}

/// The call of a function, made when it is polled.
pub fn try_now<'a, T, E: Into<BoxError>>(
    call: impl FnOnce() -> Result<T, E> + Send + 'a,
) -> BoxFuture<'a, Result<T, BoxError>> {
    Box::pin(future::lazy(|_| call().map_err(Into::into)))
}

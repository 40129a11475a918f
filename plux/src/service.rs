//! What a service is, and what it sees of its supervisor while it runs.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::{Either, select};

use crate::error::{BoxError, HandleError};
use crate::handle::Handle;
use crate::health::Health;
use crate::incarnation::Incarnation;
use crate::name::Name;
use crate::reason::StopReason;

/// So many characters of a status text are kept.
const LONGEST_TEXT: usize = 256;

/// Something that runs on until it is told to stop.
///
/// ```text
/// supervisor                      run(cx)
///     │── begins ──────────────────►│  acquire, connect, listen
///     │◄─────────────── cx.ready(v) │  others may use it now
///     │                             │  serve …
///     │── stop signal ─────────────►│  cx.stopping(), cx.running_until(…)
///     │      grace period           │  drain
///     │◄──────────────────── Ok(()) │  tasks it spawned are awaited
/// ```
///
/// The supervisor calls `run` once per incarnation, never twice at once. State that must not
/// survive a restart lives in `run`'s locals; `self` is kept. Ending before `ready` is a start that
/// failed; ending after it without an error is a completion, which is how an initialiser works.
///
/// ```
/// use plux::{BoxError, Service, ServiceContext, async_trait};
///
/// struct Clock;
///
/// #[async_trait]
/// impl Service for Clock {
///     async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
///         cx.ready(());
///         cx.stopping().await;
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Service: Send + Sync + 'static {
    /// One run of the service.
    ///
    /// # Cancel safety
    /// When the grace period is over the future is dropped where it stands.
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError>;
}

type Run<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

/// Forwards as it is: no second box.
impl<S: Service + ?Sized> Service for Arc<S> {
    fn run<'life, 'run>(&'life self, cx: ServiceContext) -> Run<'run>
    where
        'life: 'run,
        Self: 'run,
    {
        (**self).run(cx)
    }
}

impl<S: Service + ?Sized> Service for Box<S> {
    fn run<'life, 'run>(&'life self, cx: ServiceContext) -> Run<'run>
    where
        'life: 'run,
        Self: 'run,
    {
        (**self).run(cx)
    }
}

/// An output for which an attribute may set what is for a service; for generated code.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no service, and this is for a service",
    label = "nothing would look at it",
    note = "leave it out, or have the output of the extension point implement `plux::Service`"
)]
pub trait Served {}

#[diagnostic::do_not_recommend]
impl<S: Service> Served for S {}

/// Does not compile for another output; for generated code.
pub const fn served<S: Served>() {}

/// What one run of a service is given. Clones are the same; one that outlives the run does nothing.
#[derive(Clone)]
pub struct ServiceContext {
    pub(crate) run: Arc<Incarnation>,
}

impl ServiceContext {
    /// The service's name.
    pub fn name(&self) -> &Name {
        self.run.link.name()
    }

    /// The number of this run, from 1.
    pub fn incarnation(&self) -> u32 {
        self.run.number
    }

    /// Reports that the service can serve, and publishes `value` for those who ask for a [`Handle`].
    /// Works once a run: `false`, and nothing published, when it was ready before or the run has
    /// ended.
    pub fn ready<T: Send + Sync + 'static>(&self, value: T) -> bool {
        self.run.publish(value)
    }

    /// Says in a few words what the service does at the moment, for whoever asks for its
    /// [status](crate::ServiceStatus::text), until it says something else or the run ends. Of a longer
    /// text the first 256 characters are kept. Never waits.
    ///
    /// ```
    /// # use plux::ServiceContext;
    /// fn progress(cx: &ServiceContext, done: usize, all: usize) {
    ///     cx.status(format!("{done} of {all} files are read"));
    /// }
    /// ```
    pub fn status(&self, text: impl AsRef<str>) {
        let text = text.as_ref();
        let end = text.char_indices().nth(LONGEST_TEXT).map_or(text.len(), |(at, _)| at);
        self.run.say(Arc::from(&text[..end]));
    }

    /// Says how well the run is, until it says something else or ends; a fresh run is healthy. The
    /// service's [status](crate::ServiceStatus::health) shows it, and listeners hear of each change. What
    /// becomes of a running service that is unhealthy is for
    /// [`on_unhealthy`](crate::ServiceOptions::on_unhealthy) to say. Never waits.
    ///
    /// ```
    /// # use plux::{Health, ServiceContext};
    /// fn judge(cx: &ServiceContext, replicas: usize) {
    ///     cx.health(match replicas {
    ///         0 => Health::Unhealthy("no replica answers".into()),
    ///         1 => Health::Degraded("one replica answers".into()),
    ///         _ => Health::Healthy,
    ///     });
    /// }
    /// ```
    pub fn health(&self, health: Health) {
        self.run.feel(health);
    }

    /// A sign of life. A service that has a [watchdog](crate::ServiceOptions::watchdog) must give one
    /// within each such time from its readiness on: otherwise it has failed, and is stopped. Without a
    /// watchdog, and after the end of the run, it is nothing. Never waits.
    ///
    /// ```
    /// # use plux::ServiceContext;
    /// async fn drain(cx: ServiceContext, mut next: impl AsyncFnMut()) {
    ///     while cx.running_until(next()).await.is_some() {
    ///         cx.heartbeat();
    ///     }
    /// }
    /// ```
    pub fn heartbeat(&self) {
        self.run.beat();
    }

    /// Why the service is to stop, or `None` while it is not.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.run.stop_reason()
    }

    /// Waits for the stop signal. Cancel safe.
    pub fn stopping(&self) -> impl Future<Output = StopReason> + Send {
        // No async function: an idle service keeps this future, and another around it takes room.
        self.run.stopping()
    }

    /// The output of `future`, or `None` when the stop signal came first; the future is dropped then.
    pub async fn running_until<F: Future>(&self, future: F) -> Option<F::Output> {
        let stopping = pin!(self.run.stopping());
        let future = pin!(future);
        match select(stopping, future).await {
            Either::Left(_) => None,
            Either::Right((output, _)) => Some(output),
        }
    }

    /// Spawns a task that ends with this run: it is awaited when the service stops, dropped when the
    /// grace period is over, and its panic is the service's failure. After the end of the run the
    /// future is dropped unpolled.
    ///
    /// # Panics
    /// Outside a tokio runtime, while the run has not ended.
    pub fn spawn<F>(&self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.run.spawn(future);
    }

    /// What a service that this one depends on has published, by the name it has in `requires`,
    /// `wants` or `after`.
    ///
    /// # Errors
    /// [`HandleError`]: it is no dependency, is not ready, or has published another type.
    pub fn dependency<T: Send + Sync + 'static>(
        &self,
        name: &str,
    ) -> Result<Handle<T>, HandleError> {
        Handle::new(self.run.link.dependency(name)?)
    }
}

impl fmt::Debug for ServiceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServiceContext").field(&self.run).finish()
    }
}

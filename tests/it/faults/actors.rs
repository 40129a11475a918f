//! Who plays: `x`, to which the fault happens, those beside it, and who filters and listens.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use plux::{
    BoxError, Dependency, DependencyKind, Disabled, Event, EventKind, Health, Listener, Name,
    Namespace, PluginFilter, PluginSpec, Service, ServiceContext, ServiceFailure, ServiceOptions,
    ServiceState, SpecRef,
};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::curse::{CURSED, Curse, Fault, Seam};
use super::tell;

#[plux::extension_point(namespace = "faults", context = Cursed, output = Arc<dyn Service>)]
pub(super) trait Actor {}

/// Something of the user's whose destructor is a seam.
pub(super) struct Cursed(pub(super) Arc<Curse>, pub(super) Seam);

impl Drop for Cursed {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.0.at(self.1).expect("a destructor returns nothing");
        }
    }
}

/// An error whose text and whose destructor are seams.
struct CursedError(Cursed);

impl fmt::Display for CursedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let curse = &self.0.0;
        if curse.seam == Seam::ErrorText {
            return match curse.fault {
                Fault::Error if curse.strikes(Seam::ErrorText) => Err(fmt::Error),
                Fault::Error => f.write_str(CURSED),
                _ => curse.at(Seam::ErrorText).map_err(|_| fmt::Error),
            };
        }
        f.write_str(CURSED)
    }
}

impl fmt::Debug for CursedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CURSED)
    }
}

impl std::error::Error for CursedError {}

/// A text that runs code of the user's.
struct Text<'a>(&'a Curse);

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        self.0.at(Seam::Status).expect("a text returns nothing else");
        "a text"
    }
}

/// The one to which the fault happens.
struct X {
    curse: Arc<Curse>,
    /// From one heartbeat to the next.
    beat: Duration,
}

#[plux::async_trait]
impl Actor for X {
    async fn should_load(&self, _: &Cursed) -> Result<bool, BoxError> {
        self.curse.meets(Seam::ShouldLoad).await?;
        Ok(true)
    }

    async fn load(&self, _: &Cursed) -> Result<Arc<dyn Service>, BoxError> {
        self.curse.meets(Seam::Load).await?;
        let service = Cursed(Arc::clone(&self.curse), Seam::ServiceDestructor);
        Ok(Arc::new(XService { service, beat: self.beat }))
    }
}

struct XService {
    service: Cursed,
    beat: Duration,
}

#[plux::async_trait]
impl Service for XService {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        let curse = &self.service.0;
        let _local = Cursed(Arc::clone(curse), Seam::RunDestructor);
        curse.meets(Seam::NotReady).await?;
        if curse.seam == Seam::Task {
            self.spawn_task(&cx);
        }
        if curse.seam == Seam::Listener && curse.fault == Fault::CallerGone {
            curse.opened().await;
        }
        cx.ready(Cursed(Arc::clone(curse), Seam::PublishedDestructor));
        loop {
            tokio::select! {
                biased;
                _ = cx.stopping() => break,
                () = curse.due_at(Seam::Ready) => curse.meets(Seam::Ready).await?,
                () = curse.due_at(Seam::Health) => self.complain(&cx),
                () = curse.due_at(Seam::Heartbeat) => self.miss_beats(&cx).await,
                () = curse.due_at(Seam::Status) => cx.status(Text(curse)),
                () = curse.due_at(Seam::ErrorText) => return Err(self.error()),
                () = curse.due_at(Seam::ErrorDestructor), if cx.incarnation() == 1 => return Err(self.error()),
                () = sleep(self.beat) => cx.heartbeat(),
            }
        }
        if curse.seam == Seam::Ready && curse.fault == Fault::CallerGone {
            curse.meets(Seam::Ready).await?;
        }
        curse.meets(Seam::Stopping).await?;
        if curse.seam == Seam::ErrorDestructor && cx.incarnation() == 2 {
            // A run that begins looks at the errors of those before it when there are some more.
            return Err(CURSED.into());
        }
        if curse.seam == Seam::RunDestructor {
            // Dropped where it stands, when its grace period is over.
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

impl XService {
    fn error(&self) -> BoxError {
        CursedError(Cursed(Arc::clone(&self.service.0), Seam::ErrorDestructor)).into()
    }

    fn complain(&self, cx: &ServiceContext) {
        if self.service.0.strikes(Seam::Health) {
            cx.health(Health::Unhealthy(CURSED.into()));
        }
    }

    async fn miss_beats(&self, cx: &ServiceContext) {
        let curse = &self.service.0;
        if curse.fault == Fault::Blocked {
            curse.at(Seam::Heartbeat).expect("it only blocks");
        } else if curse.strikes(Seam::Heartbeat) {
            cx.stopping().await;
        }
    }

    fn spawn_task(&self, cx: &ServiceContext) {
        let (curse, own) = (Arc::clone(&self.service.0), cx.clone());
        cx.spawn(async move {
            if curse.fault == Fault::CallerGone {
                own.stopping().await;
            } else if own.running_until(curse.due_at(Seam::Task)).await.is_none() {
                return;
            }
            curse.meets(Seam::Task).await.expect("a task returns nothing");
        });
    }
}

/// One that is sound: it runs until it is told to stop, and answers.
#[derive(Clone, Default)]
pub(super) struct Sound {
    asked: Arc<Notify>,
    answers: Arc<AtomicUsize>,
}

impl Sound {
    pub(super) fn ask(&self) {
        self.asked.notify_one();
    }

    pub(super) fn answers(&self) -> usize {
        self.answers.load(Ordering::SeqCst)
    }

    pub(super) fn spec(&self, name: &'static str, requires: Option<&'static str>) -> SpecRef {
        let sound = self.clone();
        let make = move || Ok(Arc::new(sound.clone()) as Arc<dyn Actor>);
        spec(name, requires, make).into()
    }
}

#[plux::async_trait]
impl Actor for Sound {
    async fn load(&self, _: &Cursed) -> Result<Arc<dyn Service>, BoxError> {
        Ok(Arc::new(self.clone()))
    }
}

#[plux::async_trait]
impl Service for Sound {
    async fn run(&self, cx: ServiceContext) -> Result<(), BoxError> {
        cx.ready(());
        while cx.running_until(self.asked.notified()).await.is_some() {
            self.answers.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

fn spec(
    name: &'static str,
    requires: Option<&'static str>,
    make: impl Fn() -> Result<Arc<dyn Actor>, BoxError> + Send + Sync + 'static,
) -> PluginSpec {
    let spec =
        PluginSpec::new::<dyn Actor>(Namespace::literal("faults"), Name::literal(name), make);
    let edge = requires.map(|on| Dependency::literal(DependencyKind::Requires, None, on));
    edge.into_iter().fold(spec, PluginSpec::with_dependency)
}

/// The spec of `x`, which requires `base`.
pub(super) fn x(curse: &Arc<Curse>, beat: Duration, options: ServiceOptions) -> SpecRef {
    let curse = Arc::clone(curse);
    let make = move || {
        curse.at(Seam::Factory)?;
        Ok(Arc::new(X { curse: Arc::clone(&curse), beat }) as Arc<dyn Actor>)
    };
    spec("x", Some("base"), make).with_service(options).into()
}

/// Refuses `x` where the fault is an error.
pub(super) struct Filters(pub(super) Arc<Curse>);

impl Filters {
    fn asked(&self, spec: &PluginSpec, seam: Seam) -> Result<(), Disabled> {
        if *spec.name() != *"x" {
            return Ok(());
        }
        self.0.at(seam).map_err(|_| Disabled::because(CURSED))
    }
}

impl PluginFilter<dyn Actor> for Filters {
    fn before_init(&self, spec: &PluginSpec) -> Result<(), Disabled> {
        self.asked(spec, Seam::FilterOfSpec)
    }

    fn before_load(&self, spec: &PluginSpec, _: &dyn Actor) -> Result<(), Disabled> {
        self.asked(spec, Seam::FilterOfPlugin)
    }
}

/// Hears first, and prints what it hears.
pub(super) struct Hears {
    pub(super) curse: Arc<Curse>,
    /// Where it keeps what `x` has failed with, so that nothing else drops that.
    pub(super) kept: Kept,
}

pub(super) type Kept = Arc<Mutex<Option<Arc<ServiceFailure>>>>;

impl Listener for Hears {
    fn on_event(&self, event: &Event) {
        let seam = self.curse.seam;
        if seam == Seam::Listener && event.id.name == *"x" {
            self.curse.at(seam).expect("a listener returns nothing");
        }
        if let EventKind::Service { state: ServiceState::Backoff { cause, .. }, .. } = &event.kind {
            if seam == Seam::ErrorDestructor {
                *self.kept.lock() = Some(Arc::clone(cause));
            }
            // What is in it may be of the user's, and run code of the user's when it is printed.
            drop(cause.to_string());
        }
    }
}

/// Hears after that, and keeps the words alone: an error that is kept is not dropped.
#[derive(Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Vec<(Name, String)>>>);

impl Heard {
    /// The moves of one service since the last [`Heard::clear`].
    pub(super) fn of(&self, name: &str) -> Vec<String> {
        let moves = self.0.lock();
        moves.iter().filter(|(of, _)| of == name).map(|(_, to)| to.clone()).collect()
    }

    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }
}

impl Listener for Heard {
    fn on_event(&self, event: &Event) {
        if let EventKind::Service { state, .. } = &event.kind {
            self.0.lock().push((event.id.name.clone(), tell::state(state)));
        }
    }
}

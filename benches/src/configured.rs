//! Managers that have something configured which does nothing, so that what is measured is plux's.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plux::{BoxError, Event, Listener, PluginFilter};
use tokio::sync::oneshot::{Receiver, Sender, channel};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber, callsite};

use crate::plugins::{NoOp, Specs, builder};
use crate::work;

/// What a manager has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Configured {
    /// Nothing.
    Nothing,
    /// A time limit for `load`.
    Timeout,
    /// A limit of loads at once, which is never reached.
    Places,
    /// A filter that refuses nothing.
    Filter,
    /// A listener that does nothing with what it hears.
    Listener,
    /// A subscriber of `tracing` that wants all spans and does nothing with them.
    Subscriber,
}

impl Configured {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Timeout,
        Self::Places,
        Self::Filter,
        Self::Listener,
        Self::Subscriber,
    ];

    /// What a table calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "`load_all`, nothing configured",
            Self::Timeout => "`load_timeout`",
            Self::Places => "`max_concurrent`, never reached",
            Self::Filter => "a filter that refuses nothing",
            Self::Listener => "a listener that does nothing",
            Self::Subscriber => "a `tracing` subscriber that does nothing",
        }
    }

    /// Times a `load_all` of plugins that were found before. What listeners hear later is waited for,
    /// and not timed.
    ///
    /// # Errors
    /// When less was done.
    pub async fn load_all(self, specs: Specs) -> Result<Duration, BoxError> {
        let mut heard = None;
        let builder = match (self, builder(specs)) {
            (Self::Nothing | Self::Subscriber, builder) => builder,
            (Self::Timeout, builder) => builder.load_timeout(Duration::from_secs(60)),
            (Self::Places, builder) => builder.max_concurrent(NonZeroUsize::MAX),
            (Self::Filter, builder) => builder.filter(PassesAll),
            (Self::Listener, builder) => {
                let (listener, end) = Deaf::new();
                heard = Some(end);
                builder.listener(listener)
            }
        };
        subscribe(self == Self::Subscriber);
        let time = work::load_all(specs.len(), builder.build()).await;
        subscribe(false);
        if let Some(end) = heard {
            // Nothing is sent: the other end is dropped with the listener.
            let _ = end.await;
        }
        time
    }
}

struct PassesAll;

impl PluginFilter<dyn NoOp> for PassesAll {}

struct Deaf {
    _end: Sender<()>,
}

impl Deaf {
    fn new() -> (Self, Receiver<()>) {
        let (end, heard) = channel();
        (Self { _end: end }, heard)
    }
}

impl Listener for Deaf {
    fn on_event(&self, event: &Event) {
        std::hint::black_box(event);
    }
}

/// Whether the process's subscriber wants anything.
static WANTED: AtomicBool = AtomicBool::new(false);

/// A process can have one subscriber, and for good. So this one is there always, and wants all or
/// nothing; if it wants nothing `tracing` asks it no more than if it were not there.
struct Blind;

fn subscribe(wanted: bool) {
    if WANTED.swap(wanted, Ordering::AcqRel) != wanted {
        // An error says that it is there already.
        let _ = tracing::subscriber::set_global_default(Blind);
        callsite::rebuild_interest_cache();
    }
}

impl Subscriber for Blind {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        WANTED.load(Ordering::Acquire)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(if WANTED.load(Ordering::Acquire) { LevelFilter::TRACE } else { LevelFilter::OFF })
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

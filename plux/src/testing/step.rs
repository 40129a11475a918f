//! What a script is made of: steps, and which of them make sense where.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::service::ServiceContext;

/// A part of a plugin and its service that a script speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Seam {
    /// What makes the plugin.
    Factory,
    /// Whether the plugin wants to be loaded.
    ShouldLoad,
    /// The load of the plugin.
    Load,
    /// A run of the service, until it is told to stop.
    Run,
    /// What the run does once it was told.
    OnStop,
    /// A task that the run has spawned.
    Task,
    /// The end of what the run holds.
    Destructor,
}

impl fmt::Display for Seam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Factory => "factory",
            Self::ShouldLoad => "should_load",
            Self::Load => "load",
            Self::Run => "run",
            Self::OnStop => "on_stop",
            Self::Task => "task",
            Self::Destructor => "destructor",
        })
    }
}

/// One thing that a script does.
///
/// | | factory | should_load | load | run | on_stop | task | destructor |
/// |---|---|---|---|---|---|---|---|
/// | [`Ready`](Self::Ready) | | | | yes | yes | | |
/// | [`Sleep`](Self::Sleep), [`Hang`](Self::Hang) | | yes | yes | yes | yes | yes | |
/// | [`Block`](Self::Block), [`Panic`](Self::Panic) | yes | yes | yes | yes | yes | yes | yes |
/// | [`Fail`](Self::Fail) | yes | yes | yes | yes | yes | | |
/// | [`Fatal`](Self::Fatal) | | | | yes | yes | | |
/// | [`Complete`](Self::Complete) | | | | yes | yes | yes | |
/// | [`PanicInCall`](Self::PanicInCall) | | | | first | | | |
/// | [`Disable`](Self::Disable) | | yes | yes | | | | |
/// | [`Decline`](Self::Decline) | | yes | | | | | |
/// | [`IgnoreStop`](Self::IgnoreStop) | | | | yes | | yes | |
/// | [`Spawn`](Self::Spawn), [`Call`](Self::Call) | | | | yes | yes | | |
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Step {
    /// Is ready, and publishes a [`Published`](super::Published).
    Ready,
    /// Waits so long, on tokio's clock.
    Sleep(Duration),
    /// Blocks its thread so long: real time, also when tokio's clock is paused.
    Block(Duration),
    /// Waits for ever. A stop ends it, unless stops are ignored.
    Hang,
    /// Does not heed the stop signal from here on: an abort ends it.
    IgnoreStop,
    /// Ends without an error.
    Complete,
    /// Ends with this error.
    Fail(&'static str),
    /// Ends with a [`Fatal`](crate::Fatal) error.
    Fatal(&'static str),
    /// Panics, in a poll where there is one.
    Panic(&'static str),
    /// Panics in the call of `run`, before there is a future.
    PanicInCall(&'static str),
    /// The plugin is disabled, for this reason.
    Disable(&'static str),
    /// The plugin does not want to be loaded.
    Decline,
    /// Spawns a task that does this, through [`ServiceContext::spawn`].
    Spawn(Vec<Step>),
    /// Anything else; made by [`Step::call`].
    Call(Call),
}

/// What a [`Step::Call`] calls.
#[derive(Clone)]
pub struct Call(Arc<dyn Fn(ServiceContext) -> BoxFuture<'static, ()> + Send + Sync>);

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Call {
    pub(super) fn call(&self, cx: ServiceContext) -> BoxFuture<'static, ()> {
        (self.0)(cx)
    }
}

impl Step {
    /// Does what `call` does with the run's context.
    ///
    /// ```
    /// use plux::testing::Step;
    ///
    /// let beat = Step::call(async |cx| cx.heartbeat());
    /// ```
    pub fn call<F>(call: impl Fn(ServiceContext) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::Call(Call(Arc::new(move |cx| Box::pin(call(cx)))))
    }

    /// Whether nothing that follows is ever done.
    fn is_last(&self) -> bool {
        match self {
            Self::Hang
            | Self::Complete
            | Self::Fail(_)
            | Self::Fatal(_)
            | Self::Panic(_)
            | Self::PanicInCall(_)
            | Self::Disable(_)
            | Self::Decline => true,
            Self::Ready
            | Self::Sleep(_)
            | Self::Block(_)
            | Self::IgnoreStop
            | Self::Spawn(_)
            | Self::Call(_) => false,
        }
    }

    fn fits(&self, seam: Seam) -> bool {
        use Seam::{Destructor, Factory, Load, OnStop, Run, ShouldLoad, Task};
        match self {
            Self::Block(_) | Self::Panic(_) => true,
            Self::Sleep(_) | Self::Hang => !matches!(seam, Factory | Destructor),
            Self::Fail(_) => !matches!(seam, Task | Destructor),
            Self::Ready | Self::Fatal(_) | Self::Spawn(_) | Self::Call(_) => {
                matches!(seam, Run | OnStop)
            }
            Self::Complete => matches!(seam, Run | OnStop | Task),
            Self::PanicInCall(_) => seam == Run,
            Self::Disable(_) => matches!(seam, ShouldLoad | Load),
            Self::Decline => seam == ShouldLoad,
            Self::IgnoreStop => matches!(seam, Run | Task),
        }
    }
}

/// What is wrong with these steps there, if anything is.
pub(super) fn nonsense(seam: Seam, steps: &[Step]) -> Option<String> {
    let mut ready = false;
    for (place, step) in steps.iter().enumerate() {
        let wrong = match step {
            _ if !step.fits(seam) => format!("{step:?} is nothing for {seam}"),
            Step::PanicInCall(_) if place > 0 => "PanicInCall comes first or not at all".to_owned(),
            Step::Ready if ready => "a run is ready once".to_owned(),
            Step::Spawn(steps) => match nonsense(Seam::Task, steps) {
                Some(wrong) => wrong,
                None => continue,
            },
            _ if step.is_last() && place + 1 < steps.len() => {
                format!("nothing comes after {step:?}, and {:?} does", steps[place + 1])
            }
            _ => {
                ready |= matches!(step, Step::Ready);
                continue;
            }
        };
        return Some(wrong);
    }
    None
}

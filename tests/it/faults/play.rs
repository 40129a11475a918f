//! One cell, played: `x` requires `base`, `top` requires `x`, `beside` and `late` have nothing to do
//! with it. The fault strikes; somebody calls; what is seen is told.
//!
//! Trap: a thread that is blocked holds its runtime's end up. So [`Release`] is dropped before that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use plux::{
    Backoff, GracePeriod, ListFinder, OnUnhealthy, PluginManager, ServiceOptions, StartTimeout,
    Supervisor,
};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::actors::{self, Actor, Cursed, Filters, Heard, Hears, Kept, Sound};
use super::curse::{Curse, Fault, Seam};
use super::tell;
use crate::kit::spawn;

/// The times, in parts of which the bounds of the table are sums.
pub(super) const DELAY: u32 = 1;
pub(super) const GRACE: u32 = 2;
pub(super) const JOIN: u32 = 3;
pub(super) const WATCHDOG: u32 = 4;
pub(super) const START: u32 = 6;

/// Who calls when the fault has struck, and is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// Nobody: `x` ran, and the shutdown tells.
    Nobody,
    StartTop,
    RestartX,
    StopX,
    WaitX,
    /// The last handle is dropped, after the shutdown; what is told is whether its thread goes on.
    Drop,
}

/// What was seen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// What the caller was told.
    pub(super) told: String,
    /// The moves of `x` from the call on, or from the fault on, until the shutdown.
    pub(super) x: String,
    /// The moves of what requires it.
    pub(super) top: String,
    /// What the report of the shutdown says of `x`.
    pub(super) report: String,
}

/// How long it took, in the parts above.
#[derive(Debug)]
pub(super) struct Took {
    pub(super) call: f64,
    pub(super) shutdown: f64,
    /// How long the others had to wait at most, of what they may.
    pub(super) others: f64,
    /// By how much a bound may be missed.
    pub(super) slack: f64,
}

/// Lets go what is blocked, whichever way the play ends.
struct Release(Arc<Curse>);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// Whether the clock must be real, because a thread is kept.
pub(super) fn is_real(seam: Seam, fault: Fault) -> bool {
    match fault {
        Fault::Blocked => !seam.is_last(),
        Fault::CallerGone => !seam.is_async(),
        _ => false,
    }
}

pub(super) fn play(seam: Seam, fault: Fault, call: Call) -> (Seen, Took) {
    let runtime = if is_real(seam, fault) { real() } else { paused() };
    let curse = Arc::new(Curse::new(seam, fault));
    let _release = Release(Arc::clone(&curse));
    let over = release_late(&curse);
    let stage = runtime.block_on(async { Stage::new(curse) });
    let seen = runtime.block_on(stage.play(call));
    drop(over);
    seen
}

/// Lets go what is blocked when the play has taken too long, and no timer of its own tells it so.
fn release_late(curse: &Arc<Curse>) -> mpsc::Sender<()> {
    let (over, in_time) = mpsc::channel();
    let release = Release(Arc::clone(curse));
    std::thread::spawn(move || {
        let _: Result<(), _> = in_time.recv_timeout(Duration::from_secs(10));
        drop(release);
    });
    over
}

fn paused() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

fn real() -> Runtime {
    Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
}

/// Everything there is in a play.
struct Stage {
    curse: Arc<Curse>,
    part: Duration,
    supervisor: Supervisor,
    heard: Heard,
    kept: Kept,
    base: Sound,
    beside: Sound,
}

impl Stage {
    fn new(curse: Arc<Curse>) -> Self {
        let (seam, fault) = (curse.seam, curse.fault);
        let part = Duration::from_millis(match (is_real(seam, fault), fault) {
            (false, _) => 1000,
            // Somebody has to act within one of the times.
            (true, Fault::CallerGone) => 80,
            (true, _) if seam == Seam::ErrorText => 80,
            // It must not miss its heartbeats before it is to.
            (true, _) if seam == Seam::Heartbeat => 40,
            (true, _) => 25,
        });
        let mut options = ServiceOptions::NONE
            .with_start_timeout(StartTimeout::Bounded(START * part))
            .with_grace_period(GracePeriod::Bounded(GRACE * part))
            .with_backoff(Backoff::constant(DELAY * part))
            .with_on_unhealthy(OnUnhealthy::Restart);
        if seam == Seam::Heartbeat {
            options = options.with_watchdog(WATCHDOG * part);
        }
        let (base, beside) = (Sound::default(), Sound::default());
        let specs = [
            base.spec("base", None),
            beside.spec("beside", None),
            Sound::default().spec("late", None),
            Sound::default().spec("top", Some("x")),
            actors::x(&curse, part / 4, options),
        ];
        let context = Cursed(Arc::clone(&curse), Seam::ContextDestructor);
        let manager = PluginManager::<dyn Actor>::builder(context)
            .finder(ListFinder::new(specs))
            .filter(Filters(Arc::clone(&curse)))
            .build();
        let (heard, kept) = (Heard::default(), Kept::default());
        let supervisor = Supervisor::builder()
            .manager(manager)
            .listener(Hears { curse: Arc::clone(&curse), kept: Arc::clone(&kept) })
            .listener(heard.clone())
            .join_timeout(JOIN * part)
            .build()
            .expect("they fit together");
        Self { curse, part, supervisor, heard, kept, base, beside }
    }

    async fn play(self, call: Call) -> (Seen, Took) {
        for name in ["base", "beside"] {
            self.supervisor.start(name).await.expect("it is sound");
        }
        self.heard().await;
        self.heard.clear();
        let first = call == Call::StartTop && self.strikes_while_starting();
        if !first {
            self.supervisor.start("top").await.expect("the fault is later");
            self.heard().await;
            self.heard.clear();
            self.curse.come();
        }
        let (told, call_took, others_at_first) = self.call(call).await;
        // What comes of it by itself.
        if !self.is_real() {
            self.pass(3 * START).await;
        }
        self.until("it stands still", || self.x_stands_still()).await;
        self.heard().await;
        let (x, top) = (self.moves("x"), self.moves("top"));
        let others = self.others_go_on().await.max(others_at_first);

        let began = Instant::now();
        let report = self.supervisor.shutdown().await.expect("nobody waits for itself");
        let shutdown = self.parts(began);
        for name in ["base", "beside", "late"] {
            assert_eq!(tell::how(&report.row(name).expect("it ran").how), "clean", "{name}");
            let state = self.supervisor.status(name).unwrap().state;
            assert_eq!(state.to_string(), "stopped (shutdown)", "{name}");
        }
        let seen = Seen { told, x, top, report: tell::reported(&report) };
        let took = Took {
            call: call_took,
            shutdown,
            others,
            slack: self.slack().as_secs_f64() / self.part.as_secs_f64(),
        };
        if call == Call::Drop {
            return (Seen { told: self.let_go().await, ..seen }, took);
        }
        assert!(self.curse.has_struck(), "nothing was wrong");
        // Whatever was held up, in the end all is heard.
        self.curse.open();
        self.until("the end is heard", || self.ends_are_heard()).await;
        (seen, took)
    }

    fn x_stands_still(&self) -> bool {
        let state = self.supervisor.status("x").unwrap().state;
        !matches!(state.word(), "starting" | "stopping" | "backoff")
    }

    fn ends_are_heard(&self) -> bool {
        let is_heard =
            |name: &&str| self.heard.of(name).pop().is_some_and(|end| end == "stopped (shutdown)");
        ["base", "beside", "late"].iter().all(is_heard)
    }

    fn strikes_while_starting(&self) -> bool {
        use Seam::*;
        matches!(
            self.curse.seam,
            FilterOfSpec | Factory | FilterOfPlugin | ShouldLoad | Load | NotReady | Listener
        )
    }

    /// Makes the call, and has the others do something meanwhile.
    async fn call(&self, call: Call) -> (String, f64, f64) {
        // Who stops it has it come to its fault; else that comes first.
        let strikes_first = !self.strikes_while_starting() && !matches!(call, Call::Drop);
        let by_call = matches!(call, Call::StopX | Call::RestartX)
            && !matches!(self.curse.seam, Seam::Ready | Seam::Task)
                | (self.curse.fault == Fault::CallerGone);
        if self.curse.seam == Seam::ErrorDestructor {
            // The run after the next drops it: until then the test has it too.
            let is_back = || {
                let status = self.supervisor.status("x").unwrap();
                status.incarnation == 2 && status.state.word() == "running"
            };
            self.until("it has failed and is back", is_back).await;
            self.heard().await;
            drop(self.kept.lock().take().expect("it was heard"));
            self.heard.clear();
        } else if strikes_first && !by_call {
            self.until("the fault strikes", || self.curse.has_struck()).await;
        }
        let mut began = Instant::now();
        let mut pending = self.spawn(call);
        let others;
        if self.curse.fault == Fault::CallerGone {
            self.until("the fault strikes", || self.curse.has_struck()).await;
            pending.abort();
            assert!(pending.await.unwrap_err().is_cancelled(), "it was answered too soon");
            began = Instant::now();
            pending = self.spawn(call);
            others = self.others_go_on().await;
            self.curse.open();
        } else {
            others = self.others_go_on().await;
        }
        let answered = timeout(self.patience(), pending).await.expect("the call is never answered");
        let (told, ended) = answered.expect("the call does not panic");
        (told, (ended - began).as_secs_f64() / self.part.as_secs_f64(), others)
    }

    fn spawn(&self, call: Call) -> JoinHandle<(String, Instant)> {
        let supervisor = self.supervisor.clone();
        spawn(async move {
            let told = match call {
                Call::Nobody | Call::Drop => String::new(),
                Call::StartTop => tell::started(supervisor.start("top").await),
                Call::RestartX => tell::restarted(supervisor.restart("x").await),
                Call::StopX => tell::stopped(supervisor.stop("x").await),
                Call::WaitX => tell::state(&supervisor.wait("x").await.unwrap()),
            };
            (told, Instant::now())
        })
    }

    /// What `x` requires, and who has nothing to do with it, notice nothing; questions and calls about
    /// others are answered at once.
    ///
    /// In so much of the time that this may take.
    async fn others_go_on(&self) -> f64 {
        let began = Instant::now();
        for (name, sound) in [("base", &self.base), ("beside", &self.beside)] {
            let before = sound.answers();
            sound.ask();
            self.until("it answers", || sound.answers() > before).await;
            let status = self.supervisor.status(name).unwrap();
            assert_eq!((status.state.to_string().as_str(), status.incarnation), ("running", 1));
        }
        self.supervisor.start("late").await.expect("it is sound");
        self.supervisor.restart("late").await.expect("it is sound");
        assert_eq!(self.supervisor.list().len(), 5);
        let took = began.elapsed();
        let at_once = if self.is_real() { Duration::from_millis(400) } else { self.slack() };
        for name in ["base", "beside"] {
            assert_eq!(self.heard.of(name), [""; 0], "{name} was disturbed");
        }
        took.as_secs_f64() / at_once.as_secs_f64()
    }

    /// What a bound may be missed by: less than any of the times but the shortest.
    fn slack(&self) -> Duration {
        if self.is_real() { Duration::from_millis(45) } else { self.part / 2 }
    }

    fn is_real(&self) -> bool {
        is_real(self.curse.seam, self.curse.fault)
    }

    fn parts(&self, since: Instant) -> f64 {
        since.elapsed().as_secs_f64() / self.part.as_secs_f64()
    }

    async fn pass(&self, parts: u32) {
        sleep(parts * self.part).await;
    }

    async fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < self.patience(), "not so: {what}");
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Bounds a hang. What is blocked is let go later than that.
    fn patience(&self) -> Duration {
        if self.is_real() { Duration::from_secs(8) } else { 10 * START * self.part }
    }

    /// Waits until the listeners have heard of all that was, unless one of them is held up.
    async fn heard(&self) {
        if self.hearing_is_held_up() {
            return;
        }
        // What is heard last was told last.
        let before = self.heard.of("late").len();
        self.supervisor.restart("late").await.expect("it is sound");
        self.until("all is heard", || {
            let heard = self.heard.of("late");
            heard.len() > before && heard.last().is_some_and(|last| last == "running")
        })
        .await;
    }

    /// Whether a listener that blocks its thread does so now.
    fn hearing_is_held_up(&self) -> bool {
        matches!(self.curse.seam, Seam::Listener | Seam::ErrorText)
            && self.curse.fault == Fault::Blocked
            && self.curse.has_struck()
            && !self.curse.is_open()
    }

    /// How it moved, as a listener heard; where that is held up, where it stands.
    fn moves(&self, name: &str) -> String {
        let stands = tell::state(&self.supervisor.status(name).unwrap().state);
        match self.heard.of(name).join(" → ") {
            _ if self.hearing_is_held_up() => format!("{stands}, which is not heard yet"),
            moves if moves.is_empty() => format!("stays {stands}"),
            moves => moves,
        }
    }

    /// Drops everything, on a thread of its own.
    async fn let_go(self) -> String {
        let Self { curse, part, supervisor, .. } = self;
        // The supervisor's own tasks let go of it first.
        sleep(part).await;
        let gone = Arc::new(AtomicBool::new(false));
        let is_gone = Arc::clone(&gone);
        let thread = std::thread::spawn(move || {
            drop(supervisor);
            is_gone.store(true, Ordering::SeqCst);
        });
        while !gone.load(Ordering::SeqCst) && !curse.has_struck() {
            std::thread::yield_now();
        }
        // Long enough to go on, if it could. A panic is printed before, which takes its time.
        let looks = if curse.fault == Fault::Blocked { 20 } else { 10_000 };
        for _ in 0..looks {
            if gone.load(Ordering::SeqCst) {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
        let told = if gone.load(Ordering::SeqCst) { "goes on" } else { "waits" };
        assert!(curse.has_struck(), "it is kept");
        curse.open();
        thread.join().expect("a destructor's panic is caught");
        told.into()
    }
}

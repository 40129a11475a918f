//! Signals, heard by a thread of its own: with every worker of the runtime blocked nothing else
//! would hear them.
//!
//! Trap: while that is so nothing else can end the process either. So the thread itself ends it when
//! a shutdown outlasts the longest time that its services were given, counted from the signal and
//! not from the moment a worker learns of it.

use std::future::pending;
use std::io;
use std::process::exit;
use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// What the deadline allows beyond the time that the services were given.
const MARGIN: Duration = Duration::from_secs(2);

/// How long a supervisor may take to end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// From the first signal on; `None` when nothing bounds it.
    pub(crate) graceful: Option<Duration>,
    /// From the second signal on.
    pub(crate) abort: Duration,
}

/// A supervisor that listens, and whether its shutdown has begun without a signal.
#[derive(Debug, Clone, Copy)]
struct Seat {
    number: u64,
    bounds: Bounds,
    begun: bool,
}

/// The process's signals, counted from the first call of [`listen`].
pub(crate) struct Signals {
    count: watch::Receiver<u32>,
    seats: watch::Sender<Vec<Seat>>,
}

/// Begins to listen, once a process.
pub(crate) fn listen() -> io::Result<&'static Signals> {
    static SIGNALS: OnceLock<Signals> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    let _starting = STARTING.lock();
    if let Some(signals) = SIGNALS.get() {
        return Ok(signals);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (counter, count) = watch::channel(0);
    let (seats, watched) = watch::channel(Vec::new());
    let (interrupt, terminate) = {
        let _entered = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let ear = Ear { interrupt, terminate, counter, seats: watched };
    thread::Builder::new()
        .name("plux-signals".to_owned())
        .spawn(move || runtime.block_on(ear.attend()))?;
    Ok(SIGNALS.get_or_init(|| Signals { count, seats }))
}

impl Signals {
    /// Waits until that many signals have come.
    pub(crate) async fn wait(&self, signals: u32) {
        let mut count = self.count.clone();
        // The sender lives as long as the process.
        let _ = count.wait_for(|count| *count >= signals).await;
    }

    /// Takes the signals for a supervisor until the guard is dropped. Past its bounds the process is
    /// ended with status 1.
    pub(crate) fn take(&'static self, bounds: Bounds) -> Taken {
        let mut number = 0;
        self.seats.send_modify(|seats| {
            number = seats.last().map_or(0, |seat| seat.number + 1);
            seats.push(Seat { number, bounds, begun: false });
        });
        Taken { signals: self, number }
    }
}

/// The signals are taken as long as this is kept.
pub(crate) struct Taken {
    signals: &'static Signals,
    number: u64,
}

impl Taken {
    /// The shutdown has begun without a signal; its time counts from now.
    pub(crate) fn begin(&self) {
        self.signals.seats.send_modify(|seats| {
            for seat in seats.iter_mut().filter(|seat| seat.number == self.number) {
                seat.begun = true;
            }
        });
    }
}

impl Taken {
    /// The supervisor may take longer now, or less.
    pub(crate) fn bound(&self, bounds: Bounds) {
        self.signals.seats.send_modify(|seats| {
            for seat in seats.iter_mut().filter(|seat| seat.number == self.number) {
                seat.bounds = bounds;
            }
        });
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.signals.seats.send_modify(|seats| seats.retain(|seat| seat.number != self.number));
    }
}

/// The thread's own state.
struct Ear {
    interrupt: Signal,
    terminate: Signal,
    counter: watch::Sender<u32>,
    seats: watch::Receiver<Vec<Seat>>,
}

impl Ear {
    async fn attend(mut self) {
        let mut ends = Ends::default();
        let mut deadline: Option<Instant> = None;
        loop {
            let over = async {
                match deadline {
                    Some(at) => sleep_until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = over => give_up(),
                _ = self.interrupt.recv() => self.heard(SignalKind::interrupt()),
                _ = self.terminate.recv() => self.heard(SignalKind::terminate()),
                // The sender lives as long as the process.
                _ = self.seats.changed() => {}
            }
            let signals = *self.counter.borrow();
            deadline = ends.look(signals, &self.seats.borrow_and_update(), Instant::now());
        }
    }

    fn heard(&self, kind: SignalKind) {
        if self.seats.borrow().is_empty() {
            // Nobody would act on it: it does what it does to any process.
            exit(128 + kind.as_raw_value());
        }
        self.counter.send_modify(|count| *count += 1);
    }
}

/// Until when each supervisor must have ended that is to end. Pure.
#[derive(Default)]
struct Ends {
    ends: FxHashMap<u64, End>,
}

#[derive(Default)]
struct End {
    stage: Stage,
    /// `None` is never.
    at: Option<Instant>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    #[default]
    Runs,
    Stops,
    Aborts,
}

impl Ends {
    /// Looks at who is there now; tells when the process is to be ended, if it is still there then:
    /// when the last one should be over, and never while one of them is to run on.
    fn look(&mut self, signals: u32, seats: &[Seat], now: Instant) -> Option<Instant> {
        self.ends.retain(|number, _| seats.iter().any(|seat| seat.number == *number));
        for seat in seats {
            let stage = match signals {
                0 if !seat.begun => Stage::Runs,
                0 | 1 => Stage::Stops,
                _ => Stage::Aborts,
            };
            self.ends.entry(seat.number).or_default().turn(stage, seat.bounds, now);
        }
        let all: Option<Vec<Instant>> = self.ends.values().map(|end| end.at).collect();
        all?.into_iter().max()
    }
}

impl End {
    /// A deadline counts from the moment its stage was reached.
    fn turn(&mut self, stage: Stage, bounds: Bounds, now: Instant) {
        let after = |time: Duration| now.checked_add(time.saturating_add(MARGIN));
        if self.stage < Stage::Stops && stage >= Stage::Stops {
            self.at = bounds.graceful.and_then(after);
        }
        if self.stage < Stage::Aborts && stage == Stage::Aborts {
            self.at = self.at.into_iter().chain(after(bounds.abort)).min();
        }
        self.stage = stage;
    }
}

/// Ends the process, and says so if that is possible: whatever blocks the workers may hold stderr
/// as well.
#[expect(clippy::print_stderr, reason = "the runtime is blocked, and with it every subscriber")]
fn give_up() {
    let (said, heard) = mpsc::channel();
    let say = move || {
        eprintln!("plux: the shutdown did not end in the time its services were given; exiting");
        // The other end is gone when this came too late.
        let _ = said.send(());
    };
    if thread::Builder::new().spawn(say).is_ok() {
        // Said or not, that is all the time there is.
        let _ = heard.recv_timeout(Duration::from_millis(100));
    }
    exit(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn seat(number: u64, graceful: u32, begun: bool) -> Seat {
        let bounds = Bounds { graceful: Some(graceful * SECOND), abort: 3 * SECOND };
        Seat { number, bounds, begun }
    }

    #[test]
    fn x08_each_deadline_counts_from_its_own_beginning() {
        let (mut ends, began) = (Ends::default(), Instant::now());
        let at = |seconds: u32| began + seconds * SECOND;
        let mut seats = [seat(0, 10, false), seat(1, 20, false)];
        assert_eq!(ends.look(0, &seats, at(0)), None);
        // One that stops by itself ends no process in which another runs on.
        seats[1].begun = true;
        assert_eq!(ends.look(0, &seats, at(1)), None);
        assert_eq!(ends.look(0, &seats[1..], at(2)), Some(at(21) + MARGIN));
        seats[0].number = 2;
        assert_eq!(ends.look(0, &seats, at(3)), None);
        // The signal comes late for the first, early for the second.
        assert_eq!(ends.look(1, &seats, at(18)), Some(at(28) + MARGIN));
        assert_eq!(ends.look(1, &seats[1..], at(19)), Some(at(21) + MARGIN));
        // The second signal sets no later one than there was.
        assert_eq!(ends.look(2, &seats[1..], at(20)), Some(at(21) + MARGIN));
        assert_eq!(ends.look(2, &[], at(20)), None);
    }

    #[test]
    fn x08_the_second_signal_bounds_what_nothing_bounded() {
        let (mut ends, began) = (Ends::default(), Instant::now());
        let bounds = Bounds { graceful: None, abort: 3 * SECOND };
        let endless = Seat { number: 0, bounds, begun: false };
        let seats = [endless, seat(1, 10, false)];
        assert_eq!(ends.look(1, &seats, began), None);
        assert_eq!(ends.look(2, &seats, began + SECOND), Some(began + 4 * SECOND + MARGIN));
    }
}

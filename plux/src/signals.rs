//! Signals, heard by a thread of its own: with every worker of the runtime blocked nothing else
//! would hear them.
//!
//! Trap: while that is so nothing else can end the process either. So the thread itself ends it when
//! a shutdown outlasts the longest time that its services were given.

use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// What the deadline allows beyond the time that the services were given.
const MARGIN: Duration = Duration::from_secs(2);

/// The process's signals, counted from the first call of [`listen`].
pub(crate) struct Signals {
    count: watch::Receiver<u32>,
    deadline: watch::Sender<Option<Instant>>,
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
    let (deadline, watched) = watch::channel(None);
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    std::thread::Builder::new().name("plux-signals".to_owned()).spawn(move || {
        runtime.block_on(async move {
            tokio::join!(
                async {
                    loop {
                        tokio::select! {
                            _ = interrupt.recv() => {}
                            _ = terminate.recv() => {}
                        }
                        counter.send_modify(|count| *count += 1);
                    }
                },
                enforce(watched),
            )
        });
    })?;
    Ok(SIGNALS.get_or_init(|| Signals { count, deadline }))
}

/// Ends the process when the deadline is over.
async fn enforce(mut watched: watch::Receiver<Option<Instant>>) {
    loop {
        let deadline = *watched.borrow_and_update();
        let Some(deadline) = deadline else {
            if watched.changed().await.is_err() {
                return;
            }
            continue;
        };
        tokio::select! {
            () = sleep_until(deadline) => exit_now(),
            changed = watched.changed() => if changed.is_err() { return },
        }
    }
}

#[expect(clippy::print_stderr, reason = "the runtime is blocked, and with it every subscriber")]
fn exit_now() {
    eprintln!("plux: the shutdown did not end in the time its services were given; exiting");
    std::process::exit(1);
}

impl Signals {
    /// Waits until that many signals have come.
    pub(crate) async fn wait(&self, signals: u32) {
        let mut count = self.count.clone();
        // The sender lives as long as the process.
        let _ = count.wait_for(|count| *count >= signals).await;
    }

    /// Has the process end with status 1 unless [`Deadline`] is dropped in time.
    pub(crate) fn bound(&self, time: Duration) -> Deadline<'_> {
        let at = Instant::now().checked_add(time.saturating_add(MARGIN));
        self.deadline.send_replace(at);
        Deadline { signals: self }
    }
}

/// Lifts the deadline when dropped.
pub(crate) struct Deadline<'a> {
    signals: &'a Signals,
}

impl Drop for Deadline<'_> {
    fn drop(&mut self) {
        self.signals.deadline.send_replace(None);
    }
}

//! Deadlines of what blocks the very worker that waits for the timers of the runtime. The clock is real here.

use std::sync::mpsc;
use std::time::Duration;

use plux::{GracePeriod, StopError};
use tokio::time::sleep;

use crate::kit::{Do, Kit, Probe};
use crate::x03_leaked::{TRIES, Unblock, completes_and_blocks, leaked, short};

/// Blocks its thread when it is dropped.
struct Blocks(Probe);

impl Drop for Blocks {
    fn drop(&mut self) {
        self.0.block();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn x03_what_blocks_when_a_deadline_aborts_it_takes_no_deadline_along() {
    let leaks = Probe::new("leaks").grace_period(GracePeriod::Bounded(Duration::from_millis(20)));
    let own = leaks.clone();
    let hangs = Do::call(move |_| {
        let blocks = Blocks(own.clone());
        async move {
            let _blocks = blocks;
            std::future::pending().await
        }
    });
    let leaks = leaks.begin([Do::Ready, hangs]);
    let _unblock = Unblock(&leaks);
    let kit = Kit::with([&leaks], short);
    kit.supervisor.start("leaks").await.unwrap();
    let _over = unblock_late(&leaks);
    let error = kit.supervisor.stop("leaks").await.unwrap_err();
    assert!(matches!(&error, StopError::Leaked { .. }), "{error}");
}

/// Blocks its thread after a timer of its own: the worker that this one has woken waits for the timers of
/// the whole runtime. It does so too when it is dropped before that.
fn blocks_after_a_timer(leaks: &Probe) -> Do {
    let own = leaks.clone();
    Do::call(move |_| {
        let own = own.clone();
        async move {
            let _blocks = Blocks(own.clone());
            sleep(Duration::from_millis(10)).await;
            own.block();
        }
    })
}

/// Lets it go when all deadlines have long been over, so that a test which waits for one fails. Nobody hears
/// what is sent from then on.
fn unblock_late(leaks: &Probe) -> mpsc::Sender<()> {
    let (over, in_time) = mpsc::channel();
    let late = leaks.clone();
    std::thread::spawn(move || {
        let _: Result<(), _> = in_time.recv_timeout(Duration::from_secs(5));
        drop(in_time);
        late.unblock();
    });
    over
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn s08_x03_a_start_that_blocks_after_a_timer_of_its_own_is_late_all_the_same() {
    for _ in 0..TRIES {
        let leaks = completes_and_blocks().start_timeout(Duration::from_millis(50));
        let leaks = leaks.clone().begin([blocks_after_a_timer(&leaks)]);
        let _unblock = Unblock(&leaks);
        let kit = Kit::with([&leaks], short);
        let over = unblock_late(&leaks);
        let error = kit.supervisor.start("leaks").await.unwrap_err();
        assert!(error.to_string().contains("was not ready within 50ms"), "{error}");
        // It may have been too late to begin.
        let has_begun = leaks.live() == 1;
        if has_begun {
            leaked(&kit.raw_state("leaks"));
        }
        assert!(over.send(()).is_ok(), "the deadline was heard of only when the thread was let go");
        if has_begun {
            return;
        }
    }
    panic!("it never begins");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn s09_x03_the_watchdog_sees_one_that_blocks_after_a_timer_of_its_own() {
    let leaks = Probe::new("leaks").grace_period(GracePeriod::Bounded(Duration::from_millis(20)));
    let leaks = leaks.options(|options| options.with_watchdog(Duration::from_millis(50)));
    let leaks = leaks.clone().begin([Do::Ready, blocks_after_a_timer(&leaks)]);
    let _unblock = Unblock(&leaks);
    let kit = Kit::with([&leaks], short);
    kit.supervisor.start("leaks").await.unwrap();
    let _over = unblock_late(&leaks);
    leaked(&kit.supervisor.wait("leaks").await.unwrap());
}

//! What COMPARE.md says of task-supervisor: two panics where a supervisor has to expect them.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use task_supervisor::{CancellationToken, SupervisedTask, SupervisorBuilder, TaskResult};
use tokio::time::{sleep, timeout};

const SECONDS_5: Duration = Duration::from_secs(5);

/// Ignores that it is cancelled, and panics when it is dropped for that.
#[derive(Clone)]
struct Stubborn;

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("in the destructor");
    }
}

impl SupervisedTask for Stubborn {
    async fn run(self, _: CancellationToken) -> TaskResult {
        let _bomb = Bomb;
        pending().await
    }
}

async fn a_panic_in_the_destructor_of_what_is_dropped() {
    let tasks = SupervisorBuilder::new().with_task("stubborn", Stubborn);
    let handle = tasks.with_stop_timeout(Duration::from_millis(100)).spawn();
    sleep(Duration::from_millis(50)).await;
    let killed = timeout(SECONDS_5, handle.kill_task("stubborn")).await;
    println!("kill_task within 5 s: {killed:?}");
    println!("its status: {:?}", handle.task_status("stubborn").await);
    println!("shutdown within 5 s: {:?}", timeout(SECONDS_5, handle.shutdown()).await);
}

static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// Waits for its end and is counted while it lives.
#[derive(Clone)]
struct Innocent;

struct Alive;

impl Drop for Alive {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

impl SupervisedTask for Innocent {
    async fn run(self, cancel: CancellationToken) -> TaskResult {
        ALIVE.fetch_add(1, Ordering::SeqCst);
        let _alive = Alive;
        cancel.cancelled().await;
        Ok(())
    }
}

/// Fails, and can be cloned only once.
struct Guilty;

impl Clone for Guilty {
    fn clone(&self) -> Self {
        static CLONES: AtomicUsize = AtomicUsize::new(0);
        assert!(CLONES.fetch_add(1, Ordering::SeqCst) == 0, "in clone");
        Self
    }
}

impl SupervisedTask for Guilty {
    async fn run(self, _: CancellationToken) -> TaskResult {
        sleep(Duration::from_millis(100)).await;
        Err("failed".into())
    }
}

async fn a_panic_in_the_clone_for_a_restart() {
    let mut tasks = SupervisorBuilder::new().with_base_restart_delay(Duration::from_millis(50));
    for name in ["a", "b", "c", "d"] {
        tasks = tasks.with_task(name, Innocent);
    }
    let handle = tasks.with_task("guilty", Guilty).spawn();
    sleep(Duration::from_millis(50)).await;
    println!("innocent tasks alive before: {}", ALIVE.load(Ordering::SeqCst));
    println!("the supervisor's end: {:?}", handle.wait().await);
    println!("innocent tasks alive after: {}", ALIVE.load(Ordering::SeqCst));
}

#[tokio::main]
async fn main() {
    a_panic_in_the_destructor_of_what_is_dropped().await;
    a_panic_in_the_clone_for_a_restart().await;
}

//! Real signals to a real process: what they begin, how it ends, and that it always does.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, timeout};

/// Longer than any of it takes, shorter than the grace periods that must not be waited for.
const AT_MOST: Duration = Duration::from_secs(30);

/// A running `plux-signalled`.
struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: Vec<String>,
}

impl Program {
    fn run(part: &str, grace_period: Duration) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_plux-signalled"))
            .arg(part)
            .arg(grace_period.as_millis().to_string())
            .env("TOKIO_WORKER_THREADS", "2")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, said: Vec::new() }
    }

    /// One that says it is up.
    async fn up(part: &str, grace_period: Duration) -> Self {
        let mut program = Self::run(part, grace_period);
        program.says("up").await;
        program
    }

    /// One whose workers are all blocked.
    async fn blocked(grace_period: Duration) -> Self {
        let mut program = Self::run("blocks-all", grace_period);
        program.says("blocked").await;
        program.says("blocked").await;
        program
    }

    /// Waits for that line.
    async fn says(&mut self, line: &str) {
        let read = async {
            while let Some(read) = self.lines.next_line().await.unwrap() {
                self.said.push(read);
                if self.said.last().is_some_and(|said| said == line) {
                    return true;
                }
            }
            false
        };
        let said = timeout(AT_MOST, read).await.is_ok_and(|said| said);
        assert!(said, "it did not say `{line}` after {:?}", self.said);
    }

    async fn signal(&self, signal: &str) {
        let Some(id) = self.child.id() else { return };
        // The shell's own, which is everywhere.
        let kill = format!("kill -{signal} {id}");
        assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
    }

    /// Its exit status, and all it said.
    async fn ends(mut self) -> (Option<i32>, Vec<String>) {
        let ends = async {
            while let Some(read) = self.lines.next_line().await.unwrap() {
                self.said.push(read);
            }
            self.child.wait().await.unwrap().code()
        };
        let code = timeout(AT_MOST, ends).await.expect("it ends");
        (code, self.said)
    }
}

#[track_caller]
fn said(said: &[String], part: &str) {
    assert!(said.iter().any(|line| line.contains(part)), "no `{part}` in {said:#?}");
}

/// Runs it with a short grace period, and asserts how it ends. On a machine that has too much to do `base`
/// may be late too, but not each time.
async fn ends_soon(part: &str, says: [&str; 2]) {
    let mut all = Vec::new();
    for _ in 0..5 {
        let program = Program::up(part, Duration::from_millis(50)).await;
        program.signal("TERM").await;
        let (code, lines) = program.ends().await;
        assert_eq!(code, Some(1), "{lines:#?}");
        if says.iter().all(|says| lines.iter().any(|line| line.contains(says))) {
            return;
        }
        all.push(lines);
    }
    panic!("no {says:?} in {all:#?}");
}

#[tokio::test]
async fn x08_the_first_signal_is_a_graceful_shutdown_and_a_clean_one_is_status_0() {
    for signal in ["TERM", "INT"] {
        let program = Program::up("serves", AT_MOST).await;
        program.signal(signal).await;
        let (code, lines) = program.ends().await;
        assert_eq!(code, Some(0), "{lines:#?}");
        said(&lines, "part: clean");
        said(&lines, "base: clean");
    }
}

#[tokio::test]
async fn x08_a_failure_before_the_shutdown_is_status_1() {
    let program = Program::up("fails-before", AT_MOST).await;
    program.signal("TERM").await;
    let (code, lines) = program.ends().await;
    assert_eq!(code, Some(1), "{lines:#?}");
    said(&lines, "part: had failed before");
}

#[tokio::test]
async fn x08_an_error_while_stopping_is_status_1() {
    let program = Program::up("fails-to-stop", AT_MOST).await;
    program.signal("TERM").await;
    let (code, lines) = program.ends().await;
    assert_eq!(code, Some(1), "{lines:#?}");
    said(&lines, "part: error: on purpose");
}

#[tokio::test]
async fn x08_an_abort_is_status_1() {
    ends_soon("ignores", ["part: aborted", "base: clean"]).await;
}

#[tokio::test]
async fn x08_a_leaked_thread_is_status_1_and_does_not_keep_the_process() {
    ends_soon("blocks", ["part: leaked", "base: clean"]).await;
}

#[tokio::test]
async fn x08_the_second_signal_aborts_everything_at_once() {
    let mut program = Program::up("ignores", 10 * AT_MOST).await;
    program.signal("INT").await;
    program.says("stopping").await;
    program.signal("TERM").await;
    let (code, lines) = program.ends().await;
    assert_eq!(code, Some(1), "{lines:#?}");
    said(&lines, "part: aborted");
    // In no order: it was not asked first.
    said(&lines, "base: aborted");
}

#[tokio::test]
async fn x08_a_signal_during_a_start_cancels_it() {
    let mut program = Program::run("hangs", AT_MOST);
    program.says("starting").await;
    program.signal("TERM").await;
    let (code, lines) = program.ends().await;
    assert_eq!(code, Some(0), "{lines:#?}");
    said(&lines, "`part` was stopped while it was starting");
    said(&lines, "part: clean");
}

#[tokio::test]
async fn x08_a_shutdown_from_within_ends_the_run_too() {
    let program = Program::run("shuts-down", AT_MOST);
    let (code, lines) = program.ends().await;
    assert_eq!(code, Some(0), "{lines:#?}");
    said(&lines, "part: clean");
}

#[tokio::test]
async fn x08_a_signal_that_nobody_waits_for_ends_the_process() {
    for (signal, status) in [("TERM", 143), ("INT", 130)] {
        let mut program = Program::run("lingers", AT_MOST);
        program.says("over").await;
        program.signal(signal).await;
        let (code, lines) = program.ends().await;
        assert_eq!(code, Some(status), "{lines:#?}");
    }
}

#[tokio::test]
async fn x08_with_every_worker_blocked_the_process_ends_within_its_bounds() {
    let program = Program::blocked(Duration::from_millis(50)).await;
    program.signal("TERM").await;
    let signalled = Instant::now();
    let (code, lines) = program.ends().await;
    assert_eq!(code, Some(1), "{lines:#?}");
    let took = signalled.elapsed();
    assert!(took > Duration::from_secs(2) && took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn x08_with_every_worker_blocked_a_shutdown_without_a_signal_ends_within_its_bounds_too() {
    let mut program = Program::run("shuts-down-and-blocks", Duration::from_millis(50));
    program.says("stopping").await;
    let began = Instant::now();
    let (code, lines) = program.ends().await;
    assert_eq!(code, Some(1), "{lines:#?}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn x08_with_every_worker_blocked_the_second_signal_needs_no_grace() {
    let mut program = Program::blocked(10 * AT_MOST).await;
    // Two that come at the same moment are one, and nothing says that the first was heard.
    let ends = async {
        loop {
            program.signal("TERM").await;
            if let Ok(ended) = timeout(Duration::from_millis(300), program.child.wait()).await {
                return ended.unwrap().code();
            }
        }
    };
    assert_eq!(timeout(AT_MOST, ends).await.expect("it ends"), Some(1));
}

#[tokio::test]
async fn x08_main_turns_its_output_into_the_status() {
    for (part, status) in [("nobody", 1), ("panics", 70)] {
        let (code, _) = Program::run(part, AT_MOST).ends().await;
        assert_eq!(code, Some(status), "{part}");
    }
}

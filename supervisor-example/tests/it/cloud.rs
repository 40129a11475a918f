//! One started binary: its address, its log, its end, and the clients that talk to it.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use s3::creds::Credentials;
use s3::error::S3Error;
use s3::{Bucket, BucketConfiguration, Region};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// Bounds a hang.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// How long to wait before looking again.
const LOOK: Duration = Duration::from_millis(10);

/// The output of `future`, which must not hang.
pub(crate) async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match timeout(DEADLINE, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what} hangs"),
    }
}

/// Looks again and again until there is something to see.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    within(what, async {
        loop {
            match look().await {
                Some(seen) => return seen,
                None => sleep(LOOK).await,
            }
        }
    })
    .await
}

/// The binary, in an environment that says nothing.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_supervisor-example"));
    let foreign = std::env::vars_os().map(|(name, _)| name).filter(|name| {
        let name = name.to_string_lossy();
        name.starts_with("PLUX_") || name.contains("SERVICE") || name == "RUST_LOG"
    });
    for name in foreign {
        command.env_remove(name);
    }
    command.kill_on_drop(true).stdin(Stdio::null());
    command
}

/// A folder with the data of a cloud and the log of its last process.
pub(crate) struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        // A client that tries again would hide what it was answered first.
        s3::set_retries(0);
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The command that serves this data on a free port.
    pub(crate) fn command(&self, flags: &[&str]) -> Command {
        self.command_at("127.0.0.1:0", flags)
    }

    pub(crate) fn command_at(&self, address: &str, flags: &[&str]) -> Command {
        let mut command = command();
        command.args(["serve", "--gateway", address, "--data-dir"]).arg(self.data());
        command.args(flags);
        command
    }

    /// Starts a process and waits until it has printed where it listens.
    pub(crate) async fn serve(&self, flags: &[&str]) -> Cloud {
        self.spawn(self.command(flags)).await
    }

    pub(crate) async fn spawn(&self, mut command: Command) -> Cloud {
        let stderr = File::create(self.log_file()).expect("a log");
        let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().expect("a process");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let line = within("the start", lines.next_line()).await.expect("text");
        let Some(line) = line else { panic!("no address; log:\n{}", self.log()) };
        let address = line.parse().expect("the only line is the address");
        Cloud { child, address }
    }

    /// What the last process has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).expect("a log")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

/// A process that serves. It is killed when this is dropped.
pub(crate) struct Cloud {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Cloud {
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("nobody has waited for it")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let process = i32::try_from(self.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(process, signal).expect("it runs");
    }

    /// Waits for the end of the process.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        within("the end of the process", self.child.wait()).await.expect("a status")
    }

    /// Ends the process as a user would, and says what it exits with.
    pub(crate) async fn stop(self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.ended().await.code()
    }

    /// Ends the process as a power switch would.
    pub(crate) async fn kill(self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }

    /// A request by hand, to be filled in.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        client().request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str) -> (u16, Value) {
        answer(self.request(Method::POST, path)).await
    }

    /// The health of one service.
    pub(crate) async fn health(&self, service: &str) -> String {
        let (status, health) = self.get("/_plux/health").await;
        assert_eq!(status, 200);
        health["services"][service].as_str().expect("a known service").to_owned()
    }

    /// The number of a service's newest run.
    pub(crate) async fn incarnation(&self, service: &str) -> u64 {
        let (_, list) = self.get("/_plux/services").await;
        let list = list["services"].as_array().expect("a list").clone();
        let found = list.iter().find(|row| row["name"] == service).expect("a known service");
        found["incarnation"].as_u64().expect("a number")
    }

    /// A bucket that may or may not be there.
    pub(crate) fn bucket(&self, name: &str) -> Box<Bucket> {
        self.bucket_as(name, "test", "test")
    }

    pub(crate) fn bucket_as(&self, name: &str, key: &str, secret: &str) -> Box<Bucket> {
        Bucket::new(name, self.region(), credentials(key, secret))
            .expect("a bucket")
            .with_path_style()
    }

    pub(crate) async fn create_bucket(&self, name: &str) -> Result<Box<Bucket>, S3Error> {
        let configuration = BucketConfiguration::default();
        let created = Bucket::create_with_path_style(
            name,
            self.region(),
            credentials("test", "test"),
            configuration,
        );
        within("the creation of a bucket", created).await?;
        Ok(self.bucket(name))
    }

    pub(crate) fn region(&self) -> Region {
        let endpoint = format!("http://{}", self.address);
        Region::Custom { region: "us-east-1".to_owned(), endpoint }
    }
}

pub(crate) fn credentials(key: &str, secret: &str) -> Credentials {
    Credentials::new(Some(key), Some(secret), None, None, None).expect("credentials")
}

/// A client that makes a connection for each request: one that it kept could be closed by a stop.
pub(crate) fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
    builder.timeout(DEADLINE).build().expect("a client")
}

/// Status and JSON.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    (status, response.json().await.expect("JSON"))
}

/// The status and the code of an error that S3 answered with.
pub(crate) fn refusal<T>(result: Result<T, S3Error>) -> (u16, String) {
    match result {
        Err(S3Error::HttpFailWithBody(status, body)) => {
            let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
            (status, code.map(|(code, _)| code.to_owned()).unwrap_or(body))
        }
        Err(other) => panic!("no answer of S3: {other}"),
        Ok(_) => panic!("it is not refused"),
    }
}

/// Bytes that differ everywhere and are the same in every run.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

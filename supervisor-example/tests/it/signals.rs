//! What signals do while an upload is under way: finish it, or end it when there is no more time.

use std::io;
use std::time::Duration;

use rustix::process::Signal;
use s3::Bucket;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::cloud::{Cloud, Home, noise, refusal, until, within};

/// How an upload is throttled: one chunk in this time.
const PACE: Duration = Duration::from_millis(100);
const CHUNK: usize = 16 << 10;
/// How many chunks go before the signal.
const FIRST: u64 = 5;

/// An upload whose bytes go out when the test says so.
struct Upload {
    socket: TcpStream,
}

impl Upload {
    /// Sends the head of a request to put that many chunks.
    async fn begin(bucket: &Bucket, cloud: &Cloud, key: &str, chunks: u64) -> Self {
        let url = bucket.presign_put(key, 600, None, None).await.expect("a URL");
        let path = &url[url.find("/throttled/").expect("the bucket")..];
        let (host, length) = (cloud.address, chunks * CHUNK as u64);
        let head =
            format!("PUT {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n");
        let mut socket = TcpStream::connect(cloud.address).await.expect("a connection");
        socket.write_all(head.as_bytes()).await.expect("the head is sent");
        Self { socket }
    }

    /// Sends one chunk, after the time it is to take.
    async fn send(&mut self, number: u64) -> io::Result<()> {
        sleep(PACE).await;
        self.socket.write_all(&chunk(number)).await
    }

    /// Sends chunks until the other side closes the connection. Returns what it said before.
    async fn send_until_cut(&mut self) -> String {
        let mut answer = Vec::new();
        within("the cut", async {
            for number in FIRST.. {
                let cut = match self.socket.try_read_buf(&mut answer) {
                    Ok(read) => read == 0,
                    Err(error) => error.kind() != io::ErrorKind::WouldBlock,
                };
                if cut || self.send(number).await.is_err() {
                    return;
                }
            }
        })
        .await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

fn chunk(number: u64) -> Vec<u8> {
    noise(number, CHUNK)
}

/// A cloud that has begun to take an upload of `chunks` and has been sent the first of them.
async fn uploading(home: &Home, flags: &[&str], chunks: u64) -> (Cloud, Upload) {
    let cloud = home.serve(flags).await;
    let bucket = cloud.create_bucket("throttled").await.expect("a bucket");
    bucket.put_object("k", b"before").await.expect("put");
    let mut upload = Upload::begin(&bucket, &cloud, "k", chunks).await;
    for number in 0..FIRST {
        upload.send(number).await.expect("it is taken");
    }
    (cloud, upload)
}

/// Waits until the gateway takes no new connections, so the signal has been heard.
async fn draining(cloud: &Cloud) {
    until("the drain", async || TcpStream::connect(cloud.address).await.is_err().then_some(()))
        .await;
}

#[tokio::test]
async fn x01_x02_x08_an_upload_under_way_is_finished_after_the_signal() {
    let home = Home::new();
    let (cloud, mut upload) = uploading(&home, &[], 25).await;
    let signalled = Instant::now();
    cloud.signal(Signal::TERM);
    draining(&cloud).await;
    for number in FIRST..25 {
        upload.send(number).await.expect("it is still taken");
    }
    assert!(signalled.elapsed() >= Duration::from_secs(2), "two seconds lie after the signal");
    let mut answer = String::new();
    within("the answer", upload.socket.read_to_string(&mut answer)).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(cloud.ended().await.code(), Some(0));
    let log = home.log();
    assert!(log.contains("gateway: clean") && log.contains("s3: clean"), "{log}");

    let cloud = home.serve(&[]).await;
    let got = cloud.bucket("throttled").get_object("k").await.expect("get");
    let content: Vec<u8> = (0..25).flat_map(chunk).collect();
    assert!(got.as_slice() == content, "the bytes differ");
}

#[tokio::test]
async fn x01_x08_an_upload_that_outlasts_the_grace_period_is_cut() {
    let home = Home::new();
    let (cloud, mut upload) = uploading(&home, &["--grace-period", "1"], 1_000_000).await;
    let signalled = Instant::now();
    cloud.signal(Signal::TERM);
    assert_eq!(upload.send_until_cut().await, "", "the socket is cut");
    assert!(signalled.elapsed() >= Duration::from_secs(1), "it was given its time");
    assert_eq!(cloud.ended().await.code(), Some(1));
    let log = home.log();
    assert!(log.contains("gateway: aborted"), "{log}");

    let cloud = home.serve(&[]).await;
    let got = cloud.bucket("throttled").get_object("k").await.expect("get");
    assert_eq!(got.as_slice(), b"before", "half an upload replaces nothing");
}

#[tokio::test]
async fn x08_a_second_signal_ends_everything_at_once() {
    for (first, second) in [(Signal::TERM, Signal::TERM), (Signal::INT, Signal::TERM)] {
        let home = Home::new();
        // So long that only the second signal can end it in time.
        let (cloud, mut upload) = uploading(&home, &["--grace-period", "3600"], 1_000_000).await;
        cloud.signal(first);
        draining(&cloud).await;
        upload.send(FIRST).await.expect("it is still taken");
        cloud.signal(second);
        // In no order: the gateway may still say that s3 has gone.
        let answer = upload.send_until_cut().await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert_eq!(cloud.ended().await.code(), Some(1));
    }
}

#[tokio::test]
async fn x08_an_idle_connection_holds_nothing_up() {
    let home = Home::new();
    let cloud = home.serve(&["--grace-period", "3600"]).await;
    let mut idle = TcpStream::connect(cloud.address).await.expect("a connection");
    idle.write_all(b"GET /_plux/health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("sent");
    let mut answer = vec![0; 12];
    within("the answer", idle.read_exact(&mut answer)).await.expect("an answer");
    assert_eq!(answer, b"HTTP/1.1 200");
    let silent = TcpStream::connect(cloud.address).await.expect("a connection");
    cloud.signal(Signal::INT);
    let mut rest = Vec::new();
    within("the end of the connection", idle.read_to_end(&mut rest)).await.expect("the rest");
    assert_eq!(cloud.ended().await.code(), Some(0));
    drop(silent);
}

#[tokio::test]
async fn x08_half_a_request_holds_nothing_up() {
    let home = Home::new();
    let cloud = home.serve(&["--grace-period", "3600"]).await;
    let mut slow = TcpStream::connect(cloud.address).await.expect("a connection");
    slow.write_all(b"GET /_plux/health HTTP/1.1\r\nhost: loc").await.expect("sent");
    // Answered after the gateway has taken the other connection on.
    assert_eq!(cloud.health("gateway").await, "running");
    assert_eq!(cloud.stop().await, Some(0));
    drop(slow);
}

#[tokio::test]
async fn x01_a_download_under_way_is_finished_before_its_service_stops() {
    let home = Home::new();
    let cloud = home.serve(&["--grace-period", "3600"]).await;
    let bucket = cloud.create_bucket("slow").await.expect("a bucket");
    // More than the sockets between the two take on.
    let content = noise(1, 32 << 20);
    bucket.put_object("k", &content).await.expect("put");
    let url = bucket.presign_get("k", 600, None).await.expect("a URL");
    let path = &url[url.find("/slow/").expect("the bucket")..];
    let head =
        format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", cloud.address);
    let mut download = TcpStream::connect(cloud.address).await.expect("a connection");
    download.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = vec![0; 12];
    within("the answer", download.read_exact(&mut answer)).await.expect("an answer");
    assert_eq!(answer, b"HTTP/1.1 200");

    let reading = async {
        let stopping = async || (cloud.health("s3").await == "stopping").then_some(());
        until("the stop", stopping).await;
        within("the download", download.read_to_end(&mut answer)).await.expect("the rest");
    };
    let ((status, stopped), ()) = futures::join!(cloud.post("/_plux/services/s3/stop"), reading);
    assert_eq!((status, stopped["outcome"].as_str()), (200, Some("stopped")));
    assert!(answer.ends_with(&content), "the bytes differ");
    assert_eq!(cloud.stop().await, Some(0));
}

#[tokio::test]
async fn what_is_missing_after_a_cut_stays_missing() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    let bucket = cloud.create_bucket("throttled").await.expect("a bucket");
    let mut upload = Upload::begin(&bucket, &cloud, "new", 2).await;
    upload.send(0).await.expect("it is taken");
    drop(upload);
    assert_eq!(refusal(bucket.get_object("new").await), (404, "NoSuchKey".to_owned()));
    assert_eq!(cloud.stop().await, Some(0));
}

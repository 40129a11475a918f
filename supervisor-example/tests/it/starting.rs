//! When services start: at their first request and once, again after a stop, or all at once.

use futures::future::join_all;
use s3::Bucket;

use crate::cloud::{Cloud, Home, credentials, until, within};

async fn list(cloud: &Cloud) -> usize {
    let buckets = Bucket::list_buckets(cloud.region(), credentials("test", "test"));
    within("a list", buckets).await.expect("a list").bucket_names().count()
}

/// How often the log says this of S3.
fn count(log: &str, message: &str) -> usize {
    let lines = log.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line"));
    let is = |line: &serde_json::Value| {
        line["id"] == "aws.services:s3" && line["message"].as_str() == Some(message)
    };
    lines.filter(is).count()
}

#[tokio::test]
async fn s02_a_service_starts_on_its_first_request_and_by_that_alone() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    assert_eq!(cloud.health("s3").await, "available");
    assert_eq!(cloud.health("gateway").await, "running");
    assert_eq!(cloud.health("s3").await, "available", "asking for the health starts nothing");
    assert_eq!(list(&cloud).await, 0);
    assert_eq!(cloud.health("s3").await, "running");
    assert_eq!(cloud.stop().await, Some(0));
}

#[tokio::test]
async fn s02_c01_p15_a_hundred_first_requests_at_once_share_one_start() {
    let home = Home::new();
    let cloud = home.serve(&["--log-format", "json"]).await;
    let lists = join_all((0..100).map(|_| list(&cloud))).await;
    assert_eq!(lists, [0; 100]);
    assert_eq!(cloud.incarnation("s3").await, 1);
    until("the news of the load", async || (count(&home.log(), "loaded") > 0).then_some(())).await;
    assert_eq!(cloud.stop().await, Some(0));
    let log = home.log();
    assert_eq!(count(&log, "loaded"), 1, "{log}");
    assert_eq!(count(&log, "running"), 1, "{log}");
}

#[tokio::test]
async fn s01_c03_a_service_that_is_slow_to_start_is_starting_and_its_requests_wait() {
    let home = Home::new();
    // What s3 reads when it opens: a pipe, which lasts until somebody writes.
    let records = home.data().join("s3/.commits");
    std::fs::create_dir_all(&records).expect("a folder");
    let pipe = records.join("slow.json");
    let made = within("mkfifo", tokio::process::Command::new("mkfifo").arg(&pipe).status()).await;
    assert!(made.expect("its end").success());
    let cloud = home.serve(&[]).await;
    let opened = async {
        let starting = async || (cloud.health("s3").await == "starting").then_some(());
        until("the start", starting).await;
        assert_eq!(cloud.health("storage").await, "running");
        drop(within("the pipe", tokio::fs::File::options().write(true).open(&pipe)).await);
    };
    let (buckets, ()) = futures::join!(list(&cloud), opened);
    assert_eq!(buckets, 0);
    assert_eq!(cloud.incarnation("s3").await, 1);
    assert_eq!(cloud.stop().await, Some(0));
}

#[tokio::test]
async fn s06_a_stopped_service_starts_again_with_the_next_request() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    let bucket = cloud.create_bucket("kept").await.expect("a bucket");
    bucket.put_object("k", b"content").await.expect("put");

    let (status, stopped) = cloud.post("/_plux/services/s3/stop").await;
    assert_eq!((status, stopped["outcome"].as_str()), (200, Some("stopped")));
    assert_eq!(cloud.health("s3").await, "stopped");
    assert_eq!(bucket.get_object("k").await.expect("get").as_slice(), b"content");
    assert_eq!(cloud.incarnation("s3").await, 2);

    let (status, restarted) = cloud.post("/_plux/services/s3/restart").await;
    assert_eq!((status, restarted["outcome"].as_str()), (200, Some("restarted")));
    assert_eq!(cloud.incarnation("s3").await, 3);
    assert_eq!(bucket.get_object("k").await.expect("get").as_slice(), b"content");
    assert_eq!(cloud.incarnation("s3").await, 3);
}

#[tokio::test]
async fn c05_no_request_is_lost_while_its_service_is_restarted() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    let bucket = cloud.create_bucket("kept").await.expect("a bucket");
    let puts = async {
        for n in 0..60 {
            let put = bucket.put_object(format!("{n}"), b"x").await.expect("put");
            assert_eq!(put.status_code(), 200);
        }
    };
    let restarts = async {
        for _ in 0..5 {
            assert_eq!(cloud.post("/_plux/services/s3/restart").await.0, 200);
        }
    };
    futures::join!(puts, restarts);
    assert_eq!(cloud.incarnation("s3").await, 6);
}

#[tokio::test]
async fn x02_a_stop_of_the_data_directory_stops_s3_first_and_a_request_brings_both_back() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    assert_eq!(list(&cloud).await, 0);
    let (status, stopped) = cloud.post("/_plux/services/storage/stop").await;
    assert_eq!(status, 200);
    let mut names: Vec<&str> =
        stopped["stopped"].as_array().expect("names").iter().filter_map(|n| n.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["s3", "storage"]);
    assert_eq!(cloud.health("s3").await, "stopped");
    assert_eq!(list(&cloud).await, 0);
    assert_eq!(cloud.health("storage").await, "running");
}

#[tokio::test]
async fn eager_starts_all_that_is_enabled() {
    let home = Home::new();
    let cloud = home.serve(&["--eager"]).await;
    until("s3", async || (cloud.health("s3").await == "running").then_some(())).await;
    assert_eq!(cloud.stop().await, Some(0));

    let cloud = home.serve(&["--eager", "--services", "sqs"]).await;
    // The gateway may answer before the attempt has found that out.
    until("s3", async || (cloud.health("s3").await == "disabled").then_some(())).await;
    assert_eq!(cloud.stop().await, Some(0), "what is disabled is no failure");
}

#[tokio::test]
async fn a_second_process_on_a_data_directory_is_told_who_holds_it() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    let second = within("the second process", home.command(&[]).output()).await.expect("its end");
    let message = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{message}");
    assert!(second.stdout.is_empty(), "it never listened");
    assert!(message.contains(&home.data().display().to_string()), "{message}");
    assert!(message.contains(&format!("process {} ", cloud.id())), "{message}");
    assert_eq!(list(&cloud).await, 0, "the first one is not disturbed");

    cloud.kill().await;
    let third = home.serve(&[]).await;
    assert_eq!(third.stop().await, Some(0), "the lock of a killed process is free");
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_and_ends_the_process() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    let other = Home::new();
    let address = cloud.address.to_string();
    for flags in [&[][..], &["--log-format", "json"]] {
        let mut second = other.command_at(&address, flags);
        let second = within("the second process", second.output()).await.expect("its end");
        let message = String::from_utf8_lossy(&second.stderr);
        assert_eq!(second.status.code(), Some(1), "{message}");
        let last = message.lines().last().expect("a reason");
        assert!(last.contains(&address), "{message}");
        for line in message.lines().filter(|_| !flags.is_empty()) {
            serde_json::from_str::<serde_json::Value>(line).expect("a JSON object a line");
        }
    }
}

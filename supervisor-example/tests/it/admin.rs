//! `/_plux`: what it answers, to whom, and what the gateway does to itself.

use reqwest::Method;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cloud::{Home, answer, until, within};

#[tokio::test]
async fn health_and_services_say_how_everything_is() {
    let home = Home::new();
    let cloud = home.serve(&["--services", "sqs"]).await;
    let (_, health) = cloud.get("/_plux/health").await;
    let expected = serde_json::json!({
        "services": { "gateway": "running", "s3": "disabled", "storage": "running" }
    });
    assert_eq!(health, expected);

    let (status, list) = cloud.get("/_plux/services").await;
    assert_eq!(status, 200);
    let rows = list["services"].as_array().expect("a list");
    let s3 = rows.iter().find(|row| row["name"] == "s3").expect("s3");
    assert_eq!((&s3["namespace"], &s3["health"]), (&"aws.services".into(), &"disabled".into()));
    assert!(s3["origin"].as_str().expect("text").starts_with("supervisor-example/src/s3/mod.rs:"));
}

#[tokio::test]
async fn s02_s05_start_and_stop_answer_with_the_outcome() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    let outcomes = [
        ("stop", "not running", "available"),
        ("start", "started", "running"),
        ("start", "already running", "running"),
        ("restart", "restarted", "running"),
        ("stop", "stopped", "stopped"),
        ("stop", "not running", "stopped"),
        ("restart", "restarted", "running"),
    ];
    for (verb, outcome, health) in outcomes {
        let (status, answer) = cloud.post(&format!("/_plux/services/s3/{verb}")).await;
        assert_eq!((status, &answer["service"]), (200, &"s3".into()), "{verb}: {answer}");
        assert_eq!(answer["outcome"], outcome, "{verb}: {answer}");
        assert_eq!(cloud.health("s3").await, health, "{verb}");
    }
    let (_, restarted) = cloud.post("/_plux/services/storage/restart").await;
    assert_eq!(restarted["dependents"], serde_json::json!(["s3"]));
    until("s3", async || (cloud.health("s3").await == "running").then_some(())).await;
}

#[tokio::test]
async fn p08_an_unknown_service_is_answered_with_near_names() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    for verb in ["start", "stop", "restart"] {
        let (status, refused) = cloud.post(&format!("/_plux/services/storages/{verb}")).await;
        assert_eq!(status, 404, "{verb}: {refused}");
        assert_eq!(refused["near"], serde_json::json!(["storage"]), "{verb}: {refused}");
        assert!(refused["error"].as_str().expect("text").contains("`storages`"), "{refused}");
    }
    let (status, refused) = cloud.post("/_plux/services/unlike-any/start").await;
    assert_eq!((status, &refused["near"]), (404, &serde_json::json!([])));
}

#[tokio::test]
async fn p13_what_the_state_forbids_is_refused_with_the_reason() {
    let home = Home::new();
    let cloud = home.serve(&["--services", "sqs"]).await;
    for verb in ["start", "restart"] {
        let (status, refused) = cloud.post(&format!("/_plux/services/s3/{verb}")).await;
        assert_eq!(status, 409, "{verb}: {refused}");
        assert!(refused["error"].as_str().expect("text").contains("is disabled"), "{refused}");
    }
    assert_eq!(cloud.stop().await, Some(0));
}

#[tokio::test]
async fn what_is_not_there_and_the_wrong_method_are_told_apart() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    let there = ["/_plux", "/_plux/", "/_plux/none", "/_plux/services/s3/kill", "/_plux/health/x"];
    for path in there {
        assert_eq!(cloud.get(path).await.0, 404, "{path}");
        assert_eq!(cloud.post(path).await.0, 404, "{path}");
    }
    let response = cloud.request(Method::POST, "/_plux/health").send().await.expect("an answer");
    assert_eq!(
        (response.status().as_u16(), &response.headers()["allow"]),
        (405, &"GET".parse().expect("a value"))
    );
    let response = cloud.request(Method::GET, "/_plux/services/s3/start").send().await;
    let response = response.expect("an answer");
    assert_eq!(
        (response.status().as_u16(), &response.headers()["allow"]),
        (405, &"POST".parse().expect("a value"))
    );
    assert_eq!(cloud.health("s3").await, "available", "none of it started anything");
}

#[tokio::test]
async fn foreign_hosts_and_origins_are_refused() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    let own = format!("http://{}", cloud.address);
    for (header, value, status) in [
        ("host", "evil.example", 403),
        ("host", "127.0.0.1.evil.example", 403),
        ("origin", "http://evil.example", 403),
        ("origin", "null", 403),
        ("origin", own.as_str(), 200),
    ] {
        let request = cloud.request(Method::GET, "/_plux/health").header(header, value);
        assert_eq!(answer(request).await.0, status, "{header}: {value}");
        let request = cloud.request(Method::POST, "/_plux/services/s3/stop").header(header, value);
        assert_eq!(answer(request).await.0, status, "{header}: {value}");
    }
}

#[tokio::test]
async fn a_client_that_has_closed_its_own_side_is_answered() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    for path in ["/_plux/health", "/bucket/key"] {
        let mut client = TcpStream::connect(cloud.address).await.expect("a connection");
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        client.write_all(request.as_bytes()).await.expect("sent");
        client.shutdown().await.expect("closed for writing");
        let mut answer = String::new();
        within("the answer", client.read_to_string(&mut answer)).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 "), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn the_gateway_outlives_a_lack_of_sockets() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    let process = i32::try_from(cloud.id()).ok().and_then(Pid::from_raw);
    let few = Rlimit { current: Some(32), maximum: Some(32) };
    prlimit(process, Resource::Nofile, few).expect("it runs");
    let mut clients = Vec::new();
    for _ in 0..64 {
        clients.push(TcpStream::connect(cloud.address).await.expect("a connection"));
    }
    let logged = async || home.log().contains("was not accepted").then_some(());
    until("the lack", logged).await;
    drop(clients);
    assert_eq!(cloud.health("gateway").await, "running");
    assert_eq!(cloud.incarnation("gateway").await, 1);
    assert_eq!(cloud.stop().await, Some(0));
}

#[tokio::test]
async fn the_gateway_restarts_through_itself_and_keeps_its_port() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    let (status, accepted) = cloud.post("/_plux/services/gateway/restart").await;
    assert_eq!((status, accepted["outcome"].as_str()), (202, Some("accepted")));
    until("the next run", async || {
        // Between the two nobody listens.
        let list = cloud.request(Method::GET, "/_plux/services").send().await.ok()?;
        let list: serde_json::Value = list.json().await.ok()?;
        let rows = list["services"].as_array()?;
        let own = rows.iter().find(|row| row["name"] == "gateway")?;
        (own["incarnation"] == 2 && own["health"] == "running").then_some(())
    })
    .await;
    assert_eq!(cloud.stop().await, Some(0));
}

#[tokio::test]
async fn the_gateway_stops_through_itself_and_the_process_can_still_be_ended() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    let (status, accepted) = cloud.post("/_plux/services/gateway/stop").await;
    assert_eq!((status, accepted["outcome"].as_str()), (202, Some("accepted")));
    until("the end of the gateway", async || {
        let health = cloud.request(Method::GET, "/_plux/health").send().await;
        health.is_err().then_some(())
    })
    .await;
    assert_eq!(cloud.stop().await, Some(0));
}

//! The command line: what is printed where, and what the process exits with.

use std::io;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::cloud::{Home, command, until, within};

async fn run(arguments: &[&str]) -> Output {
    within("the command", command().args(arguments).output()).await.expect("its end")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn p03_list_shows_plugins_with_origin_and_dependencies() {
    let table = run(&["list"]).await;
    assert_eq!(table.status.code(), Some(0));
    let table = text(&table.stdout);
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect())
        .collect();
    assert_eq!(rows[0], ["NAMESPACE", "NAME", "ORIGIN", "DEPENDENCIES"]);
    assert_eq!(rows[1][..2], ["aws.services", "s3"]);
    assert!(rows[1][2].starts_with("supervisor-example/src/s3/mod.rs:"), "{table}");
    assert_eq!(rows[1][3], "requires cloud.services:storage");
    assert_eq!(rows[2][..2], ["cloud.services", "gateway"]);
    assert_eq!(rows[2][3], "after aws.services:s3");
    assert_eq!(rows[3][..2], ["cloud.services", "storage"]);

    let list = run(&["list", "--format", "json"]).await;
    let list: Value = serde_json::from_slice(&list.stdout).expect("JSON");
    let s3 = &list[0];
    assert_eq!((&s3["namespace"], &s3["name"]), (&json!("aws.services"), &json!("s3")));
    assert_eq!(s3["requires"], json!(["cloud.services:storage"]));
    assert_eq!(s3["origin"]["package"], "supervisor-example");
    assert_eq!(s3["origin"]["module"], "supervisor_example::s3");
    assert!(s3["origin"]["line"].as_u64().is_some_and(|line| line > 0));
    assert_eq!(list[1]["after"], json!(["aws.services:s3"]));
    assert_eq!(list[2]["requires"], json!([]));
}

#[tokio::test]
async fn wrong_arguments_exit_with_2_and_say_why() {
    for (arguments, why) in [
        (&["serve", "--no-such-flag"][..], "--no-such-flag"),
        (&["serve", "--gateway", "nowhere"], "nowhere"),
        (&["serve", "--log-format", "xml"], "xml"),
        (&["serve", "--grace-period=-1"], "--grace-period"),
        (&["serve", "--services", "s3,dynamdb"], "did you mean `dynamodb`?"),
        (&["list", "--format", "yaml"], "yaml"),
        (&["no-such-command"], "no-such-command"),
        (&[], "Usage"),
    ] {
        let output = run(arguments).await;
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(message.contains(why), "{arguments:?}: {message}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(run(&["--help"]).await.status.code(), Some(0));
}

#[tokio::test]
async fn the_environment_sets_what_no_flag_sets() {
    let home = Home::new();
    let mut command = home.command(&[]);
    let cloud = {
        command.env("SERVICES", "sqs, dynamodb");
        home.spawn(command).await
    };
    assert_eq!(cloud.health("s3").await, "disabled");
    assert_eq!(cloud.stop().await, Some(0));

    let mut command = home.command(&["--services", "s3"]);
    command.env("SERVICES", "sqs").env("EAGER_SERVICE_LOADING", "1");
    let cloud = home.spawn(command).await;
    until("s3", async || (cloud.health("s3").await == "running").then_some(())).await;
    assert_eq!(cloud.stop().await, Some(0));

    let mut command = home.command(&[]);
    let output = within("the command", command.env("SERVICES", "s4").output()).await;
    let output = output.expect("its end");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("did you mean `s3`?"), "{}", text(&output.stderr));
}

#[tokio::test]
async fn the_log_is_text_or_json_and_stdout_has_the_address_alone() {
    let home = Home::new();
    let cloud = home.serve(&["--log-format", "json"]).await;
    cloud.bucket("none").get_object("none").await.expect_err("there is none");
    assert_eq!(cloud.stop().await, Some(0));
    let log = home.log();
    assert!(log.lines().count() > 3, "{log}");
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).expect("a JSON object a line");
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
        assert_ne!(line["level"], "ERROR", "what a client did wrong is no error of ours: {line}");
    }
    let cloud = home.serve(&[]).await;
    assert_eq!(cloud.stop().await, Some(0));
    let log = home.log();
    assert!(log.contains(" INFO ") && !log.contains('{') && !log.contains('\u{1b}'), "{log}");
}

#[tokio::test]
async fn a_broken_pipe_is_no_panic() {
    for format in ["table", "json"] {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let mut command = command();
        let child = command.args(["list", "--format", format]).stdout(Stdio::from(writer));
        let output = within("the list", child.stderr(Stdio::piped()).output()).await;
        let output = output.expect("its end");
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    }
    // Somebody who serves goes on serving, whoever reads what it says.
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    let home = Home::new();
    let mut command = home.command(&["--eager"]);
    command.stdout(Stdio::from(writer.try_clone().expect("a pipe"))).stderr(Stdio::from(writer));
    let child = command.spawn().expect("a process");
    let opened = home.data().join("s3");
    until("s3", async || opened.exists().then_some(())).await;
    let process =
        i32::try_from(child.id().expect("it runs")).ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(process.expect("a process"), rustix::process::Signal::TERM)
        .expect("it runs");
    let output = within("the end", child.wait_with_output()).await.expect("its end");
    assert_eq!(output.status.code(), Some(0));
}

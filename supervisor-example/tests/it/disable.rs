//! `PLUX_DISABLE`: plugins that may not load.

use crate::cloud::{Cloud, Home, command, until, within};

async fn serve(home: &Home, disable: &str, flags: &[&str]) -> Cloud {
    let mut command = home.command(flags);
    command.env("PLUX_DISABLE", disable);
    home.spawn(command).await
}

/// How a start with this list ends, and what it says.
async fn refusal(disable: &str) -> (Option<i32>, String) {
    let home = Home::new();
    let mut command = home.command(&[]);
    let output = within("the command", command.env("PLUX_DISABLE", disable).output()).await;
    let output = output.expect("its end");
    assert!(output.stdout.is_empty(), "it never listened");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn p10_a_service_that_the_environment_refuses_is_disabled_before_and_after_its_start() {
    let home = Home::new();
    let cloud = serve(&home, "sq*, s3", &[]).await;
    assert_eq!(cloud.health("s3").await, "disabled", "nobody has asked for it yet");
    for verb in ["start", "restart"] {
        let (status, refused) = cloud.post(&format!("/_plux/services/s3/{verb}")).await;
        assert_eq!(status, 409, "{verb}: {refused}");
        let why = refused["error"].as_str().expect("text");
        assert!(why.contains("refused by the filter rule name=`s3`"), "{why}");
    }
    let created = cloud.create_bucket("b").await;
    assert_eq!(crate::cloud::refusal(created), (501, "NotImplemented".to_owned()));
    assert_eq!(cloud.health("s3").await, "disabled");
    assert_eq!(cloud.health("storage").await, "running");
    assert_eq!(cloud.stop().await, Some(0), "what is refused is no failure");
}

#[tokio::test]
async fn p10_a_glob_refuses_what_it_matches_and_nothing_else() {
    let home = Home::new();
    for (disable, health) in
        [("s?", "disabled"), ("[a-z]3", "disabled"), ("", "available"), ("s,3,S3,,", "available")]
    {
        let cloud = serve(&home, disable, &[]).await;
        assert_eq!(cloud.health("s3").await, health, "{disable}");
        assert_eq!(cloud.stop().await, Some(0));
    }
    let cloud = serve(&home, "s3", &["--disable", "sq*", "--eager"]).await;
    until("s3", async || (cloud.health("s3").await == "running").then_some(())).await;
    assert_eq!(cloud.stop().await, Some(0));
}

#[tokio::test]
async fn p10_a_broken_glob_is_an_error_at_start_that_names_variable_and_pattern() {
    for (disable, pattern) in [("sq*,s[", "s["), ("s3,**x", "**x"), ("[!", "[!")] {
        let (status, message) = refusal(disable).await;
        assert_eq!(status, Some(2), "{disable}: {message}");
        assert!(message.contains("PLUX_DISABLE"), "{disable}: {message}");
        assert!(message.contains(&format!("{pattern:?} is no valid glob")), "{disable}: {message}");
    }
}

#[tokio::test]
async fn p10_without_its_data_directory_the_cloud_says_why_it_does_not_serve() {
    for (disable, name) in [("stor*", "storage"), ("gateway", "gateway")] {
        let (status, message) = refusal(disable).await;
        assert_eq!(status, Some(1), "{message}");
        let why = format!("is disabled: refused by the filter rule name=`{disable}`");
        assert!(message.contains(&format!("`{name}` did not start")), "{message}");
        assert!(message.contains(&why), "{message}");
    }
}

#[tokio::test]
async fn the_help_tells_of_it() {
    let help = within("the help", command().args(["serve", "--help"]).output()).await;
    let help = String::from_utf8_lossy(&help.expect("its end").stdout).into_owned();
    let about = help.split_once("--disable").expect("a flag").1;
    let about = about.split_once("\n  -").expect("another flag").0.split_whitespace();
    let about = about.collect::<Vec<_>>().join(" ");
    assert!(about.contains("PLUX_DISABLE") && about.contains("globs over their names"), "{about}");
}

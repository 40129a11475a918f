//! AWS services that are not here: an error in the document of their protocol, at once.

use reqwest::Method;
use serde_json::Value;

use crate::cloud::{Cloud, Home};

/// What a signed request to `service` is answered with: status, content type, body.
async fn call(cloud: &Cloud, service: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
    let scope = format!("test/20300101/us-east-1/{service}/aws4_request");
    let signed = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00");
    let mut request = cloud.request(Method::POST, "/").header("authorization", signed);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.body("Action=Nothing").send().await.expect("an answer");
    let status = response.status().as_u16();
    let content_type = response.headers()["content-type"].to_str().expect("text").to_owned();
    (status, content_type, response.text().await.expect("text"))
}

#[tokio::test]
async fn a_service_that_is_not_here_answers_in_its_own_protocol() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (service, element) in [
        ("sns", "<ErrorResponse><Error><Type>"),
        ("ec2", "<Response><Errors><Error><Code>"),
        // Not in the catalog: the form shows the protocol.
        ("autoscaling", "<ErrorResponse><Error><Type>"),
    ] {
        let (status, content_type, body) = call(&cloud, service, &form).await;
        assert_eq!((status, content_type.as_str()), (501, "text/xml"), "{service}: {body}");
        assert!(body.contains(element) && body.contains("NotImplemented"), "{service}: {body}");
        assert!(body.contains(&format!("`{service}`")), "{service}: {body}");
    }
    let target = [
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", "DynamoDB_20120810.ListTables"),
    ];
    for (service, headers, kind) in [
        ("dynamodb", target.as_slice(), "application/x-amz-json-1.0"),
        ("lambda", &[], "application/json"),
        ("no-such-service", &[], "application/json"),
    ] {
        let (status, content_type, body) = call(&cloud, service, headers).await;
        assert_eq!((status, content_type.as_str()), (501, kind), "{service}: {body}");
        let document: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(document["__type"], "NotImplemented", "{service}");
        assert!(document["message"].as_str().expect("text").contains(service), "{service}: {body}");
    }
    // A later SDK speaks JSON to a service whose older clients speak XML.
    let sqs = [("x-amz-target", "AmazonSQS.ListQueues")];
    assert_eq!(call(&cloud, "sqs", &sqs).await.1, "application/x-amz-json-1.0");
    assert_eq!(call(&cloud, "sqs", &form).await.1, "text/xml");
    assert_eq!(cloud.health("s3").await, "available", "none of it is for s3");
}

#[tokio::test]
async fn p13_a_service_that_is_switched_off_answers_in_its_own_protocol() {
    let home = Home::new();
    let cloud = home.serve(&["--services", "sqs,dynamodb"]).await;
    let (status, content_type, body) = call(&cloud, "s3", &[]).await;
    assert_eq!((status, content_type.as_str()), (501, "application/xml"));
    assert!(body.contains("<Error><Code>NotImplemented</Code>"), "{body}");
    assert_eq!(cloud.health("s3").await, "disabled");
}

#[tokio::test]
async fn a_service_that_fails_to_start_answers_in_its_own_protocol() {
    let home = Home::new();
    let cloud = home.serve(&[]).await;
    // A file where s3 wants its folder.
    std::fs::write(home.data().join("s3"), "").expect("a file");
    let (status, content_type, body) = call(&cloud, "s3", &[]).await;
    assert_eq!((status, content_type.as_str()), (503, "application/xml"), "{body}");
    assert!(body.contains("<Error><Code>ServiceUnavailable</Code>"), "{body}");
    assert_eq!(cloud.health("s3").await, "failed");
    let (status, refused) = cloud.post("/_plux/services/s3/start").await;
    assert_eq!(status, 500, "{refused}");

    std::fs::remove_file(home.data().join("s3")).expect("it is there");
    cloud.create_bucket("now").await.expect("the next request tries again");
    assert_eq!(cloud.health("s3").await, "running");
    assert_eq!(cloud.stop().await, Some(0));
}

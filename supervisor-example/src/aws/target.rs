//! Which AWS service a request is for.
//!
//! The trap: a signature names the service with certainty, so it goes first; a host below
//! `localhost` may name a service or a bucket, and only what is no known service is a bucket.

use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, Uri};

use super::catalog::{self, Known};
use super::protocol::Protocol;

/// The service that a request is for, and how it wants to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The service's name, as plugins have it.
    pub service: String,
    /// The protocol of the answer.
    pub protocol: Protocol,
}

impl Target {
    /// Finds the target: by the scope of the signature, else by `X-Amz-Target`, else by the host,
    /// else it is S3, whose requests alone are commonly sent without any of these.
    pub fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let shown = Protocol::shown_by(headers);
        let target = text("x-amz-target").and_then(catalog::targeted);
        let signed = text(AUTHORIZATION.as_str())
            .and_then(scope_of_header)
            .or_else(|| uri.query().and_then(scope_of_query));
        let found = match signed {
            Some(signing) => {
                // Two services may share a signing name; the target then tells them apart.
                let known = target
                    .filter(|known| known.signing == signing)
                    .or_else(|| catalog::signed_as(signing));
                match known {
                    Some(known) => Ok(known),
                    None => Err(signing.to_owned()),
                }
            }
            None => {
                let host = uri.host().or_else(|| text(HOST.as_str())).unwrap_or_default();
                target.or_else(|| by_host(host)).map_or_else(|| Err("s3".to_owned()), Ok)
            }
        };
        match found {
            Ok(Known { name, protocol, .. }) => {
                Self { service: (*name).to_owned(), protocol: shown.unwrap_or(*protocol) }
            }
            Err(service) => {
                let other = match text(CONTENT_TYPE.as_str()) {
                    _ if service == "s3" => Protocol::S3,
                    // Only the calls of this protocol are forms.
                    Some(form) if form.starts_with("application/x-www-form-urlencoded") => {
                        Protocol::Query
                    }
                    _ => Protocol::RestJson,
                };
                Self { service, protocol: shown.unwrap_or(other) }
            }
        }
    }
}

/// `AWS4-HMAC-SHA256 Credential=KEY/20300101/us-east-1/s3/aws4_request, SignedHeaders=…`
fn scope_of_header(authorization: &str) -> Option<&str> {
    let (_, credential) = authorization.split_once("Credential=")?;
    service_of(credential.split([',', ' ']).next()?, "/")
}

/// `X-Amz-Credential=KEY%2F20300101%2Fus-east-1%2Fs3%2Faws4_request&…`
fn scope_of_query(query: &str) -> Option<&str> {
    let credential = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
    service_of(credential, "%2F")
        .or_else(|| service_of(credential, "%2f"))
        .or_else(|| service_of(credential, "/"))
}

/// The last part but one: a scope may or may not name a region.
fn service_of<'a>(credential: &'a str, separator: &str) -> Option<&'a str> {
    let mut parts = credential.rsplit(separator);
    if parts.next()? != "aws4_request" {
        return None;
    }
    parts.next().filter(|service| !service.is_empty())
}

/// `sqs.us-east-1.localhost.localstack.cloud:4566`, `bucket.s3.localhost`
fn by_host(host: &str) -> Option<&'static Known> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.rsplit('.').find_map(catalog::signed_as)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(uri: &str, headers: &[(&'static str, &str)]) -> (String, Protocol) {
        let headers = headers
            .iter()
            .map(|(name, value)| {
                (http::HeaderName::from_static(name), HeaderValue::from_str(value).expect("value"))
            })
            .collect();
        let target = Target::of(&uri.parse().expect("a URI"), &headers);
        (target.service, target.protocol)
    }

    #[test]
    fn the_scope_of_the_signature_names_the_service() {
        let signed = "AWS4-HMAC-SHA256 Credential=test/20300101/us-east-1/sqs/aws4_request, \
                      SignedHeaders=host, Signature=00";
        let (service, protocol) = of("/", &[("authorization", signed), ("host", "b.s3.localhost")]);
        assert_eq!((service.as_str(), protocol), ("sqs", Protocol::Query));
        let regionless = "AWS4-ECDSA-P256-SHA256 Credential=test/20300101/s3/aws4_request, x=y";
        assert_eq!(of("/", &[("authorization", regionless)]).0, "s3");
        let presigned = "/b/k?X-Amz-Credential=t%2F20300101%2Fus-east-1%2Fs3%2Faws4_request&a=b";
        assert_eq!(of(presigned, &[]).0, "s3");
        let unknown = "AWS4-HMAC-SHA256 Credential=t/20300101/us-east-1/newest/aws4_request, x=y";
        assert_eq!(of("/", &[("authorization", unknown)]), ("newest".into(), Protocol::RestJson));
    }

    #[test]
    fn the_target_names_the_service_and_tells_those_of_one_scope_apart() {
        let signed = "AWS4-HMAC-SHA256 Credential=t/20300101/us-east-1/dynamodb/aws4_request, x=y";
        let streams = ("x-amz-target", "DynamoDBStreams_20120810.ListStreams");
        assert_eq!(of("/", &[streams, ("authorization", signed)]).0, "dynamodbstreams");
        assert_eq!(of("/", &[streams]), ("dynamodbstreams".into(), Protocol::Json));
        assert_eq!(of("/", &[("authorization", signed)]), ("dynamodb".into(), Protocol::Json));
    }

    #[test]
    fn the_host_names_the_service_else_it_is_s3() {
        let host = "sqs.us-east-1.localhost.localstack.cloud:4566";
        assert_eq!(of("/", &[("host", host)]).0, "sqs");
        assert_eq!(of("/", &[("host", "bucket.localhost:4566")]), ("s3".into(), Protocol::S3));
        assert_eq!(of("/bucket/key", &[]), ("s3".into(), Protocol::S3));
    }
}

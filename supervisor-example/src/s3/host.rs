//! Which bucket a `Host` header names.
//!
//! The trap: a bucket's name may have dots, so what stands before the known domain is a bucket,
//! unless it is the service's own label. A host that is not known is taken for this machine, by
//! whatever name a container or a proxy calls it.

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// The names of this machine below which buckets have hosts of their own, with any port.
const DOMAINS: [&str; 2] = ["localhost.localstack.cloud", "localhost"];

/// Virtual hosts below `localhost` and `localhost.localstack.cloud`.
pub(super) struct LocalHosts;

impl S3Host for LocalHosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let parsed = VirtualHost::new(host);
        Ok(match bucket_of(host) {
            Some(bucket) => parsed.with_bucket(bucket),
            None => parsed,
        })
    }
}

/// The bucket in `bucket.localhost`, `bucket.s3.localhost` or `bucket.s3.us-east-1.localhost`.
fn bucket_of(host: &str) -> Option<&str> {
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let labels = DOMAINS.iter().find_map(|domain| host.strip_suffix(domain)?.strip_suffix('.'))?;
    if labels == "s3" || labels.starts_with("s3.") {
        return None;
    }
    if let Some(bucket) = labels.strip_suffix(".s3") {
        return Some(bucket);
    }
    match labels.rsplit_once('.') {
        Some((front, _region)) if front.ends_with(".s3") => front.strip_suffix(".s3"),
        _ => Some(labels),
    }
}

#[cfg(test)]
mod tests {
    use super::bucket_of;

    #[test]
    fn a_host_names_a_bucket_or_the_service() {
        for (host, bucket) in [
            ("localhost:4566", None),
            ("127.0.0.1:4566", None),
            ("box.internal:4566", None),
            ("s3.localhost.localstack.cloud:4566", None),
            ("s3.us-east-1.localhost.localstack.cloud", None),
            ("b.localhost:4566", Some("b")),
            ("my.b.localhost:1", Some("my.b")),
            ("my.b.s3.localhost.localstack.cloud:4566", Some("my.b")),
            ("b.s3.eu-west-1.localhost.localstack.cloud:4566", Some("b")),
        ] {
            assert_eq!(bucket_of(host), bucket, "{host}");
        }
    }
}

//! Who may administer: programs of this machine, and no web page that a browser of this machine
//! happens to show.
//!
//! The trap: a browser sends requests to 127.0.0.1 for any page, and a page's own host name can be
//! made to resolve to 127.0.0.1. Such requests give themselves away by `Origin` and `Host`.

use std::net::{IpAddr, SocketAddr};

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Uri};

/// Whether the request may administer the cloud, and if not, why.
///
/// # Errors
/// A sentence that says what is foreign.
pub(super) fn check(peer: SocketAddr, uri: &Uri, headers: &HeaderMap) -> Result<(), String> {
    if !peer.ip().to_canonical().is_loopback() {
        return Err(format!("{} is not this machine", peer.ip()));
    }
    let one = |name| {
        let mut values = headers.get_all(name).iter();
        let value = values.next().map(|value| value.to_str().unwrap_or("?"));
        if values.next().is_some() { Some("?") } else { value }
    };
    let host = uri.authority().map(Authority::as_str).or_else(|| one(HOST)).unwrap_or_default();
    let is_local = |text: &str| {
        text.parse::<Authority>().is_ok_and(|authority| is_local_name(authority.host()))
    };
    if !is_local(host) || one(HOST).is_some_and(|host| !is_local(host)) {
        return Err(format!("the host `{host}` is foreign; use localhost or 127.0.0.1"));
    }
    match one(ORIGIN) {
        Some(origin) if origin.strip_prefix("http://") != Some(host) => {
            Err(format!("the origin `{origin}` is foreign"))
        }
        _ => Ok(()),
    }
}

fn is_local_name(name: &str) -> bool {
    let address = name.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = address.parse::<IpAddr>() {
        return address.is_loopback();
    }
    let name = name.to_ascii_lowercase();
    ["localhost", "localhost.localstack.cloud"].contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn allowed(peer: &str, headers: &[(http::HeaderName, &str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).expect("a value")))
            .collect();
        let uri = Uri::from_static("/_plux/health");
        check(peer.parse().expect("an address"), &uri, &headers).is_ok()
    }

    #[test]
    fn only_this_machine_by_its_own_names_may_administer() {
        let here = "127.0.0.1:9";
        for host in ["localhost:4566", "LocalHost", "127.0.0.1:4566", "[::1]:4566", "127.9.9.9"] {
            assert!(allowed(here, &[(HOST, host)]), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example", "10.0.0.1:4566", "", "a b", "x@localhost:y"]
        {
            assert!(!allowed(here, &[(HOST, host)]), "{host}");
        }
        assert!(!allowed(here, &[]));
        assert!(!allowed("10.0.0.2:9", &[(HOST, "localhost:4566")]));
    }

    #[test]
    fn only_the_gateways_own_origin_may_administer() {
        let host = (HOST, "localhost:4566");
        let allowed = |origin| allowed("127.0.0.1:9", &[host.clone(), (ORIGIN, origin)]);
        assert!(allowed("http://localhost:4566"));
        for origin in ["http://localhost:3000", "https://evil.example", "null", "http://localhost"]
        {
            assert!(!allowed(origin), "{origin}");
        }
    }
}

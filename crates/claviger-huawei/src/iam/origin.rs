//! The addresses in answers: links, and the endpoints of the catalog.

use claviger_api::Request;
use hyper::http::uri::Authority;

/// An address of ours as this client reaches us, from its `Host` header and the path, which begins with `/`.
///
/// Nothing in a request says whether TLS was in front of us. A target in absolute form names its scheme; otherwise a host with
/// port 443 is `https` and every other one is `http`. No `X-Forwarded-*` is believed. Clients that are given our endpoint, as all
/// of Huawei's SDKs are, never follow these addresses. A host that cannot be read becomes `localhost`.
pub(super) fn address(request: &Request, path: &str) -> String {
    let uri = &request.incoming.uri;
    let header = || request.incoming.header("host").and_then(|host| host.parse::<Authority>().ok());
    let host =
        uri.authority().cloned().or_else(header).unwrap_or_else(|| Authority::from_static("localhost"));
    let scheme = match uri.scheme_str() {
        Some(scheme) => scheme,
        None if host.port_u16() == Some(443) => "https",
        None => "http",
    };
    // An authority may carry a user's name and password; those are not repeated.
    match host.port() {
        Some(port) => format!("{scheme}://{}:{port}{path}", host.host()),
        None => format!("{scheme}://{}{path}", host.host()),
    }
}

#[cfg(test)]
mod tests {
    use claviger_core::Moment;

    use super::*;
    use crate::testing::incoming;

    #[test]
    fn addresses_follow_the_request() {
        for (target, host, expected) in [
            ("/v3", "kms.example:7600", "http://kms.example:7600/v3"),
            ("/v3", "kms.example", "http://kms.example/v3"),
            ("/v3", "kms.example:443", "https://kms.example:443/v3"),
            ("/v3", "[::1]:80", "http://[::1]:80/v3"),
            ("/v3", "a:b@kms.example", "http://kms.example/v3"),
            ("/v3", "<script>", "http://localhost/v3"),
            ("/v3", "", "http://localhost/v3"),
            ("https://other.example/v3", "kms.example", "https://other.example/v3"),
        ] {
            let headers = [("host".to_owned(), host.to_owned())];
            let incoming = incoming("GET", target, &headers, "", Moment::default());
            let request = Request { incoming, captured: Vec::new() };
            assert_eq!(address(&request, "/v3"), expected, "{target} {host}");
        }
    }
}
